import asyncio
import gc
import os
import threading

import pytest

from simlab.study.metrics import metrics
from simlab.virtual import session as virtual_session
from simlab.virtual.loop import VirtualLoop
from simlab.virtual.openssl_clock import REDIRECTED, SLEEPS
from tests.virtual.sessions import run_text, scenario

CLEAN = 'duration = "5s"\n[link]\ndelay = "20ms"\n'
LOSSY = 'duration = "20s"\n[peers]\nmedia = []\n[link]\ndelay = "20ms"\nloss = "30%"\n'


@pytest.fixture(scope="module")
def clean():
    return run_text(CLEAN)


def test_a_clean_session_hears_and_is_heard_and_loses_nothing(clean):
    measured = metrics(clean)
    assert measured["connect"]["bot_ready_s"] < 2
    assert measured["outages"] == []
    assert measured["messages"]["up"]["lost"] == measured["messages"]["down"]["lost"] == 0
    assert measured["messages"]["up"]["delivered"] > 30
    assert all(way["alive_at_end"] and way["received"] > 200 for way in measured["media"].values())


def test_connecting_takes_the_round_trips_that_it_must(clean):
    # One-way delay 20 ms, and up to 1 ms of dither for each of the deliveries.
    connect = metrics(clean)["connect"]
    assert connect["offer_s"] == pytest.approx(
        0.0416, abs=1e-6
    )  # HTTP: twice 20 ms, and 8 times 0.2 ms of TCP
    assert 0.0816 <= connect["ice_s"] <= 0.0856  # a check and its answer
    assert connect["dtls_s"] > connect["ice_s"] + 0.080  # two round trips


def test_the_same_scenario_gives_the_same_bytes_in_one_process():
    assert run_text(CLEAN).to_text() == run_text(CLEAN).to_text()


def test_another_seed_gives_another_timeline(clean):
    assert run_text(CLEAN, seed="2").to_text() != clean.to_text()


def handshake_s(timeline):
    """Seconds from ICE complete at both ends to DTLS connected at the client; None if that never was."""
    client = {e["state"]: e.t_s for e in timeline.select("client", "dtls_state")}
    server = {e["state"]: e.t_s for e in timeline.select("server", "ice_state")}
    if "connected" not in client:
        return None
    return client["connected"] - max(client["connecting"], server["completed"])


def test_lost_handshake_flights_are_sent_again_in_virtual_seconds():
    found_s = [handshake_s(run_text(LOSSY, seed=str(seed))) for seed in range(20)]
    delays_s = [delay_s for delay_s in found_s if delay_s is not None]
    late_s = [delay_s for delay_s in delays_s if delay_s > 0.5]
    # A handshake of four flights survives 30 % loss unharmed with 0.7^4 = 24 %; none of 20 late: 10^-12.
    assert late_s
    # Each end sends again 1, 2, 4 s after the time before: whole seconds, and 20 ms for each flight.
    assert all(min(delay_s % 1.0, 1.0 - delay_s % 1.0) < 0.15 for delay_s in delays_s)


def test_the_slower_way_of_openssls_timer_is_said_in_the_header():
    timeline = virtual_session.run(scenario(CLEAN, duration="1s"), redirect_openssl=False)
    assert timeline.header["dtls_timer"] == SLEEPS
    assert metrics(timeline)["connect"]["dtls_s"] is not None


def test_the_slower_way_gives_the_same_bytes():
    # Seed 4 loses one flight of the handshake. A real second passes, and is seen nowhere.
    wanted = scenario(LOSSY, seed="4")
    slow, fast = (virtual_session.run(wanted, redirect_openssl=way) for way in (False, True))
    assert handshake_s(fast) > 1.0
    assert slow.to_text().splitlines()[1:] == fast.to_text().splitlines()[1:]


def test_the_usual_way_is_said_too(clean):
    assert clean.header["dtls_timer"] == REDIRECTED


def test_nothing_is_left_behind():
    run_text(CLEAN)
    gc.collect()
    before = threading.active_count(), len(os.listdir("/proc/self/fd"))
    for seed in range(3):
        run_text(CLEAN, seed=str(seed))
    gc.collect()
    assert (threading.active_count(), len(os.listdir("/proc/self/fd"))) == before


def test_no_session_is_kept_in_memory():
    before = kept_loops()  # tests of other things may have left some
    for seed in range(3):
        run_text(CLEAN, seed=str(seed), duration="2s", peers__media="[]")
    assert [loop for loop in kept_loops() if loop not in before] == []


def kept_loops():
    gc.collect()
    return [found for found in gc.get_objects() if isinstance(found, VirtualLoop)]


def test_a_stuck_session_ends_with_the_reason(monkeypatch):
    async def wait_for_ever(*_):
        await asyncio.Event().wait()

    monkeypatch.setattr(virtual_session.VirtualSession, "_run", wait_for_ever)
    last = run_text(CLEAN).events[-1]
    assert (last.kind, last["stage"]) == ("failed", "session")
    assert "stuck" in last["reason"]


def test_an_interrupted_session_keeps_what_was_recorded(monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("simlab.webrtc.session.ServerSession.finish", interrupt)
    timeline = run_text(CLEAN)
    assert timeline.events[-1]["stage"] == "interrupted"
    assert any(event.kind == "bot_ready" for event in timeline.events)


def test_what_is_lost_with_the_last_messages_is_no_outage():
    # The last message but one still arrives; after those that are lost, nobody has anything more to say.
    last = '[[fault]]\nkind = "blackout"\nat = "9s"\nfor = "1s"\n'
    text = CLEAN.replace("[link]", "[peers]\nmedia = []\n[link]").replace('"5s"', '"10s"')
    measured = metrics(run_text(text + last))
    assert measured["messages"]["up"]["lost"] > 0
    assert measured["outages"] == []
