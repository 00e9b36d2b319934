"""A bottleneck whose rate changes without notice; the times follow from the sizes and the rates."""

import math

from hypothesis import given
from hypothesis import strategies as st

from simlab.core.impair import RateSpec, RateStage
from simlab.core.impair.capacity import Capacity, RateStep
from simlab.core.impair.held_rate import HeldRateStage
from simlab.core.link import Link
from tests.core.passing import transit

# 72 bytes of payload and 28 of headers make 100 on the wire: 0.125 s at 800 bytes/s.
PAYLOAD = bytes(72)


def sent(stage, until_s=math.inf):
    """Return when packets leave, by their numbers."""
    left = {}
    while stage.decides_s <= until_s and stage.decides_s < math.inf:
        one, dropped = stage.decide()
        assert dropped == []
        left[one.packet.seq] = one.due_s
    return left


def test_packets_are_sent_one_after_the_other_and_the_queue_is_limited():
    stage = HeldRateStage(RateSpec(800.0, 200))
    assert [stage.hold(transit(n, 0.0, PAYLOAD)) for n in range(5)] == [True, True, True, False, False]
    assert sent(stage) == {0: 0.125, 1: 0.25, 2: 0.375}


def test_a_change_of_rate_times_the_packet_in_service_again():
    stage = HeldRateStage(RateSpec(800.0))
    for number in range(3):
        stage.hold(transit(number, 0.0, PAYLOAD))
    assert sent(stage, 0.125) == {0: 0.125}
    # Half of packet 1 has been sent at 0.1875; the other 50 bytes take 0.125 s at 400 bytes/s.
    stage.reschedule(RateSpec(400.0), (), (), 0.1875)
    assert sent(stage) == {1: 0.3125, 2: 0.5625}


def test_without_a_rate_everything_leaves_at_once():
    stage = HeldRateStage(RateSpec(800.0))
    for number in range(3):
        stage.hold(transit(number, 0.0, PAYLOAD))
    stage.reschedule(RateSpec(math.inf), (), (), 0.0625)
    assert sent(stage) == {0: 0.0625, 1: 0.0625, 2: 0.0625}
    assert len(stage) == 0


def test_a_limit_of_the_queue_changes_at_its_time():
    stage = HeldRateStage(RateSpec(800.0), (), [(1.0, RateSpec(800.0, 0))])
    assert stage.hold(transit(0, 0.9375, PAYLOAD))
    assert stage.hold(transit(1, 0.9375, PAYLOAD))
    assert not stage.hold(transit(2, 1.0, PAYLOAD))


def test_several_limits_come_one_after_the_other_also_when_it_is_rescheduled():
    limits = [(1.0, RateSpec(800.0, 0)), (2.0, RateSpec(800.0, 100)), (3.0, RateSpec(800.0, 200))]
    stage = HeldRateStage(RateSpec(800.0), (), limits)
    assert stage.hold(transit(0, 3.0, PAYLOAD))
    assert [stage.hold(transit(n, 3.0, PAYLOAD)) for n in (1, 2, 3)] == [True, True, False]
    stage = HeldRateStage(RateSpec(800.0))
    stage.reschedule(RateSpec(800.0), (), limits, 2.0)
    assert stage.hold(transit(0, 2.5, PAYLOAD))
    assert [stage.hold(transit(n, 2.5, PAYLOAD)) for n in (1, 2)] == [True, False]
    assert stage.hold(transit(2, 3.0, PAYLOAD))


def test_a_limit_in_time_is_kept_to_the_instant():
    # While the first is sent, the second waits for 0.125 s, the third for 0.25 s.
    stage = HeldRateStage(RateSpec(800.0, queue_s=0.25))
    assert [stage.hold(transit(n, 0.0, PAYLOAD)) for n in range(4)] == [True, True, True, False]


def test_it_is_steady_while_neither_rate_nor_limits_are_to_change():
    steps, queues = [RateStep(1.0, 400.0)], [(1.0, RateSpec(800.0, 0))]
    assert HeldRateStage(RateSpec(800.0)).is_steady
    assert not HeldRateStage(RateSpec(800.0), steps).is_steady
    assert not HeldRateStage(RateSpec(800.0), (), queues).is_steady
    assert not HeldRateStage(RateSpec(800.0), steps, queues).is_steady


def test_what_fitted_before_goes_on_with_its_sizes():
    stage = HeldRateStage(RateSpec(800.0, 200))
    stage.hold_again([transit(n, 0.0, PAYLOAD) for n in range(2)], 0.0625)
    assert [stage.hold(transit(n, 0.125, PAYLOAD)) for n in (2, 3)] == [True, False]
    assert sent(stage) == {0: 0.1875, 1: 0.3125, 2: 0.4375}


@given(
    st.lists(st.tuples(st.floats(0, 0.5), st.integers(0, 1400)), min_size=1, max_size=40),
    st.sampled_from(
        [
            RateSpec(20_000.0),
            RateSpec(20_000.0, 3000),
            RateSpec(5_000.0, None, 4),
            RateSpec(9e3, None, None, 0.3),
        ]
    ),
)
def test_it_does_what_the_stage_does_that_knows_the_future(gaps, spec):
    known, held = (
        Link([RateStage(spec, [RateStep(1.0, 7_000.0, 0.5)])]),
        Link([HeldRateStage(spec, [RateStep(1.0, 7_000.0, 0.5)])]),
    )
    now_s = 0.0
    for gap_s, size in gaps:
        now_s += gap_s
        for link in (known, held):
            link.receive(bytes(size), now_s)
    ends = [[(one.seq, round(one.due_s, 9)) for one in link.release(1e9)] for link in (known, held)]
    assert ends[0] == ends[1]
    assert known.dropped == held.dropped


@given(st.floats(0, 5), st.floats(1e-3, 5))
def test_what_passes_between_two_times_is_what_takes_that_long(start_s, lasts_s):
    capacity = Capacity(1000.0, [RateStep(1.0, 4000.0, 1.0), RateStep(3.0, 200.0)])
    passed_bytes = capacity.passed_bytes(start_s, start_s + lasts_s)
    assert math.isclose(capacity.sent_s(start_s, passed_bytes), start_s + lasts_s, rel_tol=1e-9)
