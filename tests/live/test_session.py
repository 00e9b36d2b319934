"""Whole sessions in real time; as few and as short as they can be."""

import asyncio
import os
import signal
import socket
import threading
import time

import aioice.ice
import pytest

from simlab.live.addresses import HOSTS, gathering_on
from simlab.live.session import LiveSession, Settings, run
from simlab.study.metrics import metrics
from tests.live.processes import child, children, eventually
from tests.virtual.sessions import scenario

CLEAN = 'duration = "5s"\n[link]\ndelay = "20ms"\n'
SHORT = 'duration = "1s"\n[link]\ndelay = "20ms"\n[[fault]]\nkind = "blackout"\nat = "800ms"\nfor = "200ms"\n'


def last(timeline):
    event = timeline.events[-1]
    return event.kind, event["stage"], event["reason"]


def in_background(work):
    """Run something in a thread while a session runs."""
    thread = threading.Thread(target=work)
    thread.start()
    return thread


@pytest.fixture(scope="module")
def clean():
    return run(scenario(CLEAN))


def test_a_clean_session_hears_and_is_heard_and_loses_nothing(clean):
    measured = metrics(clean)
    assert measured["connect"]["bot_ready_s"] < 4
    assert measured["outages"] == []
    assert measured["messages"]["up"]["lost"] == measured["messages"]["down"]["lost"] == 0
    assert all(way["delivered"] > 5 for way in measured["messages"].values())
    assert all(way["alive_at_end"] and way["received"] > 25 for way in measured["media"].values())
    assert all(way["dropped"] == {} and way["delivered"] > 100 for way in measured["links"].values())


def test_no_packet_comes_sooner_than_the_link_allows(clean):
    connect = metrics(clean)["connect"]
    assert connect["offer_s"] >= 0.040  # HTTP there and back
    assert connect["ice_s"] >= connect["offer_s"] + 0.040  # a check and its answer
    assert connect["dtls_s"] >= connect["ice_s"] + 0.080  # two round trips
    delays_s = [event["delay_p50_s"] for event in clean.events if event.kind == "rate"]
    assert delays_s
    assert min(delays_s) >= 0.020


def test_the_events_of_all_processes_are_in_one_row(clean):
    assert clean.header["clock"] == "real"
    assert clean.events[0].is_a("session", "begin")
    assert clean.events[-1].is_a("session", "end")
    times_s = [event.t_s for event in clean.events]
    assert times_s == sorted(times_s)
    # The server hears of the offer after the client has made it, and answers before the client knows.
    (offer,) = clean.select("client", "offer")
    (http,) = (e for e in clean.select("server", "http") if e["method"] == "POST")
    (answer,) = clean.select("client", "answer")
    assert offer.t_s + 0.020 <= http.t_s <= answer.t_s - 0.020


def test_it_runs_inside_a_running_loop_and_leaves_nothing_behind():
    async def in_a_notebook():
        return run(scenario(SHORT))

    def state():
        return threading.active_count(), len(os.listdir("/proc/self/fd")), children(os.getpid())

    run(scenario(SHORT))  # what is made once and kept is there after the first
    before = state()
    timeline = asyncio.run(in_a_notebook())
    assert timeline.events[-1].is_a("session", "end")
    assert state() == before
    faults = [(event.t_s, event.kind) for event in timeline.select("fault")]
    assert faults == [(0.8, "begin"), (1.0, "end")]


@pytest.mark.parametrize("name", ["server", "client", "relay"])
def test_a_process_killed_at_its_start_ends_the_session_with_the_reason(name):
    def kill():
        os.kill(child(os.getpid(), name), signal.SIGKILL)

    thread = in_background(kill)
    timeline = run(scenario(CLEAN))
    thread.join()
    assert last(timeline) == ("failed", name, f"the {name} process was killed by SIGKILL")
    assert timeline.duration_s < 5
    assert children(os.getpid()) == {}


def test_a_server_killed_in_the_middle_leaves_what_was_recorded():
    wanted = {("client", "bot_ready"), ("server", "bot_started"), ("server", "http"), ("link.up", "rate")}

    def recorded():
        return {(event.source, event.kind) for event in list(session._record.events)}

    def kill():
        server = child(os.getpid(), "server")
        eventually(lambda: wanted <= recorded())
        os.kill(server, signal.SIGKILL)

    session = LiveSession(scenario(CLEAN, duration="30s"))
    thread = in_background(kill)
    timeline = asyncio.run(session.run())
    thread.join()
    assert last(timeline)[:2] == ("failed", "server")
    assert timeline.duration_s < 30
    assert wanted <= {(event.source, event.kind) for event in timeline.events}


@pytest.mark.parametrize(
    ("stage", "side", "key"),
    [("server", "server", "server_port"), ("signalling", "client", "signalling_port")],
)
def test_a_port_in_use_ends_the_session_with_the_reason(stage, side, key):
    with socket.create_server((HOSTS[side], 0)) as taken:
        port = taken.getsockname()[1]
        timeline = run(scenario(SHORT), Settings(**{key: port}))
    kind, failed_stage, reason = last(timeline)
    assert (kind, failed_stage) == ("failed", stage)
    assert "address already in use" in reason
    assert str(port) in reason
    assert children(os.getpid()) == {}


def test_a_session_that_does_not_begin_is_ended():
    def stop():
        os.kill(child(os.getpid(), "server"), signal.SIGSTOP)

    thread = in_background(stop)
    timeline = run(scenario(SHORT), Settings(begin_s=1.5))
    thread.join()
    assert last(timeline) == ("failed", "session", "not begun within 1.5 s")
    assert children(os.getpid()) == {}


class Played(LiveSession):
    """A session without processes, which takes its time to begin, and to end."""

    _children = ()

    def __init__(self, begins_s, lasts_s):
        super().__init__(scenario('duration = "200ms"\n'), Settings(overtime_s=1.0))
        self._times_s = begins_s, lasts_s

    async def _play(self):
        begins_s, lasts_s = self._times_s
        await asyncio.sleep(begins_s)
        self._clock.start(time.monotonic())
        await asyncio.sleep(lasts_s)


def test_its_time_is_counted_from_its_beginning():
    assert asyncio.run(Played(begins_s=1.4, lasts_s=0.2).run()).events[-1].kind == "end"
    late = asyncio.run(Played(begins_s=0.0, lasts_s=60.0).run())
    assert last(late) == ("failed", "session", "not over 1 s after its duration")


def test_one_that_is_interrupted_before_it_begins_ends_at_once():
    session = LiveSession(scenario(CLEAN))
    session.interrupt()
    timeline = asyncio.run(session.run())
    session.interrupt()  # after its end, nothing
    assert last(timeline) == ("failed", "interrupted", "interrupted by the user")
    assert timeline.duration_s < 5


def test_sessions_that_overlap_put_back_how_ice_gathers():
    original = aioice.ice.get_host_addresses
    first, second = gathering_on("client"), gathering_on("server")
    first.__enter__()
    assert aioice.ice.get_host_addresses(use_ipv4=True, use_ipv6=True) == [HOSTS["client"]]
    second.__enter__()
    assert aioice.ice.get_host_addresses(use_ipv4=False, use_ipv6=True) == []
    first.__exit__(None, None, None)
    assert aioice.ice.get_host_addresses(use_ipv4=True, use_ipv6=True) == [HOSTS["server"]]
    second.__exit__(None, None, None)
    assert aioice.ice.get_host_addresses is original


def test_settings_of_the_links_are_compared_with_what_they_did(clean):
    for way in metrics(clean)["links"].values():
        (delay,) = way["realised"]
        assert (delay["setting"], delay["requested"], delay["held"]) == ("delay", "20ms", True)
        assert delay["realised"].startswith("20ms, all ")


def test_a_relay_that_was_too_late_makes_a_session_invalid():
    kind, stage, reason = last(run(scenario(SHORT), Settings(worst_error_s=0.0)))
    assert (kind, stage) == ("failed", "validity")
    assert reason.startswith("invalid: on the way up the relay sent packets up to ")
    assert reason.endswith(" late (99th percentile, 0 ms may be)")
