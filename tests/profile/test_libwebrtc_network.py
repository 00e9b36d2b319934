"""What libwebrtc's own tests of its simulated network expect, of what is imported from such a schedule.

Sources: test/network/simulated_network_unittest.cc and schedulable_network_behavior_test.cc of libwebrtc. A
packet of 1000 bits there is a payload of 97 bytes here, and 28 of headers.
"""

import pytest

from simlab.core.packet import Direction
from simlab.profile import Scenario, links, load
from simlab.profile.importers import import_text

PACKET = b"\x80" + bytes(96)


def link_of(schedule):
    profile = load(import_text("libwebrtc", schedule, "a.txt", "a"), "a.toml")
    return links(Scenario.of(profile))[Direction.UP]


def arrivals_ms(link, times_ms):
    """Send packets at these times, and return when they arrive; None for those that have no room."""
    arrived = []
    for at_ms in times_ms:
        drops = link.receive(PACKET, at_ms / 1000)
        arrived += [None] * len(drops)
    delivered = link.release(3600.0)
    return [*arrived, *(round(one.due_s * 1000, 3) for one in delivered)]


@pytest.mark.parametrize(
    ("schedule", "times_ms", "expected_ms"),
    [
        ("item { }", [0], [0]),
        ("item { link_capacity_kbps: 1 }", [0, 1000], [1000, 2000]),
        ("item { link_capacity_kbps: 1 queue_delay_ms: 100 }", [0], [1100]),
        ("item { link_capacity_kbps: 10 queue_delay_ms: 70 }", [0], [170]),
        # EnqueueFailsWhenQueueLengthIsReached: a length of 1 is the packet that is being sent.
        ("item { link_capacity_kbps: 1 queue_length_packets: 1 }", [0, 500], [None, 1000]),
        ("item { link_capacity_kbps: 1 queue_length_packets: 2 }", [0, 500, 600], [None, 1000, 2000]),
        # TriggersDeliveryTimeChangedCallbackOnScheduleIfPacketInLinkCapacityQueue
        (
            "item { link_capacity_kbps: 10 queue_delay_ms: 10 }"
            "item { time_since_first_sent_packet_ms: 50 link_capacity_kbps: 100 }",
            [0],
            [65],
        ),
        # SetConfigUpdateNextDeliveryTimeIfLinkCapacityChange
        (
            "item { link_capacity_kbps: 1 }"
            "item { time_since_first_sent_packet_ms: 500 link_capacity_kbps: 10 }",
            [0],
            [550],
        ),
        # ScheduleWithoutRepeat
        (
            "item { link_capacity_kbps: 10 }"
            "item { time_since_first_sent_packet_ms: 150 link_capacity_kbps: 100 }",
            [0, 60_150],
            [100, 60_160],
        ),
        # ScheduleWithRepeat, with times that are ten times as long: a profile repeats after a second at least
        (
            "repeat_schedule_after_last_ms: 2000 item { link_capacity_kbps: 1 }"
            "item { time_since_first_sent_packet_ms: 1500 link_capacity_kbps: 10 }",
            [0, 1600, 3500],
            [1000, 1700, 4500],
        ),
        # SetConfigUpdateQueueDelayAfterDelivery: both arrive at once, where packets must keep their order
        (
            "item { link_capacity_kbps: 1000 queue_delay_ms: 1000 }"
            "item { time_since_first_sent_packet_ms: 500 link_capacity_kbps: 100 queue_delay_ms: 1 }",
            [0, 500],
            [1001, 1001],
        ),
        # and the later one first, where they need not
        (
            "item { link_capacity_kbps: 1000 queue_delay_ms: 1000 allow_reordering: true }"
            "item { time_since_first_sent_packet_ms: 500 link_capacity_kbps: 100 queue_delay_ms: 1 }",
            [0, 500],
            [511, 1001],
        ),
    ],
)
def test_libwebrtc_delivers_when_its_own_tests_say(schedule, times_ms, expected_ms):
    assert arrivals_ms(link_of(schedule), times_ms) == expected_ms


def test_nothing_leaves_while_the_capacity_is_0():
    # SetConfigUpdateNextDeliveryTimeIfLinkCapacityChangeFromZero. 1 bit/s stands for 0: half a bit leaves
    # early.
    link = link_of(
        "item { link_capacity_kbps: 0 }"
        "item { time_since_first_sent_packet_ms: 500 link_capacity_kbps: 10 }"
        "item { time_since_first_sent_packet_ms: 510 link_capacity_kbps: 0 }"
        "item { time_since_first_sent_packet_ms: 610 link_capacity_kbps: 10 }"
    )
    (arrived_ms,) = arrivals_ms(link, [0])
    assert arrived_ms == pytest.approx(700 - 0.06, abs=1e-6)
