"""What ``[bot]`` asks of the built-in server's bot."""

import asyncio

import pytest

from simlab.study.invariants import violations
from simlab.webrtc.session import ServerSession
from tests.parity.clients import Client
from tests.virtual.sessions import run_text, scenario


def times_s(timeline, source, kind, **fields):
    events = timeline.select(source, kind)
    return [e.t_s for e in events if all(e.data.get(name) == value for name, value in fields.items())]


def session(bot, duration="12s", media="[]"):
    return run_text(
        f'duration = "{duration}"\n[peers]\nmedia = {media}\n[link]\ndelay = "20ms"\n[bot]\n{bot}'
    )


def heard(timeline, direction):
    """Return how many frames were heard in each second."""
    tallies = [e for e in timeline.select("probe", "tally") if e["what"] == "media"]
    return {e.t_s: e["received"] for e in tallies if e["direction"] == direction and "received" in e.data}


def test_one_that_is_slow_to_start():
    [ready_s] = times_s(session('starts_after = "4s"'), "client", "bot_ready")
    [at_once_s] = times_s(session(""), "client", "bot_ready")
    # Its client has said that it is ready long before; the way there is one delay of the link.
    assert at_once_s < 1.0
    assert ready_s == pytest.approx(4.0212 + 0.02, abs=0.005)


def test_one_that_ends_after_a_while():
    timeline = session('ends_after = "5s"')
    [ended_s] = times_s(timeline, "server", "bot_ended")
    assert ended_s == pytest.approx(5.0212, abs=1e-3)
    assert len(times_s(timeline, "client", "callback", name="bot_disconnected")) == 1


def test_one_that_talks_in_turns():
    timeline = session('talks_for = "1s"\npauses_for = "1s"', media='["audio"]')
    [met_s] = times_s(timeline, "server", "event", name="connected")
    frames = sum(heard(timeline, "down").values())
    # Half of the time from then on, at 50 frames a second; the last turn may be cut, by 25 frames at most.
    assert frames == pytest.approx(50 * (12.0 - met_s) / 2, abs=30)
    assert violations(timeline) == ()
    assert not list(timeline.select("probe", "lost"))


def test_one_that_says_back_what_it_hears():
    timeline = session('voice = "echo"', media='["audio"]')
    up, down = heard(timeline, "up"), heard(timeline, "down")
    assert all(45 <= down[t_s] <= 55 for t_s in down if 2.0 <= t_s <= 11.0)
    assert all(45 <= up[t_s] <= 55 for t_s in up if 2.0 <= t_s <= 11.0)


def test_an_echo_falls_silent_with_its_client():
    mute = 'loss = { model = "bernoulli", loss = "100%", only = { match = ["rtp"] } }'
    timeline = run_text(f'duration = "12s"\n[link.up]\n{mute}\n[bot]\nvoice = "echo"\n')
    assert heard(timeline, "up") == {}
    assert heard(timeline, "down") == {}


def test_one_that_greets_and_asks_whether_somebody_is_there():
    timeline = session('greets = true\nprompts_after = "3s"', media='["audio"]')
    assert len(times_s(timeline, "server", "bot_greeted")) == 1
    assert times_s(timeline, "server", "bot_prompted") == []


@pytest.mark.parametrize(("kind", "ends"), [("goodbye", True), ("hello", False)])
def test_one_that_ends_on_a_message(run, record, kind, ends):
    async def work():
        server = ServerSession(scenario('[bot]\nends_on = "goodbye"\n'), record)
        await server.start("10.0.0.1", 80)
        client = Client()
        await client.join(_Url())
        client.say({"type": "client-message", "id": "1", "data": {"t": kind}})
        await asyncio.sleep(1.0)
        await client.pc.close()
        await server.close()
        return [message["type"] for message in client.received]

    received = run(work())
    assert received[0] == "server-response"
    assert (received[-1] == "signalling") == ends


class _Url:
    """Where the server of a session is, as ``Client.join`` wants it."""

    @property
    def client(self):
        import httpx

        return httpx.AsyncClient(base_url="http://10.0.0.1:80", timeout=None)
