from collections import Counter
from functools import partial

from hypothesis import given, settings
from hypothesis import strategies as st

from simlab.core.impair import (
    BernoulliSpec,
    BernoulliStage,
    BitErrorSpec,
    BlockSpec,
    BlockStage,
    ConstantDelaySpec,
    ConstantDelayStage,
    CorrelatedDelaySpec,
    CorrelatedLossSpec,
    CorruptSpec,
    DuplicateSpec,
    EmpiricalDelaySpec,
    FourStateSpec,
    GilbertElliottSpec,
    LibwebrtcLossSpec,
    MtuSpec,
    NetemDelaySpec,
    NetemLossSpec,
    NormalDelaySpec,
    ParetoDelaySpec,
    ParetoNormalDelaySpec,
    PauseSpec,
    PauseStage,
    PeriodicPauseSpec,
    RateSpec,
    RateStage,
    RateStep,
    ReorderSpec,
    ReorderStage,
    Rfc8868DelaySpec,
    ScheduledStage,
    ScriptedLossSpec,
    SelectedSpec,
    Selection,
    SlotSpec,
    SpikeSpec,
    Step,
    TimedGilbertElliottSpec,
    TokenBucketSpec,
    TraceSpec,
    UniformDelaySpec,
    make_stage,
)
from simlab.core.link import Link
from simlab.core.packet import Direction, PacketClass
from tests.core.passing import transit

UP = Direction.UP
RTP = b"\x80" + bytes(40)
STUN = b"\0\1\0\0\x21\x12\xa4\x42" + bytes(12)
CAUSES = {"blackout", "block", "queue", "loss", "mtu", "policer"}

RTP_ONLY = Selection(frozenset({PacketClass.RTP}))


def _scheduled(seed):
    row = [Step(0.0, BernoulliSpec(0.1)), Step(0.4, BernoulliSpec(0.6), 0.3), Step(0.9, None)]
    return ScheduledStage("loss", row, lambda spec: make_stage(spec, seed, UP))


def _reorder(seed):
    return ReorderStage(ReorderSpec(0.4, 2), make_stage(UniformDelaySpec(0.03, 0.02), seed, UP), seed, UP)


# What can be made from a spec alone, by a name of its own.
SPECS = {
    "bernoulli": BernoulliSpec(0.3),
    "gilbert": GilbertElliottSpec.of_bursts(0.3, 3),
    "timed": TimedGilbertElliottSpec(0.2, 0.1, 0.9, 0.1),
    "four-state": FourStateSpec(0.1, 0.3, 0.2, 0.4, 0.05),
    "correlated": CorrelatedLossSpec(0.3, 0.7),
    "netem": NetemLossSpec(0.3, 0.25),
    "libwebrtc": LibwebrtcLossSpec(0.3, 3),
    "scripted": ScriptedLossSpec(pattern="..x"),
    "selected": SelectedSpec(GilbertElliottSpec.of_bursts(0.3, 3), RTP_ONLY),
    "mtu": MtuSpec(60),
    "duplicate": DuplicateSpec(0.4),
    "corrupt": CorruptSpec(0.4),
    "bits": BitErrorSpec(0.01),
    "constant": ConstantDelaySpec(0.03),
    "uniform": UniformDelaySpec(0.03, 0.02, reorder=True),
    "normal": NormalDelaySpec(0.03, 0.02),
    "pareto": ParetoDelaySpec(0.03, 0.02, reorder=True),
    "pareto-normal": ParetoNormalDelaySpec(0.03, 0.02, reorder=True),
    "empirical": EmpiricalDelaySpec((0.01, 0.02, 0.07), reorder=True),
    "rfc8868": Rfc8868DelaySpec(0.03, reorder=True),
    "jitter": CorrelatedDelaySpec(NormalDelaySpec(0.03, 0.02, reorder=True), 0.6),
    "netem delay": NetemDelaySpec("pareto", 0.03, 0.02, 0.6),
    "spike": SpikeSpec(0.3, 0.1, 0.2, reorder=True),
    "pauses": PeriodicPauseSpec(0.3, 0.1),
    "slot": SlotSpec(0.01, 0.02, 2, 300),
    "bucket": TokenBucketSpec(4000.0, 100, RateSpec(4000.0, 300)),
    "policer": TokenBucketSpec(4000.0, 100),
    "trace": TraceSpec((5, 20, 30), RateSpec(1.0, 300)),
}

# What each stage is made with; `seed` is the only argument.
MAKERS = {
    "blackout": lambda seed: BlockStage("blackout", [BlockSpec(0.2, 0.4), BlockSpec(0.5, 0.6)]),
    "block": lambda seed: BlockStage("block", [BlockSpec(0.1, 0.7, frozenset({PacketClass.STUN_REQUEST}))]),
    "pause": lambda seed: PauseStage([PauseSpec(0.2, 0.5), PauseSpec(0.4, 0.6, RTP_ONLY)]),
    "rate": lambda seed: RateStage(RateSpec(4000.0, 300), [RateStep(0.5, 1000.0, 0.1)]),
    "scheduled": _scheduled,
    "reorder": _reorder,
    **{name: partial(lambda spec, seed: make_stage(spec, seed, UP), spec) for name, spec in SPECS.items()},
}


class CountCopies:
    """Stand around a stage and count the copies that it makes."""

    def __init__(self, stage):
        self.stage, self.copies = stage, 0
        if hasattr(stage, "note"):
            self.note = stage.note

    @property
    def name(self):
        return self.stage.name

    def apply(self, one):
        out = self.stage.apply(one)
        self.copies += max(len(out) - 1, 0)
        return out


@given(
    st.lists(st.sampled_from(sorted(MAKERS)), max_size=7),
    st.lists(st.tuples(st.floats(0, 0.05), st.sampled_from([RTP, STUN, b""])), max_size=60),
    st.integers(0, 2**63 - 1),
    st.floats(0, 2),
)
def test_every_packet_is_delivered_or_dropped_once_with_a_cause(names, offers, seed, until_s):
    row = [CountCopies(MAKERS[name](seed)) for name in names]
    link = Link(row)
    now_s, drops, delivered = 0.0, [], []
    for wait_s, payload in offers:
        now_s += wait_s
        delivered += link.release(now_s)
        drops += link.receive(payload, now_s)
    delivered += link.release(now_s + until_s)

    copies = sum(stage.copies for stage in row)
    assert link.offered == len(offers)
    assert link.offered + copies == len(delivered) + len(drops) + len(link)
    assert link.delivered == len(delivered)
    assert link.added.total() == copies
    assert set(link.added) <= {"duplicate"}
    assert link.corrupted == sum(one.payload not in (RTP, STUN, b"") for one in delivered)
    assert link.dropped == Counter(drop.cause for drop in drops)
    assert {drop.cause for drop in drops} <= CAUSES
    assert all(d.arrived_s <= d.due_s <= d.sent_s for d in delivered)
    if not copies and not len(link):
        assert sorted(d.seq for d in [*drops, *delivered]) == list(range(len(offers)))


def test_delivery_in_order_of_due_time_then_of_arrival():
    link = Link([ConstantDelayStage(ConstantDelaySpec(0.5))])
    for payload in (b"a", b"b"):
        assert link.receive(payload, 1.0) == []
    assert link.next_due_s() == 1.5
    assert link.release(1.25) == []
    out = link.release(2.0)
    assert [(d.payload, d.due_s, d.sent_s, d.arrived_s) for d in out] == [
        (b"a", 1.5, 2.0, 1.0),
        (b"b", 1.5, 2.0, 1.0),
    ]
    assert link.next_due_s() is None


def test_a_drop_says_what_and_why():
    link = Link([BlockStage("blackout", [BlockSpec(0.0, 1.0)])])
    (drop,) = link.receive(STUN, 0.5)
    assert (drop.at_s, drop.seq, drop.kind, drop.size, drop.cause) == (0.5, 0, "stun.request", 20, "blackout")


# Waiting in a queue is not a matter of luck, and neither is being kept in order: those are left out.
LUCK = sorted(
    set(MAKERS) - {"rate", "bucket", "policer", "trace", "slot", "pauses", "pause", "normal", "reorder"}
)


class Watched:
    """Stand around a stage, and write down what it decides about each packet (never about its copies)."""

    def __init__(self, stage):
        self.stage, self.name, self.decisions = stage, stage.name, {}
        if hasattr(stage, "note"):
            self.note = stage.note

    def apply(self, one):
        seq, before_s, before = one.packet.seq, one.due_s, one.payload
        out = self.stage.apply(one)
        if seq not in self.decisions:
            delays_s = [round(each.due_s - before_s, 9) for each in out[:1]]
            damage = [int.from_bytes(each.payload) ^ int.from_bytes(before) for each in out[:1]]
            self.decisions[seq] = (len(out), delays_s, damage)
        return out


def decisions(names, seed, count=100):
    """Return what each stage of a row decides about each packet that reaches it."""
    row = {name: Watched(MAKERS[name](seed)) for name in names}
    link = Link(list(row.values()))
    for seq in range(count):
        link.receive(STUN if seq % 3 else RTP, seq / 100)
    return {name: stage.decisions for name, stage in row.items()}


@settings(max_examples=200)
@given(st.lists(st.sampled_from(LUCK), min_size=2, unique=True), st.data(), st.integers(0, 2**63 - 1))
def test_taking_a_stage_out_changes_no_other_stages_decisions(names, data, seed):
    gone = data.draw(st.sampled_from(names))
    full = decisions(names, seed)
    rest = decisions([name for name in names if name != gone], seed)
    for name, decided in rest.items():
        # What one of the rows drops earlier does not reach the stage in both.
        for seq in decided.keys() & full[name].keys():
            assert decided[seq] == full[name][seq], (name, seq)


# What these do is laid out over the packets of the link, whatever their class.
ROWS = ("gilbert", "four-state", "correlated", "netem", "libwebrtc", "scripted", "jitter", "netem delay")


@given(st.sampled_from([name for name in LUCK if name in SPECS]), st.integers(0, 2**63 - 1))
def test_another_class_of_packets_changes_no_luck(name, seed):
    """Send RTP alone, and RTP with STUN between: what is drawn for packets stays the same."""
    if name in ROWS:
        return
    alone, mixed = Watched(MAKERS[name](seed)), Watched(MAKERS[name](seed))
    one, both = Link([alone]), Link([mixed])
    for n in range(60):
        one.receive(RTP, n / 50)
        both.receive(RTP, n / 50)
        both.receive(STUN, n / 50)
    assert [alone.decisions[n] for n in range(60)] == [mixed.decisions[2 * n] for n in range(60)]


def test_the_two_directions_have_their_own_luck():
    spec = BernoulliSpec(0.5)
    up, down = BernoulliStage(spec, 1, UP), BernoulliStage(spec, 1, Direction.DOWN)
    assert [bool(up.apply(transit(n))) for n in range(64)] != [
        bool(down.apply(transit(n))) for n in range(64)
    ]
