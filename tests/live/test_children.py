"""The relay and the peers as processes."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from simlab.core.errors import SessionFailedError
from simlab.core.timeline import Event
from simlab.live import control
from simlab.live.addresses import HOSTS, RELAY_HOSTS
from simlab.live.child import Child
from tests.live.processes import alive, eventually
from tests.virtual.sessions import scenario

LOSSY = '[link]\ndelay = "1ms"\nloss = "100%"\n'
CLEAN = '[link]\ndelay = "1ms"\n'
# What an order to prepare has behind the scenario; the peers are told where the ICE servers are.
WHERE = {"relay": (0,), "server": (0, {}), "client": ("http://127.0.0.2:9/api/offer", {})}


def told(work, module="relay"):
    """Run ``work(child, events)`` with a child process, and return what it returns."""

    async def main():
        events = []
        child = Child(module, f"simlab.live.{module}_process", events.append)
        await child.start()
        try:
            return await work(child, events)
        finally:
            await child.stop()
            assert not alive(child.pid)

    return asyncio.run(asyncio.wait_for(main(), 60))


def udp(side):
    endpoint = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    endpoint.bind((HOSTS[side], 0))
    endpoint.settimeout(10)
    return endpoint


def test_the_relay_passes_packets_and_tells_its_totals():
    async def work(child, events):
        await child.ask("prepare", scenario(CLEAN).to_toml(), 0)
        await child.ask("start", time.monotonic())
        with udp("client") as client, udp("server") as server:
            address = await child.ask("alias", "server", *server.getsockname())
            assert address[0] == RELAY_HOSTS["client"]
            assert await child.ask("alias", "server", *server.getsockname()) == address
            client.sendto(b"hello", tuple(address))
            payload, source = await asyncio.to_thread(server.recvfrom, 100)
            assert payload == b"hello"
            assert list(source) == await child.ask("alias", "client", *client.getsockname())
        await child.ask("finish")
        return events

    totals = {event.source: event.data for event in told(work) if event.kind == "total"}
    assert (totals["link.up"]["offered"], totals["link.up"]["delivered"]) == (1, 1)
    assert (totals["link.down"]["offered"], totals["link.down"]["delivered"]) == (0, 0)


def test_what_the_relay_has_dropped_is_told_even_when_it_is_stopped_at_once():
    async def work(child, events):
        await child.ask("prepare", scenario(LOSSY).to_toml(), 0)
        await child.ask("start", time.monotonic())
        with udp("client") as client, udp("server") as server:
            address = tuple(await child.ask("alias", "server", *server.getsockname()))
            for _ in range(100):
                client.sendto(b"x", address)
            await child.ask("alias", "server", *server.getsockname())
        await child.stop()
        return events

    # They came before the last order, so the relay has seen them when it sees the end of its orders.
    assert [event["seq"] for event in told(work) if event.kind == "dropped"] == list(range(100))


def test_the_server_listens_where_it_says():
    async def work(child, _):
        port = await child.ask("prepare", scenario(CLEAN).to_toml(), *WHERE["server"])
        socket.create_connection((HOSTS["server"], port), timeout=10).close()

    told(work, "server")


def test_a_port_in_use_is_refused_with_the_reason():
    async def work(child, _):
        with socket.create_server((HOSTS["server"], 0)) as taken:
            with pytest.raises(SessionFailedError, match="address already in use") as failure:
                await child.ask("prepare", scenario(CLEAN).to_toml(), taken.getsockname()[1], {})
            assert failure.value.stage == "server"

    told(work, "server")


@pytest.mark.parametrize("module", ["relay", "server", "client"])
def test_a_crash_is_told_with_its_status_and_last_line(module):
    async def work(child, _):
        asking = asyncio.create_task(child.ask("nonsense"))
        with pytest.raises(SessionFailedError) as failure:
            await child.watch()
        asking.cancel()
        assert failure.value.reason == f"the {module} process ended with status 1: KeyError: 'nonsense'"

    told(work, module)


def test_a_killed_process_is_told_with_the_signal():
    async def work(child, _):
        os.kill(child.pid, signal.SIGKILL)
        with pytest.raises(SessionFailedError) as failure:
            await child.watch()
        assert failure.value.reason == "the relay process was killed by SIGKILL"

    told(work)


def test_a_process_that_does_not_move_is_ended_by_force():
    async def work(child, _):
        os.kill(child.pid, signal.SIGSTOP)

    told(work)


@pytest.mark.parametrize("module", ["relay", "server", "client"])
def test_it_ignores_ctrl_c_and_ends_when_its_stdin_is_closed(module):
    command = [sys.executable, "-m", f"simlab.live.{module}_process"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        text = scenario(CLEAN).to_toml()
        for number in (1, 2):
            process.stdin.write(control.to_line(control.order(number, "prepare", text, *WHERE[module])))
            process.stdin.flush()
            assert process.stdout.readline().startswith(b'{"id":%d,"answer"' % number)
            process.send_signal(signal.SIGINT)
        process.stdin.close()
        assert process.wait(10) == 0


def test_an_event_comes_back_as_it_was():
    event = Event(1.25, "link.up", "total", {"cause": "é\n", "delays_s": [0.1]})
    line = control.to_line(control.event_message(event))
    assert line.count(b"\n") == 1
    assert control.event_of(json.loads(line)) == event


def test_a_process_that_the_session_kills_is_no_failure():
    async def work(child, _):
        watching = asyncio.create_task(child.watch())
        await child.kill()
        assert not alive(child.pid)
        await asyncio.sleep(0.1)
        assert not watching.done()
        watching.cancel()

    told(work)


def test_a_frozen_process_answers_when_it_thaws():
    async def work(child, _):
        child.freeze()
        asking = asyncio.create_task(child.ask("prepare", scenario(CLEAN).to_toml(), 0))
        await asyncio.sleep(0.3)
        assert not asking.done()
        child.thaw()
        await asyncio.wait_for(asking, 10)

    told(work)


def test_a_server_that_has_told_what_it_measured_does_nothing_more():
    # What it still sent would be received, and not be in what it has told.
    async def work(child, _):
        await child.ask("prepare", scenario(CLEAN).to_toml(), *WHERE["server"])
        await child.ask("leave")
        eventually(lambda: _state(child.pid) == "T", within_s=5.0)
        await child.kill()

    told(work, "server")


def _state(pid):
    """The state of a process, as proc_pid_stat(5) has it."""
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0]


def test_a_server_takes_the_place_of_another():
    async def work(child, _):
        text = scenario(CLEAN).to_toml()
        port = await child.ask("prepare", text, *WHERE["server"])
        heard = await child.ask("leave")
        nothing = dict.fromkeys(("message_last_s", "media_last_s", "video_last_s"))
        assert heard == {**nothing, "next_number": 0, "has_voice": False}
        await child.kill()
        heard |= {"message_last_s": 1.0, "next_number": 7}
        other = Child("server", "simlab.live.server_process", lambda _: None)
        await other.start()
        try:
            assert await other.ask("prepare", text, port, {}, heard) == port
            assert await other.ask("leave") == heard
            await other.kill()
        finally:
            await other.stop()

    told(work, "server")
