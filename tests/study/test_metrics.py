import json

import pytest

from simlab.study.metrics import metrics, usable_fraction
from tests.study.timelines import BOTH, attempt, connected, event, fault, gap, silence, timeline


def _tally(t_s, what, direction, **counts):
    return event(t_s, "probe tally", what=what, direction=direction, **counts)


def test_a_clean_session_in_full():
    session = timeline(
        connected(),
        _tally(1.0, "message", "up", sent=10),
        _tally(1.0, "message", "up", received=9, late=2, duplicated=1),
        _tally(2.0, "message", "up", sent=10),
        _tally(2.0, "message", "up", received=8, late=0, duplicated=0),
        _tally(2.0, "message", "down", sent=7),
        _tally(2.0, "message", "down", received=7, late=0, duplicated=0),
        _tally(2.0, "media", "up", sent=50),
        _tally(2.0, "media", "up", received=48),
        event(120.0, "link.up total", offered=100, delivered=90, dropped={"loss": 7, "queue": 3}),
        event(
            120.0,
            "link.down total",
            offered=80,
            delivered=86,
            dropped={},
            added={"duplicate": 6},
            corrupted=2,
        ),
    )
    assert metrics(session) == {
        "profile": "flaky",
        "policy": "pipecat",
        "seed": 7,
        "clock": "virtual",
        "duration_s": 120.0,
        "wall_s": None,
        "connect": {"offer_s": 0.06, "ice_s": 0.1, "dtls_s": 0.2, "channel_s": 0.25, "bot_ready_s": 0.3},
        "final_state": "ready",
        "usable_fraction": 0.9975,
        "outages": [],
        "media": {
            "up": {"sent": 50, "received": 48, "longest_gap_s": 0.0, "alive_at_end": True},
            "down": {"sent": 0, "received": 0, "longest_gap_s": 0.0, "alive_at_end": True},
        },
        "video": {
            way: {"sent": 0, "received": 0, "longest_gap_s": 0.0, "alive_at_end": False}
            for way in ("up", "down")
        },
        "messages": {
            "up": {"sent": 20, "delivered": 17, "lost": 3, "duplicated": 1, "late": 2},
            "down": {"sent": 7, "delivered": 7, "lost": 0, "duplicated": 0, "late": 0},
        },
        "attempts": {"ice_restarts": 0, "recreations": 0, "offers": 1, "offers_failed": 0, "unneeded": 0},
        "server": {"connections_opened": 1, "connections_open_at_end": 1, "bots_started": 1},
        "links": {
            "up": {
                "offered": 100,
                "delivered": 90,
                "dropped": {"loss": 7, "queue": 3},
                "added": {},
                "corrupted": 0,
            },
            "down": {
                "offered": 80,
                "delivered": 86,
                "dropped": {},
                "added": {"duplicate": 6},
                "corrupted": 2,
            },
        },
        "beyond_links": {"dropped": {}},
        "violations": [],
        "expectations": [],
    }


def test_a_session_that_never_connected():
    session = timeline(
        event(0.0, "client transport_state", state="connecting"),
        event(0.01, "client offer", connection=1, restart=False, pc_id=None),
        event(0.02, "client offer_failed", connection=1, status=503),
        event(2.02, "client connect", outcome="rejected"),
        event(2.03, "client transport_state", state="error"),
    )
    found = metrics(session)
    assert set(found["connect"].values()) == {None}
    assert (found["final_state"], found["usable_fraction"], found["outages"]) == ("error", 0.0, [])
    assert found["attempts"]["offers_failed"] == 1
    assert found["media"]["up"]["alive_at_end"] is False


def test_an_empty_timeline():
    found = metrics(timeline())
    assert found["final_state"] is None
    assert found["links"]["up"] == {
        "offered": 0,
        "delivered": 0,
        "dropped": {},
        "added": {},
        "corrupted": 0,
    }
    assert found["server"] == {"connections_opened": 0, "connections_open_at_end": 0, "bots_started": 0}


def test_connect_phases_are_those_of_the_first_connection():
    session = timeline(
        event(0.0, "client offer", connection=1, restart=False, pc_id=None),
        event(0.1, "client answer", connection=1, status=503, pc_id=None),
        event(20.0, "client answer", connection=2, status=200, pc_id="pc2"),
        event(20.1, "client channel_open", connection=2),
        event(20.2, "client bot_ready"),
    )
    assert metrics(session)["connect"] == {
        "offer_s": None,
        "ice_s": None,
        "dtls_s": None,
        "channel_s": None,
        "bot_ready_s": 20.2,
    }


def test_usable_time_is_where_messages_pass_both_ways():
    session = timeline(
        connected(20.0),
        gap("message", "up", 30.0, 40.0),
        gap("message", "down", 35.0, 45.0),
        gap("media", "up", 50.0, 60.0),  # messages pass: usable
        gap("message", "down", 110.0),
    )
    assert usable_fraction(session) == 0.625  # (120 - 20 - 15 - 10) / 120


def test_a_session_that_failed_early_is_not_usable_after_that():
    session = timeline(connected(0.0), event(30.0, "session failed", stage="server", reason="it crashed"))
    assert usable_fraction(session) == 0.25


def test_what_the_clearing_up_does_is_no_part_of_the_session():
    session = timeline(
        connected(),
        event(120.0, "client transport_state", state="disconnected"),
        event(120.0, "server connection_closed", pc_id="pc1", reason="closed"),
        event(120.2, "session end", reason="late"),
    )
    found = metrics(session)
    assert found["final_state"] == "ready"
    assert found["server"]["connections_open_at_end"] == 1


def test_media_gaps():
    session = timeline(connected(), gap("media", "up", 10.0, 13.5), gap("media", "up", 100.0))
    assert metrics(session)["media"]["up"] == {
        "sent": 0,
        "received": 0,
        "longest_gap_s": 20.0,
        "alive_at_end": False,
    }
    assert metrics(session)["media"]["down"]["alive_at_end"] is True


def test_without_media_the_sides_are_zero():
    session = timeline(connected(), gap("media", "up", 10.0, 13.5), media=[])
    nothing = {"sent": 0, "received": 0, "longest_gap_s": 0.0, "alive_at_end": False}
    assert metrics(session)["media"] == {"up": nothing, "down": nothing}


def test_nothing_is_usable_while_the_user_has_disconnected():
    gone = [event(30.0, "client action", do="disconnect"), event(60.0, "client action", do="connect")]
    muted = [event(70.0, "client action", do="mute"), event(90.0, "client action", do="unmute")]
    assert usable_fraction(timeline(connected(), gone, muted)) == 0.7475  # (120 - 0.3 - 30) / 120


def test_attempts_by_action_and_those_not_needed():
    session = timeline(
        event(0.1, "policy attempt", number=1, action="recreate"),  # before the client was ready
        connected(),
        fault(0, 30.0, 40.0),
        gap("message", "up", 29.9, 42.0),
        attempt(35.0, 2, "restart_ice"),
        attempt(41.0, 3, "recreate"),  # the network is good, but messages do not pass yet
        attempt(42.5, 4, "recreate"),  # all is well
        attempt(43.0, 5, "reoffer"),  # all is well
        fault(1, 60.0, 61.0),
        attempt(60.5, 6, "restart_ice"),  # a fault is active, though no probe was missed
    )
    found = metrics(session)["attempts"]
    assert (found["recreations"], found["ice_restarts"], found["unneeded"]) == (3, 2, 2)


def test_server_connections():
    session = timeline(
        connected(),
        event(40.0, "server connection_opened", pc_id="pc2"),
        event(40.1, "server connection_closed", pc_id="pc1", reason="replaced"),
        event(50.0, "server connection_opened", pc_id="pc3"),
        event(50.0, "server bot_started", pc_id="pc3"),
    )
    found = metrics(session)["server"]
    assert found == {"connections_opened": 3, "connections_open_at_end": 2, "bots_started": 2}


def test_a_server_that_was_killed_holds_no_connections():
    session = timeline(
        connected(),
        event(39.9, "server connection_opened", pc_id="pc2"),
        fault(0, 40.0, 40.3, "server-restart"),
        event(41.0, "server connection_opened", pc_id="pc3"),
        event(50.0, "server connection_opened", pc_id="pc4"),
        fault(1, 60.0, 60.3, "server-freeze"),
    )
    found = metrics(session)["server"]
    assert found == {"connections_opened": 4, "connections_open_at_end": 2, "bots_started": 1}


@pytest.mark.parametrize("with_errors", [True, False])
def test_the_relay_is_judged_by_its_worse_direction(with_errors):
    errors = {
        "up": {"error_p50_s": 0.0002, "error_p99_s": 0.003, "kernel_dropped": 2},
        "down": {"error_p50_s": 0.0004, "error_p99_s": 0.002, "kernel_dropped": 1},
    }
    totals = [
        event(120.0, f"link.{way} total", offered=1, delivered=1, **(errors[way] if with_errors else {}))
        for way in BOTH
    ]
    found = metrics(timeline(connected(), totals, clock="real", wall_s=121.5))
    worst = {"error_p50_s": 0.0004, "error_p99_s": 0.003, "kernel_dropped": 3}
    assert found.get("relay") == (worst if with_errors else None)
    assert found["wall_s"] == 121.5


def test_what_settings_really_did_stands_with_their_link():
    row = {"setting": "loss", "requested": "5%", "realised": "9% of 100", "allowed": "0% - 8%", "held": False}
    session = timeline(connected(), event(120.0, "link.up realised", **row))
    links = metrics(session)["links"]
    assert links["up"]["realised"] == [row]
    assert "realised" not in links["down"]


def test_they_are_json():
    session = timeline(connected(), fault(0, 30.0), silence(29.9), attempt(40.0))
    text = json.dumps(metrics(session), allow_nan=False)
    assert json.loads(text) == metrics(session)
