"""How a relay as a tool begins and ends, and what is left of it."""

import json
import os
import signal
from pathlib import Path

import pytest

import simlab
from simlab.core.errors import SessionFailedError
from simlab.live.sockets import endpoint_text
from tests.live.processes import alive, children, eventually, start_relay
from tests.live.udp_ends import heard, place


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_with_a_summary(target, client, tmp_path, number):
    to = endpoint_text(target.getsockname())
    control = tmp_path / "control"
    with start_relay("--listen", "127.0.0.1:0", "--to", to, "--json", "--socket", str(control)) as process:
        where = json.loads(process.stdout.readline())
        assert where["kind"] == "listening"
        packets = next(iter(children(process.pid)))
        client.sendto(b"hello", place(where["listen"]))
        heard(target)
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, "")
    assert json.loads(out.splitlines()[-1])["up"]["delivered"] == 1
    assert not alive(packets)
    assert not control.exists()


def test_when_its_packet_process_is_killed_it_says_so(target):
    with start_relay("--listen", "127.0.0.1:0", "--to", endpoint_text(target.getsockname())) as process:
        process.stdout.readline()
        (packets,) = children(process.pid)
        os.kill(packets, signal.SIGKILL)
        _, err = process.communicate(timeout=20)
    assert process.returncode == 3
    assert err == "Error: relay: the packet process has ended\n"


def test_when_it_is_killed_its_packet_process_ends(target, tmp_path):
    to, control = endpoint_text(target.getsockname()), tmp_path / "control"
    with start_relay("--listen", "127.0.0.1:0", "--to", to, "--socket", str(control)) as process:
        process.stdout.readline()
        (packets,) = children(process.pid)
        process.kill()
        process.communicate(timeout=20)
    eventually(lambda: not alive(packets))
    # The socket that it left behind is in nobody's way.
    with start_relay("--listen", "127.0.0.1:0", "--to", to, "--socket", str(control)) as process:
        assert process.stdout.readline().startswith("Relaying")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)


def test_two_relays_do_not_share_a_control_socket(relaying, target):
    relay = relaying()
    with start_relay(
        "--listen", "127.0.0.1:0", "--to", endpoint_text(target.getsockname()), "--socket", str(relay.socket)
    ) as process:
        _, err = process.communicate(timeout=30)
    assert process.returncode == 3
    assert err == f"Error: control: cannot listen on {relay.socket}: another relay listens there\n"
    assert relay.status()


def test_a_relay_that_cannot_be_started_says_why(target):
    here = endpoint_text(target.getsockname())
    with pytest.raises(SessionFailedError, match="in use"):
        simlab.Relay.start(to=here, listen=here)
    with pytest.raises(SessionFailedError, match="no relay answers"):
        simlab.Relay.connect(Path("/nonexistent/socket"))
