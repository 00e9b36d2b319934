import pytest

from simlab.study.carrying import Links
from simlab.study.invariants import violations
from simlab.study.spans import Span
from tests.study.timelines import BOTH, connected, event, silence, timeline


def rates(from_s, until_s, packets=10, delay_s=0.02, ways=BOTH):
    """Return what links carried in each second: so many packets, that late."""
    fields = {"packets": {"rtp": packets}, "bytes": {"rtp": 100}, "delay_p50_s": delay_s}
    return [
        event(float(second), f"link.{way} rate", **fields)
        for second in range(from_s + 1, until_s + 1)
        for way in ways
    ]


def drops(from_s, until_s, packets=10, way="up", cause="loss"):
    """Return the drops of each second, a quarter of a second after its beginning."""
    fields = {"seq": 0, "class": "rtp", "size": 10, "cause": cause}
    return [
        event(second + 0.25, f"link.{way} dropped", **fields)
        for second in range(from_s, until_s)
        for _ in range(packets)
    ]


def dead(*events):
    """Return the violations of a session in which nothing passes from 30 s to 60 s."""
    return [
        (one.invariant, one.t_s, one.detail.partition(", although ")[2])
        for one in violations(timeline(connected(), silence(30.0, 60.0), *events))
    ]


WHOLE = "100% of the packets (median delay 20 ms)"
ALL = f"the links carried {WHOLE} up and {WHOLE} down"


def test_what_the_links_did_is_told():
    assert dead(rates(0, 120)) == [("ready-but-dead", 30.0, ALL)]
    half, late = "50.0% of the packets (median delay 20 ms)", "100% of the packets (median delay 5.0 s)"
    events = [rates(0, 120, ways=["up"]), rates(0, 120, delay_s=5.0, ways=["down"]), drops(0, 120)]
    assert dead(*events) == [("ready-but-dead", 30.0, f"the links carried {half} up and {late} down")]
    one_way = f"the links carried {WHOLE} up, and dropped nothing down"
    assert dead(rates(0, 120, ways=["up"])) == [("ready-but-dead", 30.0, one_way)]
    assert dead() == [("ready-but-dead", 30.0, "the links dropped nothing")]


@pytest.mark.parametrize(
    "events",
    [
        [rates(0, 120), drops(0, 120, 11)],
        [rates(0, 120), drops(0, 120, 11, "down", "queue")],
        [rates(0, 120, ways=["up"]), rates(0, 120, delay_s=5.1, ways=["down"])],
        [drops(0, 120, 1)],
    ],
)
def test_links_that_do_not_carry_excuse(events):
    assert dead(*events) == []


@pytest.mark.parametrize("cause", ["nat", "handover", "relay"])
def test_what_met_nobody_behind_a_link_was_carried(cause):
    assert dead(rates(0, 120), drops(0, 120, 100, cause=cause)) == [("ready-but-dead", 30.0, ALL)]
    (violation,) = dead(drops(0, 120, 9, cause=cause), drops(35, 36, 1))
    assert violation[2] == "the links carried 99.6% of the packets up, and dropped nothing down"


def test_windows_in_which_the_links_carry_are_judged():
    assert dead(rates(0, 120), drops(30, 40, 11)) == [("ready-but-dead", 40.0, ALL)]
    assert dead(rates(0, 120), drops(40, 50, 11)) == []  # 10 s are left on either side


def test_a_session_that_does_not_connect_over_links_that_do_not_carry():
    started = [event(0.0, "client transport_state", state="connecting")]
    assert [one.invariant for one in violations(timeline(started, rates(0, 120)))] == ["connect-undecided"]
    assert violations(timeline(started, rates(0, 120, delay_s=8.0))) == ()


def test_windows_of_10_s_of_which_the_last_one_takes_the_rest():
    links = Links(timeline(connected(), rates(0, 120), drops(25, 30, 100)))
    assert links.carrying([Span(0.0, 30.0)]) == (Span(0.0, 20.0),)
    assert links.carrying([Span(0.0, 29.9)]) == (Span(0.0, 10.0),)
    assert links.carrying([Span(2.0, 5.0), Span(40.5, 71.25)]) == (Span(2.0, 5.0), Span(40.5, 71.25))
