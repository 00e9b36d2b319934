"""``simlab serve``: any client meets the bot on a real network, and Ctrl-C ends it."""

import asyncio
import json
import signal
import socket
import subprocess
import sys

import pytest
from click.testing import CliRunner

from simlab.cli.main import main
from simlab.live.addresses import gathering_from
from simlab.live.serve import media_hosts
from simlab.live.sockets import is_loopback
from simlab.webrtc.http import RequestParams
from simlab.webrtc.transport import SmallWebRTCTransport


@pytest.fixture
def serving():
    """Start a server, and return its process and its URL."""
    started = []

    def serving(*options):
        command = [sys.executable, "-m", "simlab", "serve", "--port", "0", *options]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        started.append(process)
        line = (process.stderr if "--json" in options else process.stdout).readline()
        assert line.startswith("Listening on http://127.0.0.1:"), line
        return process, line.split()[2]

    yield serving
    for process in started:
        process.kill()
        process.communicate()


async def call(url, lasts_s=0.5):
    """Meet the bot, and return the states of the client."""
    states = []
    with gathering_from(lambda: ["127.0.0.1"]):
        client = SmallWebRTCTransport(webrtc_request_params=RequestParams(f"{url}/api/offer"))
        client.callbacks.transport_state_changed = states.append
        try:
            await asyncio.wait_for(client.connect(), 30.0)
            await asyncio.sleep(lasts_s)
            await client.disconnect()
        finally:
            await client.release()
    return states


async def call_while_it_runs(url, process):
    """Call the bot until the server's process is over, and return its exit status."""
    calling = asyncio.create_task(call(url))
    status = await asyncio.to_thread(process.wait, 20)
    calling.cancel()
    await asyncio.gather(calling, return_exceptions=True)
    return status


def end(process):
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    return process.returncode, out, err


def test_a_client_meets_the_bot(serving):
    process, url = serving()
    began, ended = (
        ["initializing", "initialized", "connecting", "connected"],
        ["disconnecting", "disconnected"],
    )
    assert asyncio.run(call(url)) == [*began, "ready", *ended]
    status, out, err = end(process)
    assert (status, err) == (0, "")
    told = [line.partition(" s  ")[2] for line in out.splitlines()]
    assert told[:2] == ["SmallWebRTCConnection#0 connection opened", "SmallWebRTCConnection#0 bot started"]
    assert {"POST /api/offer 200", "SmallWebRTCConnection#0 is connected"} <= set(told)
    assert told[-1] == "SmallWebRTCConnection#0 bot ended"


def test_in_json_too_it_says_where_it_listens(serving):
    process, url = serving("--json", "--mode", "single")
    told = {"listen": url, "preset": "pipecat-1.14.0", "mode": "single"}
    assert json.loads(process.stdout.readline()) == {"t_s": 0.0, "kind": "listening", **told}


def test_ctrl_c_says_good_bye_to_clients(serving):
    process, url = serving("--json", "--preset", "fixed")

    async def work():
        gone = asyncio.Event()
        with gathering_from(lambda: ["127.0.0.1"]):
            client = SmallWebRTCTransport(webrtc_request_params=RequestParams(f"{url}/api/offer"))
            client.callbacks.bot_disconnected = lambda _: gone.set()
            await asyncio.wait_for(client.connect(), 30.0)
            peer = client.peer
            process.send_signal(signal.SIGINT)
            await asyncio.wait_for(gone.wait(), 10.0)
            # While the client disconnects by itself, which must not leave its connection half closed.
            await client.release()
            assert peer.pc.connectionState == "closed"

    asyncio.run(work())
    out, err = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "Traceback" not in err
    assert "connection_closed" in [json.loads(line)["kind"] for line in out.splitlines()]


def test_it_ends_in_order_when_nobody_reads_what_it_says():
    # Closing a connection is told as well, and must not be cut off by that: it would leave a thread for ever.
    command = [sys.executable, "-m", "simlab", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        url = process.stdout.readline().split()[2]
        process.stdout.close()
        try:
            assert asyncio.run(call_while_it_runs(url, process)) == 141
            assert process.stderr.read() == ""
        finally:
            process.kill()


def test_a_port_in_use_is_a_reason():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "simlab", "serve", "--port", str(port)]
        found = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert found.returncode == 3
    assert found.stderr == f"Error: serve: cannot listen on 127.0.0.1:{port}: Address already in use\n"


@pytest.mark.parametrize(
    ("options", "status", "word"),
    [
        (["--mode", "triple"], 2, 'Error: --mode is "triple", did'),
        (["--preset", "mended"], 2, 'Error: --preset is "mended", want'),
        (["--set", "server.mode=triple"], 2, 'Error: --set server.mode is "triple", did'),
        (["--set", "link.loss=3%"], 2, "link.loss"),
        (["--set", "bot.voise=echo"], 2, "bot.voise"),
        (["--host", "192.0.2.77"], 3, "cannot listen"),
        (["--host", "no such host"], 3, "cannot listen"),
    ],
)
def test_what_is_wrong_is_said(options, status, word):
    found = CliRunner().invoke(main, ["serve", "--port", "0", *options])
    assert found.exit_code == status
    assert word in found.stderr


def test_a_host_that_others_reach_is_warned_of():
    found = CliRunner().invoke(main, ["serve", "--host", "192.0.2.77", "--port", "0"])
    assert found.stderr.startswith("Warning: whoever reaches 192.0.2.77 can talk to this server")


def test_which_addresses_are_this_machines_own():
    assert [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "127.0.0.9")] == [True] * 4
    assert [is_loopback(host) for host in ("0.0.0.0", "::", "10.0.0.1", "example")] == [False] * 4
    assert media_hosts("127.0.0.1") == ["127.0.0.1"]
    assert set(media_hosts("0.0.0.0")) >= {"127.0.0.1", "::1"}
