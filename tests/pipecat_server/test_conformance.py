"""simlab's server against Pipecat's own, with the same client, network and seed: what differs is a fault."""

from functools import cache

import pytest

from simlab.study.invariants import violations
from simlab.study.metrics import metrics
from tests.needs import needs_pipecat
from tests.virtual.sessions import run_text

needs_pipecat()

CLEAN = 'duration = "10s"\n[link]\ndelay = "20ms"\n'
BLACKOUT = CLEAN + '[[fault]]\nkind = "blackout"\nat = "4s"\nfor = "{}"\n'
DIES = BLACKOUT.format("40s") + '[[fault]]\nkind = "signalling"\nat = "4s"\nfor = "40s"\nhow = "refused"\n'
RESTART = CLEAN + '[[fault]]\nkind = "server-restart"\nat = "4s"\nfor = "300ms"\n'
PROFILES = {
    "clean": (CLEAN, "10s"),
    "blackout 4 s": (BLACKOUT.format("4s"), "14s"),
    "blackout 16 s": (BLACKOUT.format("16s"), "38s"),
    "messages only": (BLACKOUT.format("16s") + "[peers]\nmedia = []\n", "38s"),
    "new server": (RESTART, "20s"),
}


@cache
def session(name, server):
    text, duration = PROFILES[name]
    return run_text(text, duration=duration, peers__server=server)


def server_events(timeline):
    """Everything but the numbers of connections, which each implementation makes up by itself."""
    return [
        (round(event.t_s, 2), event.kind, {k: v for k, v in event.data.items() if k != "pc_id"})
        for event in timeline.select("server")
    ]


@pytest.mark.parametrize("name", PROFILES)
def test_both_servers_do_the_same_at_the_same_time(name):
    assert server_events(session(name, "pipecat")) == server_events(session(name, "builtin"))


def test_both_find_a_dead_path_within_the_same_bounds():
    # aioice draws its consent checks, and the two servers draw different numbers before: six checks in a row
    # must fail, each 4 to 6 s after the one before, the last after half a second.
    for server in ("pipecat", "builtin"):
        timeline = run_text(DIES, duration="50s", peers__server=server)
        ended_s = next(e.t_s for e in timeline.select("server", "ice_state") if e["state"] == "closed")
        assert 4 + 23 <= ended_s <= 4 + 39
        (closed,) = timeline.select("server", "connection_closed")
        assert (closed["reason"], round(closed.t_s, 2)) == ("closed", round(ended_s, 2))
        assert [e["name"] for e in timeline.select("server", "event")][-1] == "closed"


@pytest.mark.parametrize("name", PROFILES)
def test_the_client_sees_no_difference(name):
    def client_events(timeline):
        return [(round(e.t_s, 2), e.kind, e.data.get("state")) for e in timeline.select("client", "policy")]

    assert client_events(session(name, "pipecat")) == client_events(session(name, "builtin"))


@pytest.mark.parametrize("name", PROFILES)
def test_as_many_messages_get_through(name):
    pipecat, builtin = (metrics(session(name, server))["messages"] for server in ("pipecat", "builtin"))
    for way in ("up", "down"):
        assert pipecat[way]["sent"] == builtin[way]["sent"]
        # Pipecat hands a message on through several tasks; one is then on the other side of a moment.
        assert abs(pipecat[way]["delivered"] - builtin[way]["delivered"]) <= 1


def test_a_short_blackout_heals_and_no_message_of_the_bot_is_lost():
    short = metrics(session("blackout 4 s", "pipecat"))
    assert [outage["outcome"] for outage in short["outages"]] == ["self_healed"]
    assert short["messages"]["down"]["lost"] == 0
    assert all(way["alive_at_end"] for way in short["media"].values())


def test_a_long_one_leaves_both_voices_dead():
    timeline = session("blackout 16 s", "pipecat")
    assert metrics(timeline)["server"] == {
        "connections_opened": 2,
        "connections_open_at_end": 1,
        "bots_started": 1,
    }
    assert {violation.invariant for violation in violations(timeline)} == {
        "microphone-dead-after-recovery",
        "bot-voice-dead-after-recovery",
    }


def test_the_header_names_its_version():
    assert session("clean", "pipecat").header["versions"]["pipecat-ai"].split(".")[0] == "1"
    assert "pipecat-ai" not in session("clean", "builtin").header["versions"]
