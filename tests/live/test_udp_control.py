"""What clients of a relay's control socket can do, and what they cannot."""

import asyncio
import contextlib
import json
import os
import socket
import stat
import threading
import time

import pytest

import simlab
from simlab.core.errors import InvalidInputError
from simlab.live.sockets import endpoint_text
from tests.live.udp_ends import heard, place


class Flow(threading.Thread):
    """Send numbered packets all the time, and let the target send each of them back."""

    def __init__(self, client, target, to):
        super().__init__()
        self.client, self.target, self.to = client, target, to
        self.going, self.sent = True, 0

    def run(self):
        while self.going:
            self.client.sendto(b"%d" % self.sent, self.to)
            self.sent += 1
            payload, source = self.target.recvfrom(100)
            self.target.sendto(payload, source)
            assert self.client.recvfrom(100)[0] == payload
            time.sleep(0.0005)


def garbage(control):
    """Do to a control socket what no client should."""
    for data in (
        os.urandom(5000) + b"\n" + os.urandom(100),
        b'{"do": "set", "with": {"link.loss": "1',
        b'{"do": "status"}\n{"do": "sta',
        b"x" * 2**20,
        b"x" * 2**20 + b"\n",
        b"[" * 2**18 + b"\n",
        b'"set"\n17\n{}\nnull\n{"do": 3}\n{"do": "set", "with": [1]}\n{"do": "set", "with": {"": null}}\n',
        b'{"do": "watch"}\n' * 3,
        b"",
    ):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(control))
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(data)


def test_a_client_of_the_control_socket_cannot_harm_the_flow(relaying, target, client):
    relay = relaying()
    flow = Flow(client, target, place(relay.listen))
    flow.start()
    while flow.sent < 500 and flow.is_alive():
        garbage(relay.socket)
    with socket.socket(socket.AF_UNIX) as connection, connection.makefile("rwb") as stream:
        connection.settimeout(20)
        connection.connect(str(relay.socket))
        stream.write(b"{not JSON}\n" + b'{"id": 5, "do": "status"}\n')
        stream.flush()
        assert "not JSON" in json.loads(stream.readline())["faults"][0]
        assert json.loads(stream.readline())["id"] == 5
    flow.going = False
    flow.join()
    last = relay.stop()
    assert flow.sent >= 500
    for way in ("up", "down"):
        row = last[way]
        assert (row["offered"], row["delivered"]) == (flow.sent, flow.sent)
        assert (row["dropped"], row["kernel_dropped"]) == ({}, 0)


@pytest.mark.parametrize("number", ["1", [1], {}, True, 1.0, 0])
def test_what_is_no_number_of_a_fault_clears_nothing(relaying, number):
    relay = relaying()
    relay.blackout()
    with pytest.raises(InvalidInputError, match=r"clear: there is no fault .* of a command"):
        relay._do("clear", {"number": number})
    assert relay.clear() == {"cleared": [1]}


def test_a_watcher_that_does_not_read_holds_up_nobody(relaying, target, client):
    relay = relaying()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(relay.socket))
        connection.sendall(b'{"do": "watch"}\n')
        for number in range(3000):
            relay.set("link.delay", f"{number % 7}ms")
        client.sendto(b"still", place(relay.listen))
        assert heard(target)[0] == b"still"


def test_the_control_socket_is_its_owners_alone(relaying):
    relay = relaying()
    assert stat.S_IMODE(relay.socket.stat().st_mode) == 0o600
    relay.stop()
    assert not relay.socket.exists()


def test_the_asynchronous_client_does_the_same(target, client):
    async def main():
        async with await simlab.AsyncRelay.start(to=endpoint_text(target.getsockname())) as relay:
            events = relay.events()
            watching = asyncio.create_task(anext(events))
            with pytest.raises(InvalidInputError, match=r"link\.loss"):
                await relay.set("link.loss", "500%")
            await relay.set("link.delay", "1ms")
            while (await watching)["kind"] != "set":
                watching = asyncio.create_task(anext(events))
                await relay.set("link.delay", "2ms")
            await events.aclose()
            client.sendto(b"hello", place(relay.listen))
            assert heard(target)[0] == b"hello"
            other = await simlab.AsyncRelay.connect(relay.socket)
            assert len(await other.clients()) == 1
            assert await other.stop() == {}
            assert (await relay.stop())["up"]["delivered"] == 1

    asyncio.run(main())
