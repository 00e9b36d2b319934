"""The sockets of one client, and the links behind them, whose settings change."""

import math
import socket
import time
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing

from simlab.core.packet import Direction
from simlab.core.timeline import Recorder
from simlab.live.intercept.flow import Flow
from simlab.live.intercept.way import Way
from simlab.live.remote.arguments import fault_of
from simlab.profile.load import load
from simlab.profile.scenario import Scenario
from tests.live.datagrams import ask, endpoint, flood, received
from tests.needs import needs_ipv6

HOSTS = {"client": ["127.0.0.4", "::1"], "server": ["127.0.0.5", "::1"]}
STUN = b"\x00\x01\x00\x00\x21\x12\xa4\x42" + bytes(12)

UNDAMAGED = {"added": {}, "corrupted": 0}


def delayed(delay_s):
    return Scenario.of(load(f'[link]\ndelay = "{delay_s}s"', "delayed.toml"))


class Bench:
    """A flow with a socket at each side."""

    def __init__(self, nursery, admits):
        zero_s = time.monotonic()
        self.nursery = nursery
        self.record = Recorder(lambda: time.monotonic() - zero_s)
        self.left = []
        self.ways = {
            way: Way(nursery, self.record, way, zero_s, self.send, self.left.append) for way in Direction
        }
        for way in self.ways.values():
            way.load(delayed(0.0), 0.0)
        self.flow = Flow(nursery, self.ways, HOSTS, admits, self.record.now_s)
        self.flow.connection = 1

    def send(self, packet):
        self.flow.send(packet)

    def drops(self):
        return [event["cause"] for event in self.record.events if event.kind == "dropped"]


@asynccontextmanager
async def bench(admits=lambda side, host: True):
    async with trio.open_nursery() as nursery:
        made = Bench(nursery, admits)
        with await endpoint("127.0.0.2") as client, await endpoint("127.0.0.3") as server:
            yield made, client, server
        made.flow.close()
        nursery.cancel_scope.cancel()


def test_a_client_behind_a_name_is_known_by_the_port_of_its_first_packet():
    async def main():
        async with bench() as (it, client, server):
            port = client.getsockname()[1]
            announced = it.flow.alias("client", ("3f1c2a9e.local", port))
            to_server = it.flow.alias("server", server.getsockname())
            # The server begins, before anybody knows where the client is: that waits, and is not lost.
            await server.sendto(b"early", announced)
            await trio.sleep(0.05)
            await client.sendto(b"hello", to_server)
            assert await received(server) == (b"hello", announced)
            assert await received(client) == (b"early", to_server)
            assert it.drops() == []
            assert it.flow.alias("client", client.getsockname()) == announced

    trio.run(main)


def test_a_name_that_comes_after_the_first_packet_is_the_same_client():
    async def main():
        async with bench() as (it, client, server):
            to_server = it.flow.alias("server", server.getsockname())
            await client.sendto(b"hello", to_server)
            _, seen = await received(server)
            assert it.flow.alias("client", ("3f1c2a9e.local", client.getsockname()[1])) == seen
            assert it.flow.alias("client", ("3f1c2a9e.local", 1)) != seen

    trio.run(main)


def test_ipv4_and_ipv6_of_one_client_pass_beside_each_other():
    needs_ipv6()

    async def main():
        async with bench() as (it, client, server):
            with await endpoint("::1") as client6, await endpoint("::1") as server6:
                for ours, theirs, host in ((client, server, "127.0.0"), (client6, server6, "::1")):
                    to_server = it.flow.alias("server", theirs.getsockname()[:2])
                    announced = it.flow.alias("client", ours.getsockname()[:2])
                    assert to_server[0].startswith(host)
                    assert await ask(ours, to_server, theirs) == announced

    trio.run(main)


def test_ipv6_behind_a_name_is_known_by_its_first_packet():
    needs_ipv6()

    async def main():
        async with bench() as (it, _, __):
            with await endpoint("::1") as client, await endpoint("::1") as server:
                port = client.getsockname()[1]
                it.flow.alias("client", ("3f1c2a9e.local", port))
                host, _ = await ask(client, it.flow.alias("server", server.getsockname()[:2]), server)
                assert host == "::1"

    trio.run(main)


def test_an_endpoint_of_an_ip_that_the_machine_has_not_got_is_refused():
    async def main():
        async with bench() as (it, _, __):
            flow = Flow(it.nursery, it.ways, {side: ["127.0.0.4"] for side in HOSTS}, lambda *_: True, float)
            with pytest.raises(OSError, match="no address of IPv6"):
                flow.alias("client", ("2001:db8::7", 5000))

    trio.run(main)


def test_after_a_rebinding_the_server_sees_another_port_and_reaches_the_old_one_no_more():
    async def main():
        async with bench() as (it, client, server):
            to_server = it.flow.alias("server", server.getsockname())
            await client.sendto(b"before", to_server)
            _, old = await received(server)
            it.flow.rebind()
            await server.sendto(b"lost", old)
            assert await ask(client, to_server, server) != old
            assert it.drops() == ["nat"]

    trio.run(main)


def test_who_is_not_admitted_is_not_heard():
    async def main():
        async with bench(lambda side, host: host != "127.0.0.2") as (it, client, server):
            to_server = it.flow.alias("server", server.getsockname())
            await client.sendto(b"lost", to_server)
            with await endpoint("127.0.0.9") as other:
                await other.sendto(b"kept", to_server)
                assert (await received(server))[0] == b"kept"
            assert it.ways[Direction.UP].totals()["offered"] == 1

    trio.run(main)


def test_sockets_of_earlier_connections_go_when_nothing_comes_to_them():
    async def main():
        async with bench() as (it, _, server):
            old = it.flow.alias("server", server.getsockname())
            it.flow.connection = 2
            new = it.flow.alias("server", ("127.0.0.3", 1))
            it.flow.close_unused(it.record.now_s() + 1.0)
            await trio.testing.wait_all_tasks_blocked()
            with pytest.raises(OSError, match="in use"), socket.socket(type=socket.SOCK_DGRAM) as trial:
                trial.bind(new)
            with socket.socket(type=socket.SOCK_DGRAM) as trial:
                trial.bind(old)

    trio.run(main)


def test_what_is_on_its_way_arrives_as_it_would_have_when_another_profile_is_loaded():
    async def main():
        async with bench() as (it, client, server):
            up = it.ways[Direction.UP]
            to_server = it.flow.alias("server", server.getsockname())
            up.change(delayed(0.3))
            began_s = time.monotonic()
            await client.sendto(b"slow", to_server)
            await trio.sleep(0.05)
            up.load(delayed(0.0), it.record.now_s())
            await client.sendto(b"fast", to_server)
            assert (await received(server))[0] == b"fast"
            assert (await received(server))[0] == b"slow"
            assert time.monotonic() - began_s >= 0.3
            await trio.sleep(0.15)  # until the link before has ended
            assert up.totals() == {"offered": 2, "delivered": 2, "dropped": {}, **UNDAMAGED}
            assert [packet.seq for packet in it.left] == [1, 0]

    trio.run(main)


def test_a_blackout_by_hand_outlasts_a_change_and_can_be_ended():
    async def main():
        async with bench() as (it, client, server):
            up = it.ways[Direction.UP]
            to_server = it.flow.alias("server", server.getsockname())
            blackout = fault_of("blackout", {"kind": "blackout"}, it.record.now_s())
            up.add(blackout)
            up.change(delayed(0.01))
            await client.sendto(b"lost", to_server)
            await trio.sleep(0.05)
            up.remove(blackout)
            await client.sendto(b"kept", to_server)
            assert (await received(server))[0] == b"kept"
            assert up.totals() == {"offered": 2, "delivered": 1, "dropped": {"blackout": 1}, **UNDAMAGED}

    trio.run(main)


def test_a_block_is_of_some_packets_and_what_is_held_leaves_at_once():
    async def main():
        async with bench() as (it, client, server):
            up = it.ways[Direction.UP]
            to_server = it.flow.alias("server", server.getsockname())
            up.add(fault_of("block", {"kind": "block", "match": ["stun.request"]}, it.record.now_s()))
            up.hold(it.record.now_s() + 0.3)
            began_s = time.monotonic()
            for payload in (STUN, b"1", b"2"):
                await client.sendto(payload, to_server)
            assert [(await received(server))[0] for _ in range(2)] == [b"1", b"2"]
            assert time.monotonic() - began_s >= 0.25
            assert up.totals()["dropped"] == {"block": 1}
            up.hold(math.inf)
            await client.sendto(b"3", to_server)
            await trio.sleep(0.05)
            assert up.totals()["delivered"] == 2
            up.hold(0.0)
            assert (await received(server))[0] == b"3"

    trio.run(main)


def test_a_change_of_the_rate_keeps_what_waits_and_what_has_been_counted():
    async def main():
        async with bench() as (it, client, server):
            up = it.ways[Direction.UP]
            to_server = it.flow.alias("server", server.getsockname())
            up.change(Scenario.of(load('[link]\nrate = "8kbit/s"', "slow.toml")))
            for payload in (bytes(972), bytes(972)):  # a second each, with their headers
                await client.sendto(payload, to_server)
            await trio.sleep(0.05)
            assert up.totals() == {"offered": 2, "delivered": 0, "dropped": {}, **UNDAMAGED}
            up.change(Scenario.of(load('[link]\nrate = "8Mbit/s"', "fast.toml")))
            assert [len((await received(server))[0]) for _ in range(2)] == [972, 972]
            up.change(Scenario.of(load('[link]\nrate = "8Mbit/s"\naqm = "codel"', "codel.toml")))
            await client.sendto(b"on", to_server)
            assert (await received(server))[0] == b"on"
            assert up.totals() == {"offered": 3, "delivered": 3, "dropped": {}, **UNDAMAGED}

    trio.run(main)


def test_packets_that_the_kernel_drops_are_counted_also_of_a_closed_socket():
    async def main():
        async with bench() as (it, _, server):
            to_server = it.flow.alias("server", server.getsockname())
            assert it.flow.kernel_drops() == {Direction.UP: 0, Direction.DOWN: 0}
            flood(to_server)
            dropped = it.flow.kernel_drops()
            assert dropped[Direction.UP] > 0
            assert dropped[Direction.DOWN] == 0
            it.flow.close()
            assert it.flow.kernel_drops() == dropped

    trio.run(main)
