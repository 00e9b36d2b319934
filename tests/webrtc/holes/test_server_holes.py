"""Each known fault of the published server: the default preset shows it, and ``fixed`` does not."""

from pathlib import Path

import pytest

from simlab.study.invariants import violations
from simlab.study.metrics import metrics
from tests.virtual.sessions import run_text

HOLES = Path(__file__).parents[3] / "profiles" / "holes"


def both(name, **overrides):
    """Run a profile with the published server and with a mended one."""
    text = (HOLES / f"{name}.toml").read_text()
    return run_text(text, **overrides), run_text(text, server__preset="fixed", **overrides)


def times_s(timeline, source, kind, **fields):
    events = timeline.select(source, kind)
    return [e.t_s for e in events if all(e.data.get(name) == value for name, value in fields.items())]


def final_state(timeline):
    return metrics(timeline)["final_state"]


def last_heard_s(timeline, direction, what):
    tallies = [
        e.t_s
        for e in timeline.select("probe", "tally")
        if (e["direction"], e["what"]) == (direction, what) and "received" in e.data
    ]
    return max(tallies)


def test_s3_an_offer_with_the_name_before_the_lost_answer():
    published, fixed = both("s3")
    assert times_s(published, "policy", "give_up", status=400)
    assert final_state(published) == "error"
    assert not times_s(fixed, "policy", "give_up")
    assert [o["outcome"] for o in metrics(fixed)["outages"]] == ["reconnected"]


def test_s4_the_bot_is_mute_ten_seconds_after_a_restart_while_it_spoke():
    published, fixed = both("s4")
    [_, restarted_s] = times_s(published, "server", "connection_opened")
    assert times_s(published, "server", "bot_muted") == pytest.approx([restarted_s + 10.0])
    assert last_heard_s(published, "down", "media") < restarted_s + 1.0
    assert last_heard_s(published, "up", "media") > 39.0
    assert [v.invariant for v in violations(published)] == ["bot-voice-dead-after-recovery"]
    assert not times_s(fixed, "server", "bot_muted")
    assert last_heard_s(fixed, "down", "media") > 39.0
    assert violations(fixed) == ()


def test_s4_needs_a_restart_while_pings_are_fresh():
    # The published client waits for 5 s, and so longer than the 3 s in which a ping counts.
    timeline = both("s4", policy__grace="5s")[0]
    assert not times_s(timeline, "server", "bot_muted")
    assert last_heard_s(timeline, "down", "media") > 39.0


def test_s5_a_bot_that_ends_unheard_leaves_its_client_with_nobody():
    published, fixed = both("s5")
    [ended_s] = times_s(published, "server", "bot_ended")
    assert 4.0 + 3.0 < ended_s < 17.0
    assert final_state(published) == "ready"
    assert times_s(published, "client", "channel_open", connection=2)
    assert [v.invariant for v in violations(published)] == ["ready-but-dead"]
    assert times_s(fixed, "policy", "give_up", status=410)
    assert final_state(fixed) == "error"
    assert metrics(fixed)["server"]["bots_started"] == 1


def test_s5_a_bot_that_ends_heard_says_good_bye():
    published, fixed = both("s5", fault="[]")
    for timeline in (published, fixed):
        [ended_s] = times_s(timeline, "server", "bot_ended")
        [told_s] = times_s(timeline, "client", "callback", name="bot_disconnected")
        assert 0.02 <= told_s - ended_s < 0.1
        assert final_state(timeline) == "disconnected"


def test_s6_a_new_bot_after_the_servers_restart_says_nothing():
    published, fixed = both("s6")
    for timeline, heard in ((published, 1), (fixed, 2)):
        assert metrics(timeline)["server"]["bots_started"] == 2
        assert len(times_s(timeline, "client", "bot_ready")) == heard
    assert last_heard_s(published, "down", "message") < 6.0
    assert last_heard_s(fixed, "down", "message") > 39.0


def test_s7_a_restart_makes_the_bot_greet_again():
    published, fixed = both("s7")
    assert len(times_s(published, "server", "bot_greeted")) == 2
    assert len(times_s(fixed, "server", "bot_greeted")) == 1
    for timeline in (published, fixed):
        assert len(times_s(timeline, "server", "connection_opened")) == 2


def test_s8_a_client_that_is_gone_is_noticed_late():
    published, fixed = both("s8")
    [closed_s] = times_s(published, "server", "connection_closed", reason="closed")
    assert 23.0 <= closed_s - 5.0 <= 39.0
    [silent_s] = times_s(fixed, "server", "connection_closed", reason="silent")
    assert 19.0 <= silent_s - 5.0 <= 20.1  # 20 s after the last ping, which came up to 1 s before
    assert len(times_s(fixed, "server", "bot_ended")) == 1


def test_s9_a_restart_forgets_that_the_microphone_is_off():
    published, fixed = both("s9")
    [_, restarted_s] = times_s(published, "server", "connection_opened")
    prompted_s = times_s(published, "server", "bot_prompted")
    assert prompted_s
    assert prompted_s[0] > restarted_s
    assert times_s(fixed, "server", "bot_prompted") == []


def test_an_exhausted_server_is_asked_again():
    # Without a session of /start the status is 500 with any server; s10 is about the other case.
    exhausted = '[[fault]]\nkind = "server-exhausted"\nat = "0s"\nfor = "3s"\n'
    timeline = run_text('duration = "10s"\n[peers]\nmedia = []\n' + exhausted)
    assert [e["status"] for e in timeline.select("server", "http") if e["method"] == "POST"] == [
        500,
        500,
        200,
    ]
    assert len(times_s(timeline, "client", "bot_ready")) == 1


def test_s1_a_restart_leaves_a_name_that_keeps_out_who_comes_again():
    published, fixed = both("s1")
    assert times_s(published, "server", "http", status=400)
    assert final_state(published) in {"error", "disconnected"}
    assert not times_s(fixed, "server", "http", status=400)
    assert final_state(fixed) == "ready"
    assert last_heard_s(fixed, "down", "message") > 39.0


def test_s10_an_error_in_a_session_is_final_though_it_would_pass():
    published, fixed = both("s10")
    assert times_s(published, "server", "http", status=400)
    assert final_state(published) == "error"
    assert times_s(fixed, "server", "http", status=500)
    assert not times_s(fixed, "server", "http", status=400)
    assert final_state(fixed) == "ready"
    assert last_heard_s(fixed, "down", "message") > 39.0
