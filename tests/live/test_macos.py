"""The real clock where only Linux's own calls are missing: what it does on macOS."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

MACOS = Path(__file__).parents[1] / "elsewhere" / "macos"
CLIENTS = 12  # more than poll is asked about on Linux


@pytest.fixture
def environment():
    """Return the environment of a process on macOS whose loopback interface has aliases."""
    return os.environ | {"PYTHONPATH": str(MACOS), "MACOS_HAS_ALIASES": "yes"}


def test_a_session_recovers_from_a_blackout_between_three_processes(tmp_path, environment):
    settings = ("duration=12s", "fault[0].at=4s", "fault[0].for=2s")
    options = [word for setting in settings for word in ("--set", setting)]
    command = [sys.executable, "-m", "simlab", "run", "blackout", "--clock", "real", "--json", *options]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=100)
    found = json.loads(done.stdout)
    assert found["messages"]["up"]["delivered"] > 50, done.stderr
    assert [one["outcome"] for one in found["outages"]] == ["self_healed"]


def test_the_relay_carries_the_packets_of_many_clients(tmp_path, environment):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as target:
        target.bind(("127.0.0.1", 0))
        target.settimeout(20)
        to = f"127.0.0.1:{target.getsockname()[1]}"
        options = ["--listen", "127.0.0.1:0", "--to", to, "--socket", str(tmp_path / "s"), "--json"]
        command = [sys.executable, "-m", "simlab", "relay", *options, "--set", "link.delay=10ms"]
        relay = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        clients = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(CLIENTS)]
        try:
            host, port = json.loads(relay.stdout.readline())["listen"].rsplit(":", 1)
            for number, client in enumerate(clients):
                client.settimeout(20)
                client.sendto(b"%d" % number, (host, int(port)))
                payload, source = target.recvfrom(100)
                target.sendto(payload + b" again", source)
                assert client.recv(100) == b"%d again" % number
            relay.send_signal(signal.SIGINT)
            assert relay.wait(20) == 0
        finally:
            relay.kill()
            relay.wait()
            relay.stdout.close()
            for client in clients:
                client.close()
