import asyncio
import contextvars

import pytest

from simlab.core.link import Link
from simlab.core.packet import Transit
from simlab.virtual.hosts import current_host
from simlab.virtual.network import VirtualNetworkLoop
from simlab.virtual.wire import DITHER_S, Wire

HERE, THERE = "10.0.1.2", "10.0.2.2"


class Delay:
    name = "delay"

    def apply(self, transit: Transit):
        transit.due_s += 0.040
        return (transit,)


class Collector(asyncio.DatagramProtocol):
    def __init__(self):
        self.got = []

    def datagram_received(self, data, addr):
        loop = asyncio.get_running_loop()
        self.got.append((loop.time(), data, addr, current_host.get()))


@pytest.fixture
def loop():
    loop = VirtualNetworkLoop()
    yield loop
    loop.close()


def on(host, loop, work):
    context = contextvars.copy_context()
    context.run(current_host.set, host)
    return loop.create_task(work, context=context)


def lay_wire(loop, dither=(0.0,)):
    draws = iter(dither * 1000)
    wire = Wire(loop, Link([Delay()]), draws, loop.arrive, lambda _: None)

    def way_out(payload, way):
        wire.send(payload, way)
        return True

    loop.way_out = way_out


async def meet(loop, send):
    there, collector = await on(THERE, loop, loop.create_datagram_endpoint(Collector, (THERE, 0)))
    here, _ = await on(HERE, loop, loop.create_datagram_endpoint(Collector, (HERE, 0)))
    await send(here, there.get_extra_info("sockname"))
    await asyncio.sleep(1.0)
    return collector.got


def test_a_datagram_arrives_after_the_links_delay_on_the_other_host(loop):
    lay_wire(loop)

    async def send(here, there):
        here.sendto(b"hello", there)

    got = loop.run_until_complete(meet(loop, send))
    assert got == [(0.040, b"hello", (HERE, 20000), THERE)]


def test_deliveries_are_dithered_in_order(loop):
    lay_wire(loop, dither=(0.9, 0.1))

    async def send(here, there):
        for n in range(4):
            here.sendto(bytes([n]), there)
            await asyncio.sleep(0.0001)

    got = loop.run_until_complete(meet(loop, send))
    times_s = [at for at, *_ in got]
    assert [data for _, data, *_ in got] == [b"\0", b"\1", b"\2", b"\3"]
    assert times_s == sorted(times_s)
    assert times_s[0] == pytest.approx(0.040 + 0.9 * DITHER_S, abs=1e-12)
    assert all(0 <= at - (0.040 + n * 0.0001) <= DITHER_S for n, at in enumerate(times_s))


def test_a_datagram_to_a_closed_port_is_gone(loop):
    lay_wire(loop)

    async def send(here, there):
        here.sendto(b"nobody", (THERE, 9))

    assert loop.run_until_complete(meet(loop, send)) == []


def test_a_port_can_be_had_once(loop):
    async def bind_twice():
        await loop.create_datagram_endpoint(Collector, (HERE, 5000))
        with pytest.raises(OSError, match="in use"):
            await loop.create_datagram_endpoint(Collector, (HERE, 5000))

    loop.run_until_complete(bind_twice())


def test_a_closed_port_can_be_had_again(loop):
    async def reopen():
        endpoint, _ = await loop.create_datagram_endpoint(Collector, (HERE, 5000))
        endpoint.close()
        await asyncio.sleep(0)
        await loop.create_datagram_endpoint(Collector, (HERE, 5000))

    loop.run_until_complete(reopen())
