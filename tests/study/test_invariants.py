import pytest

from simlab.study.invariants import INVARIANTS, Violation, violations
from tests.study.timelines import BOTH, attempt, connected, event, fault, gap, silence, timeline


def _names(session):
    return [violation.invariant for violation in violations(session)]


def _messages(from_s, until_s):
    return [e for way in BOTH for e in gap("message", way, from_s, until_s)]


def test_the_list():
    assert set(INVARIANTS) == {
        "ready-but-dead",
        "microphone-dead-after-recovery",
        "bot-voice-dead-after-recovery",
        "camera-dead-after-recovery",
        "bot-video-dead-after-recovery",
        "connect-undecided",
        "virtual-clock",
    }


def test_a_good_recovery_violates_nothing():
    session = timeline(connected(), fault(0, 30.0, 46.0), silence(29.95, 47.2), attempt(40.2))
    assert violations(session) == ()


def test_ready_but_dead():
    session = timeline(connected(), fault(0, 30.0, 46.0), silence(29.9, 60.0))
    assert violations(session) == (
        Violation(
            "ready-but-dead",
            46.0,
            "the transport said ready from 46.0 s to 60.0 s (14.0 s), but nothing passed in either "
            "direction, although the links dropped nothing",
        ),
    )


@pytest.mark.parametrize(
    "events",
    [
        [*silence(29.9, 39.9)],  # no longer than 10 s
        [*fault(0, 30.0, 50.0), *silence(29.9, 59.0)],  # the network was bad for most of it
        [*_messages(30.0, 60.0), *gap("media", "down", 30.0, 60.0)],  # the microphone passes
        [event(35.0, "client transport_state", state="connecting"), *silence(30.0, 60.0)],  # it says so
    ],
)
def test_not_ready_or_not_dead_or_not_for_long(events):
    assert "ready-but-dead" not in _names(timeline(connected(), events))


def test_just_longer_than_10_s():
    assert _names(timeline(connected(), silence(30.0, 40.000001))) == ["ready-but-dead"]


def test_a_dead_microphone_after_a_recreation():
    session = timeline(
        connected(),
        fault(0, 30.0, 46.0),
        _messages(29.9, 47.2),
        gap("media", "down", 29.9, 47.2),
        gap("media", "up", 29.9),
        attempt(41.0),
    )
    assert violations(session) == (
        Violation(
            "microphone-dead-after-recovery",
            47.2,
            "nothing was heard from the microphone from 29.9 s to the end (90.1 s), although messages passed "
            "again at 47.2 s after the re-creation at 41.0 s",
        ),
    )


def _dead_bot(*, until_s=None, attempt_s=35.0, faults=()):
    return timeline(
        connected(),
        _messages(30.0, 40.0),
        gap("media", "down", 30.0, until_s),
        attempt(attempt_s),
        *faults,
    )


def test_the_bots_voice():
    assert _names(_dead_bot()) == ["bot-voice-dead-after-recovery"]
    assert _names(_dead_bot(until_s=50.0)) == ["bot-voice-dead-after-recovery"]
    assert _names(_dead_bot(until_s=49.999)) == []


def test_media_dead_without_an_attempt_is_the_networks_doing():
    assert _names(_dead_bot(attempt_s=20.0)) == []


def test_a_fault_after_the_recovery_starts_the_count_again():
    assert _names(_dead_bot(until_s=58.0, faults=[fault(0, 45.0, 49.0)])) == []
    assert _names(_dead_bot(until_s=59.0, faults=[fault(0, 45.0, 49.0)])) == ["bot-voice-dead-after-recovery"]


def test_each_stretch_of_dead_media_is_reported_once():
    session = timeline(
        connected(),
        gap("media", "up", 30.0),
        _messages(30.0, 40.0),
        attempt(35.0),
        _messages(60.0, 70.0),
        attempt(65.0, 2),
    )
    assert _names(session) == ["microphone-dead-after-recovery"]


def test_a_healthy_connection_replaced_too_fast_for_the_probes_to_miss():
    session = timeline(
        connected(),
        attempt(41.0),
        event(41.3, "client channel_open", connection=2),
        gap("media", "up", 41.08),
    )
    assert [(v.invariant, v.t_s) for v in violations(session)] == [("microphone-dead-after-recovery", 41.3)]


def test_an_attempt_whose_offer_is_under_way_longer_than_its_gap_recovers_the_next_one():
    # The messages passed once more over the old connection, until the new one took its place.
    session = timeline(
        connected(),
        _messages(30.0, 42.5),
        attempt(40.0),
        _messages(42.7, 43.8),
        event(43.7, "client channel_open", connection=2),
        gap("media", "up", 43.5),
    )
    assert [(v.invariant, v.t_s) for v in violations(session)] == [("microphone-dead-after-recovery", 43.8)]


def test_without_media_nobody_misses_them():
    session = timeline(connected(), _messages(30.0, 40.0), gap("media", "up", 30.0), attempt(35.0), media=[])
    assert violations(session) == ()


def _connecting(*events, duration_s=120.0):
    return timeline(event(0.0, "client transport_state", state="connecting"), *events, duration_s=duration_s)


def test_connect_undecided():
    assert violations(_connecting(fault(0, 0.0, 5.0))) == (
        Violation(
            "connect-undecided",
            5.0,
            "connect() was neither resolved nor rejected from 5.0 s to the end (115.0 s), although the "
            "links dropped nothing",
        ),
    )


@pytest.mark.parametrize(
    ("session", "undecided"),
    [
        (_connecting(), True),
        (_connecting(event(60.0, "client connect", outcome="rejected")), True),
        (_connecting(event(59.9, "client connect", outcome="rejected")), False),
        (_connecting(fault(0, 50.0, 61.0)), False),  # neither stretch is 60 s long
        (_connecting(fault(0, 50.0, 60.0)), True),
        (_connecting(fault(0, 50.0)), False),
        (_connecting(duration_s=59.0), False),
        (timeline(), False),  # nobody called connect()
    ],
)
def test_60_s_of_good_network(session, undecided):
    assert _names(session) == (["connect-undecided"] if undecided else [])
