"""Reordering, bit errors, MTU, spikes, pauses, selections and schedules."""

import math

import pytest
from scipy.stats import chisquare

from simlab.core.impair import (
    BernoulliSpec,
    BitErrorSpec,
    BitErrorStage,
    BlockSpec,
    BlockStage,
    ConstantDelaySpec,
    ConstantDelayStage,
    FlowStage,
    GilbertElliottSpec,
    MtuSpec,
    MtuStage,
    NormalDelaySpec,
    PauseSpec,
    PauseStage,
    PeriodicPauseSpec,
    PeriodicPauseStage,
    ReorderSpec,
    ReorderStage,
    ScheduledStage,
    ScriptedLossSpec,
    SelectedSpec,
    Selection,
    SpikeSpec,
    SpikeStage,
    Step,
    between,
    make_stage,
)
from simlab.core.link import Link
from simlab.core.packet import Direction, PacketClass
from tests.core.passing import lost_by, pass_through, transit

UP = Direction.UP
DEVIATIONS = 5
RTP = b"\x80\x60" + bytes(30)
STUN = b"\0\1\0\0\x21\x12\xa4\x42" + bytes(12)


def skipping(chance, gap, count, seed=1):
    delay = ConstantDelayStage(ConstantDelaySpec(0.5))
    stage = ReorderStage(ReorderSpec(chance, gap), delay, seed, UP)
    return [n for n, (out,) in enumerate(pass_through(stage, count)) if out.due_s == n]


def test_golden_reordering():
    assert skipping(0.5, 3, 30) == [3, 6, 9, 14, 18, 21, 26, 29]


def test_every_nth_packet_skips_for_sure():
    assert skipping(1.0, 5, 22) == [4, 9, 14, 19]
    assert skipping(1.0, 1, 3) == [0, 1, 2]
    assert skipping(0.0, 1, 3) == []


@pytest.mark.parametrize(("chance", "gap"), [(0.25, 1), (0.5, 5), (0.1, 3)])
def test_how_many_skip(chance, gap):
    count = 100_000
    share = len(skipping(chance, gap, count, 3)) / count
    # A renewal every gap - 1 + geometric packets: SD of a count is √(n σ² / μ³), with σ² = (1 - p) / p².
    mean = gap - 1 + 1 / chance
    sd = math.sqrt((1 - chance) / chance**2 / mean**3 / count)
    assert ReorderSpec(chance, gap).skipping_fraction == 1 / mean
    assert share == pytest.approx(1 / mean, abs=DEVIATIONS * sd)


def test_reordering_goes_on_for_packets_that_never_came():
    every = skipping(0.5, 3, 300)
    stage = ReorderStage(ReorderSpec(0.5, 3), ConstantDelayStage(ConstantDelaySpec(0.5)), 1, UP)
    thirds = [n for n in range(0, 300, 3) if stage.apply(transit(n, float(n)))[0].due_s == n]
    assert thirds == [n for n in every if n % 3 == 0]


def flipped(stage, count, size=100):
    values = []
    for n in range(count):
        (out,) = stage.apply(transit(n, payload=bytes(size)))
        values.append(int.from_bytes(out.payload))
    return values


def test_golden_bit_errors():
    damaged = flipped(BitErrorStage(BitErrorSpec(0.02), 1, UP), 6, size=8)
    assert [f"{value:016x}" for value in damaged] == [
        "0000244040000000",
        "0040000001020004",
        "0200080000000000",
        "0000000420000000",
        "0040000000000000",
        "8000001000005000",
    ]


def test_the_number_of_bit_errors_is_binomial():
    chance, bits, count = 0.003, 800, 20_000
    errors = [value.bit_count() for value in flipped(BitErrorStage(BitErrorSpec(chance), 1, UP), count)]
    shares = [math.comb(bits, k) * chance**k * (1 - chance) ** (bits - k) for k in range(8)]
    counts = [errors.count(k) for k in range(8)]
    counts.append(count - sum(counts))
    expected = [share * count for share in (*shares, 1 - sum(shares))]
    assert chisquare(counts, expected).pvalue > 1e-6


def test_every_bit_is_as_likely_to_be_wrong():
    chance, count, bits = 0.01, 10_000, 64
    values = flipped(BitErrorStage(BitErrorSpec(chance), 2, UP), count, size=8)
    counts = [sum(value >> bit & 1 for value in values) for bit in range(bits)]
    # Independent counts, each with an SD of 0.995 of a Poisson's.
    assert chisquare(counts, [sum(counts) / bits] * bits).pvalue > 1e-6
    sd = math.sqrt(chance * (1 - chance) / (count * bits))
    assert sum(counts) / (count * bits) == pytest.approx(chance, abs=DEVIATIONS * sd)


def test_certain_bit_errors():
    assert flipped(BitErrorStage(BitErrorSpec(0.0), 1, UP), 5) == [0] * 5
    assert flipped(BitErrorStage(BitErrorSpec(1.0), 1, UP), 2, size=2) == [0xFFFF] * 2
    assert flipped(BitErrorStage(BitErrorSpec(1.0), 1, UP), 1, size=0) == [0]


def test_the_mtu_counts_headers():
    stage = MtuStage(MtuSpec(1280), 1, UP)
    assert [bool(stage.apply(transit(n, payload=bytes(1252 + n)))) for n in range(2)] == [True, False]
    assert stage.name == "mtu"


def dues(stage, times_s):
    return [stage.apply(transit(n, at_s))[0].due_s for n, at_s in enumerate(times_s)]


def test_spikes():
    times_s = [0.0, 3.0, 3.5, 4.0, 12.9, 13.0, 13.9, 14.0]
    free = SpikeStage(SpikeSpec(10.0, 1.0, 2.0, 3.0, reorder=True), 1, UP)
    assert dues(free, times_s) == [0.0, 5.0, 5.5, 4.0, 12.9, 15.0, 15.9, 14.0]
    kept = SpikeStage(SpikeSpec(10.0, 1.0, 2.0, 3.0), 1, UP)
    assert dues(kept, times_s) == [0.0, 5.0, 5.5, 5.5, 12.9, 15.0, 15.9, 15.9]


def test_periodic_pauses():
    stage = PeriodicPauseStage(PeriodicPauseSpec(2.0, 0.5, 1.0), 1, UP)
    assert dues(stage, [0.9, 1.0, 1.25, 1.5, 3.25, 3.5]) == [0.9, 1.5, 1.5, 1.5, 3.5, 3.5]


def test_pauses_that_follow_each_other():
    stage = PauseStage([PauseSpec(2.0, 4.0), PauseSpec(1.0, 3.0)])
    assert dues(stage, [0.5, 1.5, 3.5, 4.0]) == [0.5, 4.0, 4.0, 4.0]


def test_a_selection_by_class_size_and_number():
    selection = Selection(frozenset({PacketClass.RTP}), 10, 40, frozenset({2}))
    kinds = [PacketClass.RTP, PacketClass.STUN_REQUEST]
    sizes = [10, 11, 39, 40]
    chosen = [
        (kind, size)
        for kind in kinds
        for size in sizes
        if selection.covers(transit(0, payload=bytes(size), kind=kind).packet)
    ]
    assert chosen == [(PacketClass.RTP, 11), (PacketClass.RTP, 39)]


def selected_link(spec, selection, *earlier):
    return Link([*earlier, make_stage(SelectedSpec(spec, selection), 1, UP)])


class Tag:
    def __init__(self, flow):
        self.flow = flow


def test_a_selection_by_flow_numbers_them_as_they_come():
    link = selected_link(BernoulliSpec(1.0), Selection(flows=frozenset({2})), FlowStage())
    # A flow that comes back has the number that it had.
    fates = [bool(link.receive(RTP, n * 1.0, Tag(flow))) for n, flow in enumerate("ab" + "cba" + "b")]
    assert fates == [False, True, False, True, False, True]


def test_packets_that_an_earlier_stage_drops_count_as_a_flow_too():
    blackout = BlockStage("blackout", [BlockSpec(0.0, 1.0)])
    link = selected_link(BernoulliSpec(1.0), Selection(flows=frozenset({2})), FlowStage(), blackout)
    fates = [
        [drop.cause for drop in link.receive(RTP, at_s, Tag(flow))] for at_s, flow in ((0.0, "a"), (1.0, "b"))
    ]
    assert fates == [["blackout"], ["loss"]]


def test_a_stage_sees_its_selection_alone_numbered_from_0():
    link = selected_link(ScriptedLossSpec(pattern="x.."), Selection(frozenset({PacketClass.RTP})))
    fates = [bool(link.receive(STUN if n % 2 else RTP, float(n))) for n in range(14)]
    assert [n for n, lost in enumerate(fates) if lost] == [0, 6, 12]
    link = selected_link(BernoulliSpec(1.0), Selection(frozenset({PacketClass.RTP}), nth=frozenset({2, 4})))
    fates = [bool(link.receive(STUN if n % 2 else RTP, float(n))) for n in range(14)]
    assert [n for n, lost in enumerate(fates) if lost] == [2, 6]


def test_what_earlier_stages_drop_counts_in_a_selection():
    earlier = make_stage(ScriptedLossSpec(frozenset({1, 2})), 1, UP)
    link = selected_link(ScriptedLossSpec(frozenset({4})), Selection(frozenset({PacketClass.RTP})), earlier)
    assert [bool(link.receive(RTP, float(n))) for n in range(5)] == [True, True, False, True, False]


def test_a_burst_is_one_of_the_selection():
    spec = GilbertElliottSpec.of_bursts(0.2, 4)
    link = selected_link(spec, Selection(frozenset({PacketClass.RTP})))
    mixed = [bool(link.receive(STUN if n % 3 else RTP, float(n))) for n in range(300)]
    assert [n // 3 for n, lost in enumerate(mixed) if lost] == lost_by(make_stage(spec, 1, UP), 100)


def scheduled(*steps):
    return ScheduledStage("loss", steps, lambda spec: make_stage(spec, 1, UP))


def test_a_change_seeds_nothing_again():
    low, high = BernoulliSpec(0.1), BernoulliSpec(0.5)
    changed = lost_by(scheduled(Step(0.0, low), Step(50.0, high), Step(100.0, low)), 150)
    of_low, of_high = (lost_by(make_stage(spec, 1, UP), 150) for spec in (low, high))
    assert changed == [n for n in range(150) if n in (of_high if 50 <= n < 100 else of_low)]


def test_a_model_that_comes_back_goes_on():
    ge, iid = GilbertElliottSpec.of_bursts(0.3, 4), BernoulliSpec(0.3)
    changed = lost_by(scheduled(Step(0.0, ge), Step(50.0, iid), Step(100.0, ge), Step(150.0, None)), 200)
    of_ge, of_iid = (lost_by(make_stage(spec, 1, UP), 150) for spec in (ge, iid))
    assert changed == [n for n in range(150) if n in (of_iid if 50 <= n < 100 else of_ge)]


def test_a_ramp_is_linear():
    steps = [Step(0.0, ConstantDelaySpec(1.0)), Step(10.0, ConstantDelaySpec(3.0), 4.0)]
    out = pass_through(scheduled(*steps), 17)
    assert [t.due_s - n for n, (t,) in enumerate(out)][9:] == [1.0, 1.0, 1.5, 2.0, 2.5, 3.0, 3.0, 3.0]


def test_a_ramp_that_is_cut_short_goes_on_from_where_it_is():
    steps = [
        Step(0.0, ConstantDelaySpec(0.0)),
        Step(10.0, ConstantDelaySpec(4.0), 4.0),
        Step(12.0, ConstantDelaySpec(0.0), 2.0),
    ]
    out = pass_through(scheduled(*steps), 16)
    assert [t.due_s - n for n, (t,) in enumerate(out)][10:] == [0.0, 1.0, 2.0, 1.0, 0.0, 0.0]


def test_ramps_between_specs():
    one, other = NormalDelaySpec(0.0, 0.2), NormalDelaySpec(1.0, 0.4)
    assert between(one, other, 0.25) == NormalDelaySpec(0.25, 0.25)
    assert between(MtuSpec(1000), MtuSpec(1500), 0.5) == MtuSpec(1250)
    chosen = Selection(nth=frozenset({1}))
    assert between(SelectedSpec(one, chosen), SelectedSpec(other, chosen), 1.0).spec == other
    with pytest.raises(ValueError, match="where the model changes"):
        between(one, ConstantDelaySpec(1.0), 0.5)
    with pytest.raises(ValueError, match="between numbers only"):
        between(one, NormalDelaySpec(1.0, 0.4, reorder=True), 0.5)


def test_a_scheduled_selection_keeps_counting():
    chosen = Selection(frozenset({PacketClass.RTP}))
    first, later = ScriptedLossSpec(frozenset({1})), ScriptedLossSpec(frozenset({4}))
    stage = scheduled(Step(0.0, SelectedSpec(first, chosen)), Step(2.5, SelectedSpec(later, chosen)))
    link = Link([stage])
    assert [bool(link.receive(RTP, float(n))) for n in range(5)] == [True, False, False, True, False]
    assert link.dropped == {"loss": 2}
