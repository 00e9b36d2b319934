import math
from dataclasses import astuple

import pytest

from simlab.study.metrics import metrics
from simlab.study.outages import Outage, known_waits_s, outages
from simlab.study.rows import outage_rows
from tests.study.timelines import attempt, connected, event, fault, gap, liveness, silence, timeline


def test_a_clean_session_has_none():
    assert outages(timeline(connected())) == ()


def test_a_session_never_connected_has_none():
    assert outages(timeline(fault(0, 0.0), event(0.0, "client transport_state", state="connecting"))) == ()


def test_a_blackout_with_a_recreation():
    session = timeline(
        connected(),
        fault(0, 30.0, 46.0),
        silence(29.95, 47.2),
        liveness(35.2, "disconnected"),
        attempt(40.2, 1),
        attempt(42.2, 2),
        liveness(47.0, "connected", 3),
    )
    assert outages(session) == (
        Outage(
            began_s=29.95,
            ended_s=47.2,
            cause=0,
            detected_s=5.25,
            first_attempt_s=10.25,
            attempts=2,
            recovered_s=17.25,
            after_heal_s=1.2,
            outcome="reconnected",
            gave_up_s=None,
        ),
    )


def test_it_heals_by_itself_when_no_attempt_lies_in_it():
    session = timeline(connected(), fault(0, 30.0, 33.0), silence(30.0, 33.1), attempt(33.2))
    assert astuple(outages(session)[0]) == (30.0, 33.1, 0, None, None, 0, 3.1, 0.1, "self_healed", None)


def action(t_s, do):
    return event(t_s, "client action", do=do)


@pytest.mark.parametrize("attempts", [[], [attempt(31.0)]])
def test_one_that_the_user_did_not_want_to_the_end(attempts):
    session = timeline(
        connected(), fault(0, 30.0, 46.0), silence(30.0, 51.0), attempts, action(35.0, "disconnect")
    )
    (outage,) = outages(session)
    assert (outage.ended_s, outage.outcome) == (35.0, "unwanted")
    assert (outage.recovered_s, outage.after_heal_s) == (None, None)
    (row,) = outage_rows({}, metrics(session))
    assert (row["recovered"], row["waited_s"]) == (False, 5.0)


def test_what_is_muted_ends_an_outage_only_where_nothing_else_is_missing():
    silent_microphone = gap("media", "up", 30.0, 60.0)
    muted = action(40.0, "mute")
    (alone,) = outages(timeline(connected(), silent_microphone, muted))
    assert (alone.ended_s, alone.outcome) == (40.0, "unwanted")
    (longer,) = outages(timeline(connected(), silent_microphone, gap("media", "down", 31.0, 45.0), muted))
    assert (longer.ended_s, longer.outcome, longer.recovered_s) == (45.0, "self_healed", 15.0)


def test_a_user_who_leaves_when_all_is_well_again_ends_no_outage():
    (outage,) = outages(timeline(connected(), silence(30.0, 34.9), action(35.0, "disconnect")))
    assert (outage.ended_s, outage.outcome) == (34.9, "self_healed")


def test_quantiles_of_one_session_leave_out_what_was_not_wanted_to_the_end():
    found = [
        {"recovered_s": None, "outcome": "unwanted"},
        {"recovered_s": None, "outcome": "open"},
        {"recovered_s": 3.0, "outcome": "self_healed"},
    ]
    assert known_waits_s(found) == [3.0, math.inf]


def test_overlapping_silences_are_one_outage_from_the_first_to_the_last():
    session = timeline(
        connected(),
        gap("message", "up", 30.0, 35.0),
        gap("media", "down", 34.0, 38.0),
        gap("media", "up", 38.0, 40.0),  # touches the one before
        gap("message", "down", 41.0, 43.0),
    )
    assert [(o.began_s, o.ended_s) for o in outages(session)] == [(30.0, 40.0), (41.0, 43.0)]


@pytest.mark.parametrize(("gave_up", "outcome"), [(False, "open"), (True, "gave_up")])
def test_one_that_never_ends(gave_up, outcome):
    last = [event(50.0, "policy give_up", cause="3 attempts failed")] if gave_up else []
    session = timeline(connected(), fault(0, 30.0, 46.0), silence(29.9), attempt(40.0), last)
    assert astuple(outages(session)[0]) == (
        29.9,
        None,
        0,
        None,
        10.1,
        1,
        None,
        None,
        outcome,
        20.1 if gave_up else None,
    )


def test_a_session_that_recovers_after_giving_up_is_not_counted_as_given_up():
    session = timeline(
        connected(), silence(29.9, 60.0), attempt(40.0), event(50.0, "policy give_up", cause="")
    )
    assert outages(session)[0].outcome == "reconnected"


def test_a_dead_microphone_keeps_the_outage_open():
    session = timeline(
        connected(),
        [e for way in ("up", "down") for e in gap("message", way, 30.0, 40.0)],
        gap("media", "up", 30.0),
        attempt(35.0),
    )
    assert [(o.ended_s, o.outcome) for o in outages(session)] == [(None, "open")]


def test_media_are_not_watched_in_a_session_without():
    assert outages(timeline(connected(), gap("media", "up", 30.0, 40.0), media=[])) == ()


@pytest.mark.parametrize(
    ("faults", "cause", "after_heal_s"),
    [
        ([], None, None),
        ([fault(0, 10.0, 20.0)], None, None),  # over before
        ([fault(0, 30.0, 38.0)], 0, 2.0),
        ([fault(0, 30.9, 38.0)], 0, 2.0),  # the last arrival comes before it
        ([fault(0, 33.0, 38.0)], None, 2.0),  # began too late to have caused it
        ([fault(0, 10.0, 35.0), fault(1, 29.0, 38.0)], 1, 2.0),  # the later of two
        ([fault(0, 30.0, 36.0), fault(1, 37.0, 39.0)], 0, 1.0),  # healed when the last one ended
        ([fault(0, 30.0, 50.0)], 0, 0.0),  # outlasted by its fault
        ([fault(0, 30.0)], 0, 0.0),
        ([fault(0, 30.0, 38.0), fault(1, 30.0, 38.0)], 0, 2.0),  # together: the first listed
        ([fault(0, 30.0, 38.0, "signalling"), fault(1, 30.0, 38.0)], 1, 2.0),
        ([fault(0, 29.0, 38.0), fault(1, 30.0, 38.0, "signalling")], 0, 2.0),
        ([fault(0, 30.0, 38.0, "signalling")], 0, 2.0),
        ([fault(0, 30.0, 38.0, "ufrag-stale"), fault(1, 29.0, 38.0, "consent-blocked")], 1, 2.0),
        ([fault(0, 30.0, 38.0, "server-exhausted"), fault(1, 29.0, 38.0)], 1, 2.0),
        ([fault(0, 30.2, 30.2, "rebind")], 0, 9.8),  # an instant
        ([fault(0, 29.9, 29.9, "rebind")], 0, 10.1),  # what had passed before still arrived
        ([fault(0, 28.9, 28.9, "rebind")], None, None),
    ],
)
def test_cause_and_time_after_healing(faults, cause, after_heal_s):
    outage = outages(timeline(connected(), *faults, silence(30.0, 40.0)))[0]
    assert (outage.cause, outage.after_heal_s) == (cause, after_heal_s)


def test_a_fault_without_an_outage_changes_nothing():
    assert outages(timeline(connected(), fault(0, 30.0, 30.5), liveness(31.0, "disconnected"))) == ()


def test_a_return_whose_loss_was_not_recorded_counts_from_its_gap():
    session = timeline(connected(), event(40.0, "probe back", direction="up", what="message", gap_s=2.5))
    assert [(o.began_s, o.ended_s) for o in outages(session)] == [(37.5, 40.0)]
