"""The packets of the relay as a tool: as many as its statistics say, and there though it is killed."""

import json
import os
import signal
import socket

import pytest

from simlab.capture import CAPTURE
from simlab.capture.summary import summarise
from simlab.live.sockets import endpoint_text
from tests.capture import tshark
from tests.live.processes import alive, children, eventually, start_relay
from tests.live.udp_ends import bound, place

tshark.needs_tshark()

LOSSY = ("--set", "link.delay=20ms", "--set", "link.loss=10%", "--set", "link.up.rate=1Mbit/s")


@pytest.fixture(scope="module")
def captured(tmp_path_factory):
    """Let a relay take 300 packets each way between two clients and a target, and end it."""
    tmp_path = tmp_path_factory.mktemp("capture")
    (tmp_path / "dtls.keys").touch()
    with bound() as target, bound() as first, bound() as second:
        to, path = endpoint_text(target.getsockname()), tmp_path / CAPTURE
        options = (*LOSSY, "--json", "--quiet", "--capture", str(path))
        with start_relay("--listen", "127.0.0.1:0", "--to", to, *options) as process:
            listen = place(json.loads(process.stdout.readline())["listen"])
            for number in range(300):
                (first, second)[number % 2].sendto(b"%d" % number + bytes(200), listen)
            sources = {target.recvfrom(65535)[1] for _ in range(150)}
            for number in range(300):
                target.sendto(b"%d" % number + bytes(200), sorted(sources)[number % 2])
            for one in (first, second):
                [one.recvfrom(65535) for _ in range(100)]
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, "")
    return tmp_path, json.loads(out.splitlines()[-1])


def test_tshark_and_the_summary_count_what_the_statistics_count(captured):
    folder, last = captured
    wanted = {
        way: {key: last[way][key] for key in ("offered", "delivered", "dropped")} for way in ("up", "down")
    }
    assert [wanted[way]["offered"] for way in ("up", "down")] == [300, 300]
    assert all("loss" in wanted[way]["dropped"] for way in ("up", "down"))
    assert tshark.links(folder) == wanted
    assert {way: {**link, "injected": {}} for way, link in wanted.items()} == summarise(folder / CAPTURE)[
        "links"
    ]
    assert last["capture_lost"] == 0
    assert tshark.warnings(folder) == set()


def test_each_side_shows_the_addresses_that_it_sees(captured):
    folder, _ = captured
    fields = ("-T", "fields", "-e", "udp.srcport", "-e", "udp.dstport")
    pairs = {
        side: {
            tuple(line.split())
            for line in tshark.ask(folder, "-Y", f'frame.interface_name == "{side}"', *fields)
        }
        for side in ("client side", "server side")
    }
    for seen in pairs.values():  # two clients, both ways
        assert len(seen) == 4
        assert {pair[::-1] for pair in seen} == seen
        assert len(set.intersection(*map(set, seen))) == 1  # where both send to
    near, far = ({port for pair in seen for port in pair} for seen in pairs.values())
    assert near & far == set()  # listening and clients there, mappings and target here


def test_the_capture_of_a_relay_that_is_killed_opens(tmp_path):
    path = tmp_path / CAPTURE
    (tmp_path / "dtls.keys").touch()
    with bound() as target, bound() as client:
        to = endpoint_text(target.getsockname())
        with start_relay("--listen", "127.0.0.1:0", "--to", to, "--json", "--capture", str(path)) as process:
            listen = place(json.loads(process.stdout.readline())["listen"])

            def written():
                for _ in range(20):
                    client.sendto(bytes(200), listen)
                return path.stat().st_size > 20_000

            eventually(written)
            packets, *_ = children(process.pid)
            (writer,) = children(packets)
            os.kill(packets, signal.SIGKILL)
            _, err = process.communicate(timeout=20)
    assert process.returncode == 3
    assert "the packet process has ended" in err
    eventually(lambda: not alive(writer))
    # A packet of 200 bytes takes up less than 330 on each of two interfaces.
    assert summarise(path)["links"]["up"]["offered"] >= 20_000 // 660
    assert tshark.warnings(tmp_path) == set()


def test_a_capture_that_cannot_be_written_is_an_error(tmp_path):
    path = tmp_path / "nowhere" / CAPTURE
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nobody:
        nobody.bind(("127.0.0.1", 0))
        to = endpoint_text(nobody.getsockname())
        with start_relay("--listen", "127.0.0.1:0", "--to", to, "--capture", str(path)) as process:
            _, err = process.communicate(timeout=20)
    assert process.returncode == 3
    assert err == f"Error: relay: --capture: cannot write {path}: No such file or directory\n"
