"""Bottlenecks: rates that change, token buckets, traces, CoDel and slots, all in exact times."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simlab.core.impair import (
    Capacity,
    CodelSpec,
    CodelStage,
    RateSpec,
    RateStage,
    RateStep,
    SlotSpec,
    SlotStage,
    TokenBucketSpec,
    TokenBucketStage,
    TraceSpec,
    TraceStage,
)
from simlab.core.impair.held_rate import HeldRateStage
from simlab.core.link import Link
from simlab.core.packet import Direction
from tests.core.passing import transit

UP = Direction.UP
FREE = RateSpec(math.inf)
# 72 bytes of payload and 28 of headers make 100 on the wire.
PAYLOAD = bytes(72)


def due(stage, seq, at_s, payload=PAYLOAD):
    out = stage.apply(transit(seq, at_s, payload))
    return out[0].due_s if out else None


def test_the_packet_in_service_goes_on_at_the_new_rate():
    # 0.25 s at 800 bytes/s is 200 of 250 bytes... so a packet of 100 bytes each 0.125 s until 0.1875 s, where
    # half of the second one is left: 50 bytes at 400 bytes/s are 0.125 s.
    stage = RateStage(RateSpec(800.0), [RateStep(0.1875, 400.0), RateStep(1.0, 800.0)])
    assert [due(stage, n, 0.0) for n in range(4)] == [0.125, 0.3125, 0.5625, 0.8125]
    # 75 of 100 bytes by 1 s, then 25 at 800 bytes/s.
    assert due(stage, 4, 0.0) == 1.0 + 25 / 800


def test_a_ramp_is_even():
    capacity = Capacity(100.0, [RateStep(10.0, 300.0, 4.0)])
    assert [capacity.rate_bytes_per_s(t) for t in (0.0, 10.0, 11.0, 14.0, 99.0)] == [100, 100, 150, 300, 300]
    # From 9 s: 100 bytes until 10 s, 800 during the ramp, 300 in the next second.
    assert capacity.sent_s(9.0, 1200) == pytest.approx(15.0)
    # During the ramp: 100 t + 25 t² = 200 at t = -2 + √12.
    assert capacity.sent_s(10.0, 200) == pytest.approx(10 - 2 + math.sqrt(12))


def test_a_step_that_cuts_a_ramp_short_starts_from_what_it_has_reached():
    capacity = Capacity(100.0, [RateStep(10.0, 300.0, 4.0), RateStep(12.0, 100.0, 2.0)])
    assert [capacity.rate_bytes_per_s(t) for t in (12.0, 13.0, 14.0)] == [200, 150, 100]


def test_a_rate_that_begins_later():
    stage = RateStage(RateSpec(math.inf), [RateStep(5.0, 100.0)])
    assert [due(stage, n, t) for n, t in enumerate([0.0, 4.0, 5.0])] == [0.0, 4.0, 6.0]
    with pytest.raises(ValueError, match="want no ramp"):
        Capacity(math.inf, [RateStep(5.0, 100.0, 1.0)])


RATES = st.floats(10, 1e5)


@given(
    RATES,
    st.lists(st.tuples(st.floats(0.01, 5), RATES, st.just(0.0) | st.floats(1e-3, 3)), max_size=5),
    st.floats(0, 10),
    st.integers(1, 20_000),
)
def test_what_passes_is_the_integral_of_the_rate(rate, waits, start_s, size_bytes):
    at_s, rows = 0.0, []
    for wait_s, later, ramp_s in waits:
        at_s += wait_s
        rows.append(RateStep(at_s, later, ramp_s))
    capacity = Capacity(rate, rows)
    end_s = capacity.sent_s(start_s, size_bytes)
    # A second method: the trapezium rule between all knees, exact for a rate that is linear there.
    knees = sorted(
        {start_s, end_s, *(t for r in rows for t in (r.at_s, r.at_s + r.ramp_s) if start_s < t < end_s)}
    )
    # Just inside of each part, since the rate may jump at its ends.
    passed = 0.0
    for one, other in pairwise(knees):
        quarter = (other - one) / 4
        inside = capacity.rate_bytes_per_s(one + quarter) + capacity.rate_bytes_per_s(other - quarter)
        passed += inside / 2 * (other - one)
    assert passed == pytest.approx(size_bytes, rel=1e-6)


def test_a_queue_by_packets_and_by_time():
    by_packets = RateStage(RateSpec(800.0, queue_packets=2))
    assert [due(by_packets, n, 0.0) for n in range(4)] == [0.125, 0.25, 0.375, None]
    by_time = RateStage(RateSpec(800.0, queue_s=0.25))
    assert [due(by_time, n, 0.0) for n in range(4)] == [0.125, 0.25, 0.375, None]
    assert due(by_time, 4, 0.0625) is None
    assert due(by_time, 5, 0.125) == 0.5


@pytest.mark.parametrize("stage_class", [RateStage, HeldRateStage])
def test_a_limit_in_time_is_not_passed_by_what_floats_add(stage_class):
    # 28, 1244 and 1428 bytes at 9000 bytes/s: the fourth waits for 0.3 s, which adds up to a little more.
    link = Link([stage_class(RateSpec(9000.0, queue_s=0.3))])
    fates = [link.receive(bytes(size), 0.0) for size in (0, 1216, 1400, 0)]
    assert [len(drops) for drops in fates] == [0, 0, 0, 0]


def test_the_queues_limit_changes():
    stage = RateStage(RateSpec(800.0, 100), queues=[(1.0, RateSpec(800.0, 300))])
    assert [due(stage, n, 0.0) for n in range(3)] == [0.125, 0.25, None]
    assert [due(stage, n, 1.0) for n in range(3, 8)] == [1.125, 1.25, 1.375, 1.5, None]


def test_a_shaper_lets_a_burst_through_and_then_keeps_to_the_rate():
    stage = TokenBucketStage(TokenBucketSpec(800.0, 250, RateSpec(800.0, 200)), 1, UP)
    # Two with the burst; the third lacks 50 tokens, the fourth 100 more; the fifth finds 200 bytes waiting.
    assert [due(stage, n, 0.0) for n in range(5)] == [0.0, 0.0, 0.0625, 0.1875, None]
    # Full again after 250 / 800 s.
    assert [due(stage, n, 2.0) for n in range(5, 8)] == [2.0, 2.0, 2.0625]
    assert stage.name == "queue"


def test_a_policer_drops_what_finds_no_tokens():
    stage = TokenBucketStage(TokenBucketSpec(800.0, 250), 1, UP)
    assert [due(stage, n, 0.0) for n in range(3)] == [0.0, 0.0, None]
    assert [due(stage, n, 0.0625) for n in range(3, 5)] == [0.0625, None]
    assert stage.name == "policer"


def test_what_is_larger_than_the_bucket_never_passes():
    for queue in (None, FREE):
        assert due(TokenBucketStage(TokenBucketSpec(800.0, 99, queue), 1, UP), 0, 5.0) is None


@given(
    st.lists(st.tuples(st.floats(0, 0.3), st.integers(0, 300)), min_size=1, max_size=60),
    st.floats(100, 1e4),
    st.integers(328, 2000),
)
def test_a_bucket_never_passes_more_than_burst_and_rate(offers, rate, burst):
    stage = TokenBucketStage(TokenBucketSpec(rate, burst, FREE), 1, UP)
    now_s, sent = 0.0, []
    for seq, (wait_s, size) in enumerate(offers):
        now_s += wait_s
        sent.append((due(stage, seq, now_s, bytes(size)), size + 28))
    assert sent == sorted(sent, key=lambda pair: pair[0])
    for first in range(len(sent)):
        passed = 0
        for at_s, size in sent[first:]:
            passed += size
            assert passed <= burst + rate * (at_s - sent[first][0]) + 1e-6


def trace_link(times_ms, queue=FREE):
    return TraceStage(TraceSpec(tuple(times_ms), queue), 1, UP)


def test_a_trace_lets_1504_bytes_go_at_each_opportunity_and_wraps():
    full = bytes(1504 - 28)
    stage = trace_link([2, 5])
    assert [due(stage, n, 0.0, full) for n in range(5)] == [0.002, 0.005, 0.007, 0.010, 0.012]


def test_small_packets_share_an_opportunity_and_large_ones_span_several():
    stage = trace_link([2, 5])
    sizes = [752, 752, 700, 805, 3008, 1]
    assert [due(stage, n, 0.0, bytes(size - 28) if size > 28 else b"") for n, size in enumerate(sizes)] == [
        0.002,
        0.002,
        0.005,
        0.007,  # 804 of it at 5 ms, 1 at 7 ms
        0.012,  # 1503 at 7 ms, 1504 at 10 ms, 1 at 12 ms
        0.012,
    ]


def test_an_opportunity_that_nobody_waits_for_is_lost():
    stage = trace_link([2, 5])
    assert due(stage, 0, 0.0) == 0.002
    assert due(stage, 1, 0.002) == 0.005  # at that very millisecond it is too late
    assert due(stage, 2, 100.0) == 100.002
    assert due(stage, 3, 100.0021) == 100.005


def test_a_trace_of_one_per_millisecond_is_12_mbit_per_s():
    spec = TraceSpec((1,), FREE)
    assert spec.mean_rate_bytes_per_s == 1_504_000.0
    stage, full = TraceStage(spec, 1, UP), bytes(1504 - 28)
    assert [due(stage, n, 0.0, full) for n in range(1000)] == [(n + 1) / 1000 for n in range(1000)]


def test_the_queue_of_a_trace():
    stage = trace_link([10], RateSpec(math.inf, queue_packets=2))
    assert [due(stage, n, 0.0) for n in range(3)] == [0.01, 0.01, None]
    assert due(stage, 3, 0.01) == 0.02


def test_traces_that_make_no_sense():
    for times_ms in ((), (0, 0), (3, 2), (-1, 2)):
        with pytest.raises(ValueError, match=r"^want "):
            TraceSpec(times_ms, FREE)


@given(
    st.lists(st.integers(0, 50), min_size=1, max_size=8).map(sorted).filter(lambda times: times[-1] > 0),
    st.lists(st.tuples(st.floats(0, 0.08), st.integers(0, 3000)), max_size=40),
)
def test_traces_against_opportunities_one_by_one(times_ms, offers):
    """Run Mahimahi's loop itself: burn every opportunity in turn, on what waits then."""
    stage, now_s, arrivals = trace_link(times_ms), 0.0, []
    for seq, (wait_s, size) in enumerate(offers):
        now_s += wait_s
        arrivals.append((now_s, size + 28, due(stage, seq, now_s, bytes(size))))
    expected, number = [], 0
    while len(expected) < len(arrivals) and number < 100_000:
        turn, index = divmod(number, len(times_ms))
        at_s, left = (turn * times_ms[-1] + times_ms[index]) / 1000, 1504
        number += 1
        while left and len(expected) < len(arrivals) and arrivals[len(expected)][0] < at_s:
            arrived_s, size, due_s = arrivals[len(expected)]
            sent = min(size, left)
            left -= sent
            arrivals[len(expected)] = (arrived_s, size - sent, due_s)
            if sent == size:
                expected.append(at_s)
    assert [due_s for _, _, due_s in arrivals] == expected


def test_slots_as_netem_has_them():
    stage = SlotStage(SlotSpec(0.01, 0.01, packets=2), 1, UP)
    # The first packet opens the first slot 10 ms later; two leave in each.
    assert [due(stage, n, 0.0) for n in range(5)] == [0.01, 0.01, 0.02, 0.02, 0.03]
    # A packet that finds its slot long open waits for a fresh one.
    assert due(stage, 5, 1.0) == 1.01
    by_bytes = SlotStage(SlotSpec(0.01, 0.01, size_bytes=150), 1, UP)
    assert [due(by_bytes, n, 0.0) for n in range(4)] == [0.01, 0.01, 0.02, 0.02]


def test_golden_slots():
    stage = SlotStage(SlotSpec(0.002, 0.01, packets=1), 1, UP)
    assert [round(due(stage, n, 0.0), 6) for n in range(5)] == [
        0.003118,
        0.006513,
        0.008921,
        0.013853,
        0.019699,
    ]


SLOW = RateSpec(128_000.0)
FULL = bytes(1000 - 28)  # 1/128 s at that rate, exactly


def codel_link(rate=SLOW, **more):
    return Link([CodelStage(CodelSpec(rate, **more))])


def drained(link):
    out = []
    while (at_s := link.next_due_s()) is not None:
        out += link.release(at_s)
    return out


def test_codel_leaves_a_queue_alone_that_is_short():
    link = codel_link()
    for n in range(100):
        assert link.receive(FULL, n / 128) == []
    # Each leaves the bottleneck when the next one comes.
    assert [p.due_s for p in drained(link)] == [(n + 1) / 128 for n in range(100)]
    assert not link.dropped


def test_codel_drops_by_its_control_law():
    # A standing queue: 30 packets at once, then one for each that leaves.
    link = codel_link(target_s=1 / 256, interval_s=1 / 8)
    drops, now_s = [], 0.0
    for _ in range(30):
        link.receive(FULL, 0.0)
    for n in range(1, 200):
        now_s = n / 128
        link.release(now_s)
        drops += link.receive(FULL, now_s)
    # The second packet waits for 1/128 s, longer than the target; the first goes an interval later.
    due_s, wanted_s = 17 / 128, []
    for count in range(1, len(drops) + 1):
        # drop_next = interval / √1 later, then interval / √2 ..., each at the first departure from then on.
        wanted_s.append(math.ceil(due_s * 128) / 128)
        due_s += 1 / 8 / math.sqrt(count)
    assert [drop.at_s for drop in drops] == wanted_s
    assert len(drops) > 15
    assert {drop.cause for drop in drops} == {"queue"}


def test_codels_own_queue_still_has_its_limit():
    link = codel_link(RateSpec(128_000.0, 2000))
    fates = [len(link.receive(FULL, 0.0)) for _ in range(4)]
    assert fates == [0, 0, 0, 1]


@given(
    st.lists(st.tuples(st.floats(0, 0.05), st.integers(0, 1400)), max_size=150),
    st.floats(5e3, 1e5),
    st.integers(1000, 20_000),
)
def test_codel_accounts_for_every_packet_and_keeps_the_order(offers, rate, queue_bytes):
    link, now_s, drops, out = codel_link(RateSpec(rate, queue_bytes)), 0.0, [], []
    for wait_s, size in offers:
        now_s += wait_s
        out += link.release(now_s)
        drops += link.receive(bytes(size), now_s)
    out += drained(link)
    assert len(out) + link.dropped.total() == len(offers)
    assert len(link) == 0
    assert [p.seq for p in out] == sorted(p.seq for p in out)
    assert all(later.due_s >= sooner.due_s for sooner, later in pairwise(out))
    assert {p.seq for p in out}.isdisjoint(drop.seq for drop in drops)


def test_a_second_holding_stage_is_refused():
    spec = CodelSpec(RateSpec(1000.0))
    with pytest.raises(ValueError, match="one holding stage"):
        Link([CodelStage(spec), CodelStage(spec)])
