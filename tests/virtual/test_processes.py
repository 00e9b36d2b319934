"""Processes of the virtual world: frozen, thawed, killed."""

import asyncio
import contextvars

import pytest

from simlab.virtual.hosts import current_host
from simlab.virtual.loop import Process, current_process
from simlab.virtual.network import VirtualNetworkLoop

HERE, THERE = "10.0.0.1", "10.0.0.2"


@pytest.fixture
def loop():
    loop = VirtualNetworkLoop()
    asyncio.set_event_loop(loop)
    yield loop
    loop.resume_all()
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    asyncio.set_event_loop(None)


def inside(loop, process, work, host=THERE):
    """Start a coroutine in a process."""
    context = contextvars.copy_context()
    context.run(current_process.set, process)
    context.run(current_host.set, host)
    return loop.create_task(work, context=context)


def run(loop, work):
    context = contextvars.copy_context()
    context.run(current_host.set, HERE)
    return loop.run_until_complete(loop.create_task(work, context=context))


async def note_times(loop, times_s):
    for _ in range(4):
        await asyncio.sleep(1.0)
        times_s.append(loop.time())


def test_a_frozen_process_does_nothing_and_then_goes_on(loop):
    process, times_s, others_s = Process("p"), [], []
    inside(loop, process, note_times(loop, times_s))
    inside(loop, Process("other"), note_times(loop, others_s))
    loop.call_at(1.5, loop.halt, process)
    loop.call_at(3.7, loop.resume, process)
    run(loop, asyncio.sleep(7.0))
    assert times_s == [1.0, 3.7, 4.7, 5.7]
    assert others_s == [1.0, 2.0, 3.0, 4.0]


def test_what_was_kept_comes_in_its_order_before_all_else(loop):
    process, order = Process("p"), []
    context = contextvars.copy_context()
    context.run(current_process.set, process)
    loop.halt(process)
    for name in "abc":
        loop.call_soon(order.append, name, context=context)
    loop.call_at(1.0, lambda: (loop.call_soon(order.append, "later"), loop.resume(process)))
    run(loop, asyncio.sleep(2.0))
    assert order == ["a", "b", "c", "later"]


def test_a_callback_cancelled_meanwhile_is_not_called(loop):
    process, order = Process("p"), []
    context = contextvars.copy_context()
    context.run(current_process.set, process)
    loop.halt(process)
    handle = loop.call_later(1.0, order.append, "never", context=context)
    loop.call_at(2.0, handle.cancel)
    loop.call_at(3.0, loop.resume, process)
    run(loop, asyncio.sleep(4.0))
    assert order == []


class Inbox(asyncio.DatagramProtocol):
    def __init__(self, loop):
        self.loop, self.arrived, self.lost = loop, [], 0

    def datagram_received(self, data, addr):
        self.arrived.append((self.loop.time(), data))

    def connection_lost(self, exc):
        self.lost += 1


async def bound(loop, inbox):
    transport, _ = await loop.create_datagram_endpoint(lambda: inbox, local_addr=(current_host.get(), 7))
    return transport


async def sender(loop):
    transport, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol)
    return transport


def test_datagrams_to_a_frozen_process_wait(loop):
    process, inbox = Process("p"), Inbox(loop)

    async def main():
        await inside(loop, process, bound(loop, inbox))
        transport = await sender(loop)
        loop.halt(process)
        for number in range(3):
            transport.sendto(b"%d" % number, (THERE, 7))
            await asyncio.sleep(1.0)
        loop.resume(process)
        transport.sendto(b"3", (THERE, 7))
        await asyncio.sleep(1.0)

    run(loop, main())
    assert inbox.arrived == [(3.0, b"0"), (3.0, b"1"), (3.0, b"2"), (3.0, b"3")]


@pytest.mark.parametrize(("size", "kept"), [(144, 630), (145, 409), (656, 409), (657, 227), (1400, 227)])
def test_only_as_many_as_the_buffer_holds(loop, size, kept):
    # As measured of a Linux socket with the 256 KiB that aioice asks for.
    process, inbox = Process("p"), Inbox(loop)

    async def main():
        await inside(loop, process, bound(loop, inbox))
        transport = await sender(loop)
        loop.halt(process)
        for _ in range(1000):
            transport.sendto(bytes(size), (THERE, 7))
        await asyncio.sleep(1.0)
        loop.resume(process)
        await asyncio.sleep(1.0)
        transport.sendto(bytes(size), (THERE, 7))
        await asyncio.sleep(1.0)

    run(loop, main())
    assert len(inbox.arrived) == kept + 1


def test_a_killed_process_does_nothing_any_more_and_its_sockets_are_gone(loop):
    process, inbox, times_s, ended = Process("p"), Inbox(loop), [], []

    async def live():
        try:
            await note_times(loop, times_s)
        finally:
            ended.append(loop.time())

    async def main():
        await inside(loop, process, bound(loop, inbox))
        inside(loop, process, live())
        transport = await sender(loop)
        await asyncio.sleep(1.5)
        loop.kill(process)
        transport.sendto(b"x", (THERE, 7))
        await asyncio.sleep(10.0)
        await inside(loop, Process("next"), bound(loop, Inbox(loop)))  # the port is free

    run(loop, main())
    assert (times_s, ended, inbox.arrived, inbox.lost) == ([1.0], [], [], 0)


class Peer(asyncio.Protocol):
    def __init__(self, loop):
        self.loop, self.told = loop, []

    def connection_made(self, transport):
        self.transport = transport
        self.told.append((self.loop.time(), "made"))

    def data_received(self, data):
        self.told.append((self.loop.time(), data))

    def connection_lost(self, exc):
        self.told.append((self.loop.time(), "lost", exc))


def test_a_frozen_listener_accepts_when_it_thaws(loop):
    process, peer = Process("p"), Peer(loop)

    async def main():
        await inside(loop, process, loop.create_server(lambda: peer, THERE, 80))
        loop.halt(process)
        transport, _ = await loop.create_connection(lambda: Peer(loop), THERE, 80)
        transport.write(b"request")
        await asyncio.sleep(5.0 - loop.time())
        loop.resume(process)
        await asyncio.sleep(1.0)

    run(loop, main())
    assert peer.told == [(5.0, "made"), (5.0, b"request")]


def test_the_connections_of_a_killed_process_end_and_nobody_listens(loop):
    process, peer = Process("p"), Peer(loop)

    async def main():
        await inside(loop, process, loop.create_server(lambda: Peer(loop), THERE, 80))
        await loop.create_connection(lambda: peer, THERE, 80)
        await asyncio.sleep(1.0 - loop.time())
        loop.kill(process)
        await asyncio.sleep(1.0)
        with pytest.raises(ConnectionRefusedError):
            await loop.create_connection(lambda: Peer(loop), THERE, 80)

    run(loop, main())
    made, lost = peer.told
    assert made[1] == "made"
    assert lost == (1.0002, "lost", None)


def test_a_host_that_moves_leaves_its_sockets_behind(loop):
    inbox, later = Inbox(loop), Inbox(loop)

    async def main():
        await inside(loop, None, bound(loop, inbox))
        transport = await sender(loop)
        loop.move(THERE, None)
        transport.sendto(b"lost", (THERE, 7))
        with pytest.raises(OSError, match="unreachable"):
            await inside(loop, None, sender(loop))
        loop.move(THERE, "10.0.0.9")
        moved, _ = await inside(loop, None, loop.create_datagram_endpoint(lambda: later))
        transport.sendto(b"lost", (THERE, 7))
        transport.sendto(b"kept", moved.get_extra_info("sockname"))
        await asyncio.sleep(1.0)
        assert moved.get_extra_info("sockname")[0] == "10.0.0.9"

    run(loop, main())
    assert inbox.arrived == []
    assert [data for _, data in later.arrived] == [b"kept"]


def test_a_socket_of_an_address_that_is_gone_sends_nothing(loop):
    inbox = Inbox(loop)

    async def main():
        await inside(loop, None, bound(loop, inbox))
        transport = await sender(loop)
        transport.sendto(b"kept", (THERE, 7))
        loop.move(HERE, None)
        transport.sendto(b"lost", (THERE, 7))
        await asyncio.sleep(1.0)

    run(loop, main())
    assert [data for _, data in inbox.arrived] == [b"kept"]
