from simlab.study.account import account
from simlab.study.headline import headline
from simlab.study.link_changes import LinkChange
from simlab.study.metrics import metrics
from tests.study.timelines import (
    BOTH,
    attempt,
    connected,
    event,
    fault,
    gap,
    liveness,
    silence,
    timeline,
)

READY = "The client was ready after 0.30 s (answer 0.06 s, ICE 0.10 s, DTLS 0.20 s, data channel 0.25 s)."


def _told(session):
    return account(session, metrics(session))


def _headline(session):
    return headline(session, metrics(session))


def _messages(from_s, until_s):
    return [e for way in BOTH for e in gap("message", way, from_s, until_s)]


CLEAN = timeline(connected())
MUTE = timeline(
    connected(),
    fault(0, 12.0, 13.0),
    fault(1, 30.0, 46.0),
    _messages(29.96, 47.2),
    gap("media", "down", 29.98, 47.3),
    gap("media", "up", 29.98),
    liveness(35.3, "disconnected"),
    attempt(40.3),
    event(40.4, "client offer_failed", connection=2, status=503),
    attempt(42.4, 2),
    fault(2, 80.0, 84.0),
    _messages(79.96, 84.1),
    gap("media", "down", 79.98, 84.1),
)
HEALED = timeline(connected(), fault(0, 30.0, 33.0), silence(29.98, 33.1), attempt(60.0))
GAVE_UP = timeline(
    connected(),
    fault(0, 30.0),
    silence(29.98),
    [attempt(40.0 + i, i + 1) for i in range(5)],
    event(48.6, "policy give_up", cause="5 attempts failed"),
    event(48.6, "client transport_state", state="error"),
)
NEVER = timeline(event(0.0, "client transport_state", state="connecting"), attempt(20.0, 1, "restart_ice"))
REJECTED = timeline(event(8.05, "client connect", outcome="rejected"))


def test_a_clean_session():
    assert _told(CLEAN) == [
        READY,
        "In all, 99.8% of 120 s was usable; the transport's last word was ready.",
    ]


def test_a_network_unlike_what_was_asked_for():
    row = {"setting": "loss", "requested": "5%", "realised": "9.00% of 100", "allowed": "0% - 8%"}
    session = timeline(
        connected(),
        event(120.0, "link.up realised", **row, held=False),
        event(120.0, "link.down realised", **row, held=True),
    )
    assert _told(session)[1] == (
        "The network was not as asked for, from client to server: loss was 9.00% of 100, requested 5%."
    )


def test_a_session_with_all_that_can_happen():
    assert _told(MUTE) == [
        READY,
        "From 12.0 s until 13.0 s: blackout both ways [fault 0]. No probe was missed.",
        "From 30.0 s until 46.0 s: blackout both ways [fault 1].",
        "At 30.0 s everything stopped: an outage began.",
        "At 35.3 s the client noticed (disconnected), 5.3 s into the outage.",
        "The policy re-created the connection at 40.3 and 42.4 s. 1 offer failed: status 503.",
        "At 47.2 s messages passed again both ways, but not the microphone.",
        "Violated (microphone-dead-after-recovery): nothing was heard from the microphone from 30.0 s to the "
        "end (90.0 s), although messages passed again at 47.2 s after the re-creation at 42.4 s.",
        "From 80.0 s until 84.0 s: blackout both ways [fault 2].",
        "At 80.0 s messages stopped too.",
        "At 84.1 s messages passed again both ways, but not the microphone.",
        "The microphone never came back: the outage lasted to the end (90.0 s).",
        "In all, 81.9% of 120 s was usable; the transport's last word was ready.",
    ]


def test_an_outage_that_healed_and_an_attempt_without_one():
    assert _told(HEALED)[1:-1] == [
        "From 30.0 s until 33.0 s: blackout both ways [fault 0].",
        "At 30.0 s everything stopped: an outage began.",
        "At 33.1 s all passed again, by itself: 3.1 s of outage, 0.1 s after the network was good again.",
        "The policy re-created the connection at 60.0 s. There was no outage then.",
    ]


def _stopping(session):
    return [line for line in _told(session) if "stopped" in line or "blackout" in line]


def test_what_stopped_before_a_fault_is_told_before_it():
    # A message that was lost holds up those behind it; the voice goes on until the blackout.
    session = timeline(
        connected(),
        fault(0, 35.0, 51.0),
        gap("message", "down", 34.32, 52.0),
        [e for way in BOTH for e in gap("media", way, 35.02, 52.0)],
        gap("message", "up", 35.01, 52.0),
    )
    assert _stopping(session) == [
        "At 34.3 s messages to the client stopped: an outage began.",
        "From 35.0 s until 51.0 s: blackout both ways [fault 0].",
        "At 35.0 s messages to the server, the microphone and the bot's voice stopped too.",
    ]


def test_a_fault_is_told_before_what_it_stopped_though_the_last_arrival_came_before_it():
    assert _stopping(timeline(connected(), fault(0, 35.0, 38.0), silence(34.86, 39.0))) == [
        "From 35.0 s until 38.0 s: blackout both ways [fault 0].",
        "At 34.9 s everything stopped: an outage began.",
    ]


def test_what_stops_late_in_an_outage_did_not_stop_at_its_beginning():
    session = timeline(connected(), gap("media", "down", 30.0), gap("media", "up", 60.0))
    assert _stopping(session) == [
        "At 30.0 s the bot's voice stopped: an outage began.",
        "At 60.0 s the microphone stopped too.",
    ]


def test_giving_up():
    assert _told(GAVE_UP)[3:] == [
        "The policy re-created the connection from 40.0 s to 44.0 s, 5 times.",
        "At 48.6 s the policy gave up: 5 attempts failed.",
        "Nothing ever came back: the outage lasted to the end (90.0 s).",
        "In all, 24.7% of 120 s was usable; the transport's last word was error.",
    ]


def test_never_connected():
    assert _told(NEVER) == [
        "Violated (connect-undecided): connect() was neither resolved nor rejected from 0.0 s to the end "
        "(120.0 s), although the links dropped nothing.",
        "Never connected. The policy restarted ICE at 20.0 s.",
        "In all, 0% of 120 s was usable; the transport's last word was connecting.",
    ]
    assert _told(REJECTED)[0] == "Never ready: connect() was rejected at 8.1 s."


def test_why_it_was_never_ready():
    failed = [
        event(0.1, "client offer_failed", connection=1, status=500),
        event(2.1, "client offer_failed", connection=2, status=500),
        event(8.0, "client offer_failed", connection=3, error="timeout"),
    ]
    session = timeline(*failed, event(8.05, "client connect", outcome="rejected"))
    assert _told(session)[0] == (
        "Never ready: connect() was rejected at 8.1 s. 3 offers failed: status 500 2 times, timeout."
    )


def test_faults_of_each_kind():
    session = timeline(
        event(1.0, "fault begin", index=0, fault="block", direction="up", match=["stun", "rtp"]),
        event(2.0, "fault begin", index=1, fault="signalling", direction="both", how="status 503"),
        event(3.0, "fault begin", index=2, fault="server-restart"),
    )
    assert _told(session)[:3] == [
        "From 1.0 s to the end: block of stun, rtp from client to server [fault 0].",
        "From 2.0 s to the end: signalling (status 503) [fault 1].",
        "From 3.0 s to the end: server-restart [fault 2].",
    ]


def test_a_fault_without_a_length_is_told_at_its_moment():
    rebind = [
        event(20.0, "fault begin", index=0, fault="rebind"),
        event(20.0, "fault end", index=0, fault="rebind"),
    ]
    assert "At 20.0 s: rebind [fault 0]. No probe was missed." in _told(timeline(connected(), *rebind))
    late = silence(20.03, 22.0)
    assert "At 20.0 s: rebind [fault 0]." in _told(timeline(connected(), *rebind, late))


def test_a_failed_session_says_why():
    session = timeline(connected(), event(30.0, "session failed", stage="server", reason="it did not answer"))
    assert "The session failed at 30.0 s (server): it did not answer." in _told(session)


def test_lost_messages_are_told():
    tallies = [
        event(9.0, "probe tally", what="message", direction="up", sent=90),
        event(9.0, "probe tally", what="message", direction="up", received=87, late=0, duplicated=0),
    ]
    assert "messages lost: 3 of 90 up;" in _told(timeline(connected(), tallies))[-1]


def test_headlines():
    assert _headline(CLEAN) == "No outage in 120 s"
    assert _headline(MUTE) == "0 of 1 outage recovered; microphone silent from 30 s on"
    mute = timeline(connected(), _messages(30.0, 47.2), attempt(40.3), gap("media", "down", 29.6, 61.0))
    assert _headline(mute) == "1 of 1 outage recovered, after 31.4 s; bot's voice silent from 30 s to 61 s"
    assert _headline(HEALED) == "1 of 1 outage recovered, after 3.1 s"
    assert _headline(GAVE_UP) == "0 of 1 outage recovered; gave up at 48.6 s"
    assert _headline(NEVER) == "Never connected; connect() undecided"
    assert _headline(REJECTED) == "Never ready: connect() was rejected at 8.1 s"
    twice = timeline(connected(), silence(20.0, 22.0), silence(30.0, 35.0))
    assert _headline(twice) == "2 of 2 outages recovered, the longest after 5.0 s"


def test_a_path_taken_for_dead_while_everything_passes_is_told():
    session = timeline(connected(), fault(0, 15.0, 40.0), liveness(20.7, "disconnected"))
    told = "At 20.7 s the client took the path for dead (disconnected), though everything passed."
    assert told in _told(session)


def test_noticing_again_and_attempts_far_apart_are_told_each_in_its_place():
    session = timeline(
        connected(),
        silence(29.98),
        liveness(35.3, "disconnected"),
        attempt(40.3),
        liveness(60.0, "disconnected"),
        attempt(65.0),
    )
    noticed = [line for line in _told(session) if "disconnected" in line or "re-created" in line]
    assert noticed == [
        "At 35.3 s the client noticed (disconnected), 5.3 s into the outage.",
        "The policy re-created the connection at 40.3 s.",
        "At 60.0 s the client took the path for dead again (disconnected).",
        "The policy re-created the connection at 65.0 s.",
    ]


def test_a_client_that_never_stops_noticing_is_told_in_short():
    times_s = [40.0 + 20.0 * n for n in range(4)] + [119.0, 119.5]
    session = timeline(connected(), silence(29.98), [liveness(t_s, "disconnected") for t_s in times_s])
    noticed = [line for line in _told(session) if "disconnected" in line or "time." in line]
    assert len(noticed) == 5
    assert noticed[-1] == "At 119.5 s the client took the path for dead the 6th time."


def test_what_the_user_did():
    def action(t_s, do, kind="action", **more):
        return event(t_s, f"client {kind}", do=do, **more)

    session = timeline(
        connected(),
        silence(30.0, 52.0),
        action(35.0, "disconnect"),
        action(50.0, "connect"),
        action(55.0, "connect"),
        action(55.0, "connect", "action_refused", error="the client is ready"),
        [action(60.0 + n, "send") for n in range(5)],
    )
    assert _told(session)[1:-1] == [
        "At 30.0 s everything stopped: an outage began.",
        "At 35.0 s the user disconnected.",
        "At 35.0 s that ended the outage, 5.0 s after it began: what was missing had not come back.",
        "At 50.0 s the user connected.",
        "At 50.0 s everything stopped: an outage began.",
        "At 52.0 s all passed again, by itself: 2.0 s of outage.",
        "At 55.0 s the user connected.",
        "At 55.0 s the client refused that (the client is ready).",
        "From 60.0 s to 64.0 s, 5 times, the user sent a message.",
    ]


def test_what_the_links_do_over_time():
    changes = [
        LinkChange(27.0, 3.0, "loss 60%, delay 40ms"),
        LinkChange(50.0, 0.0, "rate 1Mbit/s", "up", every_s=30.0),
        LinkChange(130.0, 0.0, "loss 0%"),  # after the end
    ]
    session = timeline(connected())
    assert account(session, metrics(session), changes)[1:-1] == [
        "At 27.0 s the links changed over 3 s: loss 60%, delay 40ms.",
        "At 50.0 s, and every 30 s from then on, the link up changed: rate 1Mbit/s.",
    ]
    many = [LinkChange(10.0 * n, 0.0, f"loss {n}%") for n in range(1, 10)]
    assert account(session, metrics(session), many)[4:-1] == [
        "At 40.0 s the links changed: loss 4%.",
        "From 50.0 s to 90.0 s the links changed 5 times more.",
    ]
