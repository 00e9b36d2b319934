"""The keys that stand for what Pipecat has built in, each by what it changes in a session."""

import json
from itertools import pairwise
from pathlib import Path

import pytest

from simlab.core.errors import InvalidInputError
from simlab.profile.load import load
from simlab.profile.scenario import Scenario
from simlab.study.metrics import metrics
from simlab.webrtc.bot import Bot
from simlab.webrtc.limits import PIPECAT_CLIENT, PIPECAT_SERVER, ClientLimits, ServerLimits
from simlab.webrtc.outbox import Outbox
from tests.virtual.sessions import run_text

HOLES = Path(__file__).parents[2] / "profiles" / "holes"
KEYS = {
    "server.ping_window": "3s",
    "server.channel_timeout": "10s",
    "server.queued_messages": "50",
    "server.renegotiation_latch": "2s",
    "server.write_timeout": "10s",
    "client.ping_interval": "1s",
    "client.trickle_window": "200ms",
}
WITHOUT_PINGS = """
duration = "20s"
[link]
delay = "20ms"
[[fault]]
kind = "block"
match = ["dtls.data"]
direction = "up"
at = "8s"
for = "7s"
"""
LATE_CHANNEL = """
duration = "12s"
[peers]
media = []
[bot]
greets = true
[link]
delay = "20ms"
[[fault]]
kind = "block"
match = ["dtls.data"]
at = "0s"
for = "4s"
"""
BLACKOUT = """
duration = "20s"
[client]
liveness = "ping"
[link]
delay = "20ms"
[[fault]]
kind = "blackout"
at = "10s"
for = "8s"
"""


def times_s(timeline, source, kind, **fields):
    events = timeline.select(source, kind)
    return [e.t_s for e in events if all(e.data.get(name) == value for name, value in fields.items())]


def test_what_pipecat_has_is_what_a_profile_has_that_says_nothing():
    said = load("", "test.toml", KEYS)
    for profile in (load("", "test.toml"), said):
        assert ServerLimits.of(profile.server) == PIPECAT_SERVER
        assert ClientLimits.of(profile.client) == PIPECAT_CLIENT


def test_a_scenario_that_says_nothing_of_them_is_as_it_was():
    saved = Scenario.of(load("", "test.toml")).to_toml()
    assert not any(key.partition(".")[2] in saved for key in KEYS)


@pytest.mark.parametrize(("window", "heard"), [(None, 0), ("5s", 100), ("1500ms", -75)])
def test_the_ping_window_ends_the_bots_voice(window, heard):
    def received(**keys):
        return metrics(run_text(WITHOUT_PINGS, **keys))["media"]["down"]["received"]

    # 50 frames a second, for as much longer or shorter as the window is.
    changed = {} if window is None else {"server__ping_window": window}
    assert received(**changed) - received() == heard


@pytest.mark.parametrize(("timeout", "after_s"), [(None, 10.0), ("4s", 4.0)])
def test_the_write_timeout_mutes_the_bot(timeout, after_s):
    changed = {} if timeout is None else {"server__write_timeout": timeout}
    timeline = run_text((HOLES / "s4.toml").read_text(), **changed)
    [lost_s] = times_s(timeline, "server", "event", name="disconnected")
    [muted_s] = times_s(timeline, "server", "bot_muted")
    assert muted_s == pytest.approx(lost_s + after_s, abs=1e-6)


@pytest.mark.parametrize(
    ("keys", "fewer"),
    [
        ({}, 0),
        ({"server__queued_messages": "0"}, 1),
        ({"server__queued_messages": "1"}, 0),
        ({"server__channel_timeout": "2s"}, 1),
    ],
)
def test_a_greeting_waits_for_a_late_channel_or_not(keys, fewer):
    def sent(**changed):
        timeline = run_text(LATE_CHANNEL, **changed)
        [greeted_s] = times_s(timeline, "server", "bot_greeted")
        [opened_s] = times_s(timeline, "client", "channel_open")
        assert greeted_s + 2 < opened_s < greeted_s + 10
        return metrics(timeline)["links"]["down"]["offered"]

    # The greeting is a packet of its own.
    assert sent() - sent(**keys) == fewer


def test_of_messages_that_wait_the_newest_are_dropped():
    class Channel:
        readyState = "open"  # noqa: N815
        said: list[str]

    channel = Channel()
    channel.said = []
    channel.send = channel.said.append
    outbox = Outbox(10.0, 2)
    for text in "abc":
        outbox.send(text)
    outbox.open(channel)
    outbox.send("d")
    assert channel.said == ["a", "b", "d"]


@pytest.mark.parametrize(("latch", "apart_s"), [(None, 2.0), ("5s", 5.0)])
def test_the_latch_holds_back_what_asks_for_an_offer(latch, apart_s, monkeypatch):
    monkeypatch.setattr(Bot, "_send_probe", lambda bot: bot._connection.ask_to_renegotiate())
    changed = {} if latch is None else {"server__renegotiation_latch": latch}
    timeline = run_text('duration = "30s"\n[peers]\nmedia = []\n[link]\ndelay = "20ms"\n', **changed)
    asked_s = times_s(timeline, "client", "offer")[1:]
    # The bot asks at every probe, ten times a second; deliveries are dithered by up to a millisecond.
    assert [later - before for before, later in pairwise(asked_s)] == pytest.approx(
        [apart_s + 0.1] * (len(asked_s) - 1), abs=1e-3
    )
    assert len(asked_s) == {2.0: 14, 5.0: 6}[apart_s]


# What has been lost is found three pings after the first one without an answer.
@pytest.mark.parametrize(
    ("interval", "noticed_s"),
    [(None, 10.583296 + 3.0), ("500ms", 10.083296 + 1.5), ("2s", 10.583296 + 6.0)],
)
def test_missed_pings_are_as_far_apart_as_pings(interval, noticed_s):
    changed = {} if interval is None else {"client__ping_interval": interval}
    timeline = run_text(BLACKOUT, **changed)
    [found_s] = times_s(timeline, "client", "liveness", state="disconnected")
    assert found_s == pytest.approx(noticed_s, abs=1e-6)


@pytest.mark.parametrize(("window", "after_s"), [(None, 0.2), ("50ms", 0.05), ("0s", 0.0)])
def test_candidates_of_a_new_connection_leave_after_the_window(window, after_s):
    changed = {} if window is None else {"client__trickle_window": window}
    timeline = run_text((HOLES / "c11.toml").read_text(), **changed)
    offered_s, trickled_s = times_s(timeline, "client", "offer")[1], times_s(timeline, "client", "trickle")[1]
    assert trickled_s == pytest.approx(offered_s + after_s, abs=1e-6)


@pytest.mark.parametrize(
    ("key", "value", "want"),
    [
        ("server.ping_window", "0s", "want more than 0"),
        ("server.channel_timeout", 3, "want a duration with its unit"),
        ("server.queued_messages", -1, "want 0 or more"),
        ("server.renegotiation_latch", "-1s", "want 0 or more"),
        ("server.write_timeout", "0ms", "want more than 0"),
        ("client.ping_interval", "9ms", "want 10ms or more"),
        ("client.trickle_window", "soon", "want a duration with its unit"),
    ],
)
def test_what_is_wrong_is_told_with_file_and_key(key, value, want):
    table, name = key.split(".")
    with pytest.raises(InvalidInputError) as told:
        load(f"[{table}]\n{name} = {json.dumps(value)}\n", "test.toml")
    [fault] = told.value.faults
    assert fault.startswith(f"test.toml: {key} is {json.dumps(value)}, {want}")
