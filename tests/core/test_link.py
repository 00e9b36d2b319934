from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from simlab.core.impair import (
    BernoulliSpec,
    BernoulliStage,
    BlockSpec,
    BlockStage,
    ConstantDelaySpec,
    ConstantDelayStage,
    CorruptSpec,
    CorruptStage,
    DuplicateSpec,
    DuplicateStage,
    GilbertElliottSpec,
    GilbertElliottStage,
    NormalDelaySpec,
    NormalDelayStage,
    RateSpec,
    RateStage,
    UniformDelaySpec,
    UniformDelayStage,
)
from simlab.core.link import Link
from simlab.core.packet import Direction, PacketClass
from tests.core.passing import pass_row, transit

UP = Direction.UP
RTP = b"\x80" + bytes(40)
STUN = b"\0\1\0\0\x21\x12\xa4\x42" + bytes(12)
CAUSES = {"blackout", "block", "queue", "loss"}

# What each stage is made with, by a name of its own; `seed` is the only argument.
MAKERS = {
    "blackout": lambda seed: BlockStage("blackout", [BlockSpec(0.2, 0.4), BlockSpec(0.5, 0.6)]),
    "block": lambda seed: BlockStage("block", [BlockSpec(0.1, 0.7, frozenset({PacketClass.STUN_REQUEST}))]),
    "rate": lambda seed: RateStage(RateSpec(4000.0, 300)),
    "bernoulli": lambda seed: BernoulliStage(BernoulliSpec(0.3), seed, UP),
    "gilbert": lambda seed: GilbertElliottStage(GilbertElliottSpec.of_bursts(0.3, 3), seed, UP),
    "duplicate": lambda seed: DuplicateStage(DuplicateSpec(0.4), seed, UP),
    "corrupt": lambda seed: CorruptStage(CorruptSpec(0.4), seed, UP),
    "constant": lambda seed: ConstantDelayStage(ConstantDelaySpec(0.03)),
    "uniform": lambda seed: UniformDelayStage(UniformDelaySpec(0.03, 0.02, reorder=True), seed, UP),
    "normal": lambda seed: NormalDelayStage(NormalDelaySpec(0.03, 0.02), seed, UP),
}


class CountCopies:
    """Stand around a stage and count the copies that it makes."""

    def __init__(self, stage):
        self.stage, self.name, self.copies = stage, stage.name, 0

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


# A real link's row in its real order, but with a delay that reorders and without a rate: waiting in a
# queue is not a matter of luck.
ROW = ["blackout", "block", "gilbert", "duplicate", "corrupt", "uniform"]


def outcomes(names, seed, count=120):
    """Return each packet's fate: the cause of its drop, or its delay and its payload."""
    row = [MAKERS[name](seed) for name in names]
    fates = []
    for seq in range(count):
        payload = STUN if seq % 3 else RTP
        kind = PacketClass.STUN_REQUEST if seq % 3 else PacketClass.RTP
        cause, out = pass_row(row, transit(seq, seq / 100, payload, kind))
        fates.append(cause or (out.due_s, out.payload))
    return fates


@given(st.sets(st.sampled_from(ROW)), st.integers(0, 2**63 - 1))
def test_adding_stages_changes_no_other_stages_luck(kept, seed):
    full = outcomes(ROW, seed)
    some = outcomes([name for name in ROW if name in kept], seed)
    for in_full, in_some in zip(full, some, strict=True):
        if isinstance(in_some, str):
            assert in_full in CAUSES
            continue
        # What only some of the stages let through may be dropped by one of the others, but not by a stage
        # that is in both rows.
        if isinstance(in_full, str):
            assert {"loss": "gilbert"}.get(in_full, in_full) not in kept
            continue
        if "uniform" in kept:
            assert in_some[0] == in_full[0]
        if "corrupt" in kept:
            assert in_some[1] == in_full[1]


def test_the_two_directions_have_their_own_luck():
    spec = BernoulliSpec(0.5)
    up, down = BernoulliStage(spec, 1, UP), BernoulliStage(spec, 1, Direction.DOWN)
    assert [bool(up.apply(transit(n))) for n in range(64)] != [
        bool(down.apply(transit(n))) for n in range(64)
    ]
