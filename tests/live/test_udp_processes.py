"""How a relay as a tool begins and ends, and what is left of it."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import simlab
from simlab.capture.summary import summarise
from simlab.core.errors import InvalidInputError, SessionFailedError
from simlab.live.remote import tool
from simlab.live.remote.service import Service
from simlab.live.sockets import endpoint_text
from simlab.live.udp.forward import Place
from tests.live.processes import alive, children, eventually, start_relay
from tests.live.udp_ends import heard, place
from tests.ports import free_port
from tests.virtual.sessions import scenario


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_what_ends_all_of_its_group_while_it_begins_is_told_to_it_alone(target, number):
    options = ("--listen", "127.0.0.1:0", "--to", endpoint_text(target.getsockname()), "--json")
    with start_relay(*options, process_group=0) as process:
        (packets,) = eventually(lambda: children(process.pid))
        os.killpg(process.pid, number)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, "")
    assert json.loads(out.splitlines()[-1])["kind"] == "summary"
    assert not alive(packets)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_capture_is_whole_where_all_of_its_group_is_ended(target, client, tmp_path, number):
    to, file = endpoint_text(target.getsockname()), tmp_path / "relay.pcapng"
    options = ("--listen", "127.0.0.1:0", "--to", to, "--json", "--capture", str(file))
    with start_relay(*options, process_group=0) as process:
        where = json.loads(process.stdout.readline())
        for _ in range(200):
            client.sendto(b"hello", place(where["listen"]))
        os.killpg(process.pid, number)
        out, _ = process.communicate(timeout=30)
    last = json.loads(out.splitlines()[-1])
    assert last["capture_lost"] == 0
    found = summarise(file)
    assert (found["is_cut"], found["lost"]) == (False, 0)
    assert found["links"]["up"]["offered"] == last["up"]["offered"] > 0


def test_a_hangup_that_is_ignored_ends_nothing(target):
    ignoring = ("nohup", sys.executable, "-m", "simlab", "relay", "--quiet")
    options = ("--listen", "127.0.0.1:0", "--to", endpoint_text(target.getsockname()))
    with subprocess.Popen(
        [*ignoring, *options], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        process.stdout.readline()
        process.send_signal(signal.SIGHUP)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1.0)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    assert process.returncode == 0


def test_a_relay_to_itself_is_refused(target):
    port = free_port(socket.SOCK_DGRAM)
    with start_relay("--listen", f"0.0.0.0:{port}", "--to", f"127.0.0.1:{port}") as process:
        _, err = process.communicate(timeout=30)
    assert process.returncode == 2
    want = "want another place than --listen: packets would go round for ever"
    assert err.splitlines()[-1] == f"Error: --to is '127.0.0.1:{port}', {want}"


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (
            ["--listen", "192.0.2.7:5000"],
            "relay: cannot listen on 192.0.2.7:5000: Cannot assign requested address",
        ),
        (
            ["--listen", "127.0.0.1:0", "--capture", "/nonexistent/x.pcapng"],
            "relay: --capture: cannot write /nonexistent/x.pcapng: No such file or directory",
        ),
        (["--listen", "127.0.0.1:0", "--capture", "/"], "relay: --capture: cannot write /: Is a directory"),
    ],
)
def test_what_cannot_be_opened_is_named(options, error):
    with start_relay(*options, "--to", "127.0.0.1:9") as process:
        _, err = process.communicate(timeout=30)
    assert process.returncode == 3
    assert err.splitlines()[-1] == f"Error: {error}"


def test_the_same_signal_twice_is_one(target):
    with start_relay("--listen", "127.0.0.1:0", "--to", endpoint_text(target.getsockname())) as process:
        process.stdout.readline()
        for _ in range(5):
            process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, "")
    assert out.splitlines()[-1] == "down: 0 packets came, 0 left; none dropped."


def test_when_its_packet_process_is_killed_it_says_so(target):
    with start_relay("--listen", "127.0.0.1:0", "--to", endpoint_text(target.getsockname())) as process:
        process.stdout.readline()
        (packets,) = children(process.pid)
        os.kill(packets, signal.SIGKILL)
        _, err = process.communicate(timeout=20)
    assert process.returncode == 3
    assert err == "Error: relay: the packet process has ended\n"


@pytest.mark.parametrize("impatient", [False, True])
def test_a_stopped_packet_process_does_not_hold_up_its_end(target, impatient):
    with start_relay("--listen", "127.0.0.1:0", "--to", endpoint_text(target.getsockname())) as process:
        process.stdout.readline()
        (packets,) = children(process.pid)
        os.kill(packets, signal.SIGSTOP)
        process.send_signal(signal.SIGINT)
        if impatient:
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(1.0)
            process.send_signal(signal.SIGINT)
        try:
            _, err = process.communicate(timeout=20)
        finally:
            process.kill()
    assert process.returncode == 3
    lost = "the packet process does not answer, and is killed: its last statistics are lost"
    assert err == f"Error: relay: {lost}\n"
    assert not alive(packets)


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
    with pytest.raises(SessionFailedError, match=f"cannot listen on {here}: Address already in use"):
        simlab.Relay.start(to="127.0.0.1:9", listen=here)
    with pytest.raises(SessionFailedError, match="no relay answers"):
        simlab.Relay.connect(Path("/nonexistent/socket"))


def test_who_does_not_wait_for_a_relay_that_begins_ends_it_with_a_second_signal(monkeypatch, tmp_path):
    # Compiled code may take a quarter of a minute to be made.
    ended = []

    class Slow(Service):
        async def start(self):
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.sleep(60)

        async def stop(self):
            ended.append("stopped")

    monkeypatch.setattr(tool, "Service", Slow)
    monkeypatch.setattr(tool, "_IMPATIENT_S", 0.0)
    here = Place(socket.AF_INET, ("127.0.0.1", 0), socket.AF_INET, ("127.0.0.1", 9), 60.0, True)
    wishes = tool.Wishes(scenario("[link]\n"), here, tmp_path / "control")
    with pytest.raises(KeyboardInterrupt):
        tool.relay(wishes, ended.append, ended.append)
    assert ended == ["stopped"]


def test_what_python_is_told_of_a_relay_that_does_not_start_is_the_fault_alone():
    wrong = {"link.loss": "x", "link.dlay": "1ms"}
    with pytest.raises(InvalidInputError) as failed:
        # The profile has a fault that a relay leaves out, with a note.
        simlab.Relay.start(to="127.0.0.1:9", profile="signalling_down", listen="127.0.0.1:x")
    (told,) = failed.value.faults
    assert told.startswith("listen is '127.0.0.1:x', want an address")
    with pytest.raises(InvalidInputError) as failed:
        simlab.Relay.start(to="127.0.0.1:9", set=wrong)
    assert [fault.split()[:2] for fault in failed.value.faults] == [
        ["set", "link.loss"],
        ["set", "link.dlay"],
    ]


@pytest.mark.parametrize("start", [simlab.Relay.start, lambda **wrong: asyncio.run(start_async(**wrong))])
@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"to": 5000}, "to is 5000, want a text"),
        ({"listen": None}, "listen is None, want a text"),
        ({"profile": 3}, "profile is 3, want a text or a path"),
        ({"seed": -1}, "seed is -1, want a whole number of 0 or more, or None"),
        ({"seed": "7"}, 'seed is "7", want a whole number of 0 or more, or None'),
        ({"set": "link.loss=5%"}, 'set is "link.loss=5%", want a dict, as in {"link.delay": "40ms"}'),
        ({"set": {"link.loss": object}}, "set link.loss: a profile cannot hold <class 'object'>"),
        ({"compiled": "yes"}, 'compiled is "yes", want True or False'),
        ({"to": "here"}, "to is 'here', want an address and a port, such as 127.0.0.1:5000 or [::1]:5000"),
    ],
)
def test_a_wrong_argument_of_a_relay_is_named(start, wrong, told):
    with pytest.raises(InvalidInputError) as failed:
        start(**{"to": "127.0.0.1:9", **wrong})
    assert failed.value.faults == (told,)


async def start_async(**wrong):
    async with await simlab.AsyncRelay.start(**wrong):
        pass


def test_a_wrong_socket_to_connect_to_is_named():
    with pytest.raises(InvalidInputError, match="socket is 5, want a text or a path, or None"):
        simlab.Relay.connect(5)
