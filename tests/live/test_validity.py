"""What makes a session invalid."""

import pytest

from simlab.core.timeline import Event
from simlab.live.validity import faults


def total(way, **data):
    return Event(9.0, f"link.{way}", "total", {"offered": 10, "delivered": 10, "dropped": {}, **data})


def test_a_relay_that_did_only_what_it_was_asked_for_is_valid():
    events = [
        Event(1.0, "link.up", "rate", {}),
        total("up", error_p99_s=0.010, kernel_dropped=0, dropped={"loss": 3}),
        total("down"),
    ]
    assert list(faults(events)) == []


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (
            {"error_p99_s": 0.0123},
            "on the way down the relay sent packets up to 12.3 ms late (99th percentile, 10 ms may be)",
        ),
        ({"kernel_dropped": 7}, "on the way down the kernel dropped 7 packets of its own accord"),
        ({"dropped": {"relay": 2}}, "on the way down the relay dropped 2 packets of its own accord"),
    ],
)
def test_an_impairment_of_its_own_is_named(data, told):
    assert list(faults([total("up"), total("down", **data)])) == [told]
