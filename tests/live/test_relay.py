"""The relay between plain UDP sockets, in real time."""

import math
import time
from contextlib import asynccontextmanager

import pytest
import trio
import trio.socket
import trio.testing

from simlab.core.impair import BlockSpec, BlockStage, ConstantDelaySpec, ConstantDelayStage, Selection
from simlab.core.link import Link
from simlab.core.meter import LinkMeter
from simlab.core.nat import Dependence, NatSpec
from simlab.core.outside import LossesOutside
from simlab.core.packet import Direction
from simlab.core.timeline import Recorder
from simlab.live.addresses import HOSTS, ICE_HOSTS, RELAY_HOSTS, another_host
from simlab.live.relay import Relay
from simlab.live.shell import LinkShell
from simlab.live.timer import KernelTimer
from tests.live.datagrams import ask, endpoint, flood, received


class Bench:
    """A relay with a socket at each side."""

    def __init__(self, nursery, up, down, nat=None, beyond=False):
        zero_s = time.monotonic()
        self.record = Recorder(lambda: time.monotonic() - zero_s)
        self.meters, self.timers, shells = {}, [], {}
        losses = LossesOutside(self.record) if beyond else None
        self.nat_s = None
        self.relay = Relay(nursery, shells, nat, self._now_of_nat_s, beyond=losses)
        for direction, stages in ((Direction.UP, up), (Direction.DOWN, down)):
            link, timer = Link(stages), KernelTimer(zero_s)
            meter = LinkMeter(self.record, direction, link, keep_errors=True)
            shells[direction] = LinkShell(link, meter, timer, self.record.now_s, self.relay.send)
            nursery.start_soon(shells[direction].run)
            self.meters[direction] = meter
            self.timers.append(timer)

    def _now_of_nat_s(self):
        return self.record.now_s() if self.nat_s is None else self.nat_s

    def total(self, direction):
        self.meters[direction].finish()
        return self.record.events[-1].data


@asynccontextmanager
async def relay_between(up=(), down=(), nat=None, beyond=False):
    """Give a bench, a client's socket and a server's."""
    delay = ConstantDelayStage(ConstantDelaySpec(0.0))
    async with trio.open_nursery() as nursery:
        bench = Bench(nursery, up or [delay], down or [delay], nat, beyond)
        client, server = await endpoint(HOSTS["client"]), await endpoint(HOSTS["server"])
        with client, server:
            yield bench, client, server
        nursery.cancel_scope.cancel()
    bench.relay.close()
    for timer in bench.timers:
        timer.close()


def test_a_client_that_nobody_announced_is_known_by_its_first_packet():
    async def main():
        async with relay_between() as (bench, client, server):
            to_server = bench.relay.alias("server", server.getsockname())
            assert to_server[0] == RELAY_HOSTS["client"]
            await client.sendto(b"hello", to_server)
            payload, source = await received(server)
            assert (payload, source[0]) == (b"hello", RELAY_HOSTS["server"])
            assert bench.relay.alias("client", client.getsockname()) == source

    trio.run(main)


def test_the_other_side_can_answer_to_where_a_packet_came_from():
    async def main():
        async with relay_between() as (bench, client, server):
            to_server = bench.relay.alias("server", server.getsockname())
            await ask(client, to_server, server)
            assert bench.total(Direction.UP)["delivered"] == 1
            assert bench.total(Direction.DOWN)["delivered"] == 1

    trio.run(main)


def test_an_alias_stays_the_same_and_is_nobody_elses():
    async def main():
        async with relay_between() as (bench, _, server):
            here, port = server.getsockname()
            first = bench.relay.alias("server", (here, port))
            assert bench.relay.alias("server", (here, port)) == first
            assert bench.relay.alias("server", (here, port + 1)) != first
            assert bench.relay.alias("client", (here, port))[0] == RELAY_HOSTS["server"]

    trio.run(main)


def test_two_clients_are_told_apart():
    async def main():
        async with relay_between() as (bench, client, server):
            to_server = bench.relay.alias("server", server.getsockname())
            with await endpoint(HOSTS["client"]) as other:
                await client.sendto(b"one", to_server)
                await other.sendto(b"two", to_server)
                sources = dict([await received(server), await received(server)])
                await server.sendto(b"for two", sources[b"two"])
                await server.sendto(b"for one", sources[b"one"])
                assert (await received(other))[0] == b"for two"
                assert (await received(client))[0] == b"for one"

    trio.run(main)


def test_a_link_delays_its_own_direction_alone():
    async def main():
        slow = [ConstantDelayStage(ConstantDelaySpec(0.1))]
        async with relay_between(up=slow) as (bench, client, server):
            to_server = bench.relay.alias("server", server.getsockname())
            began_s = time.monotonic()
            await client.sendto(b"question", to_server)
            _, source = await received(server)
            up_s = time.monotonic() - began_s
            await server.sendto(b"answer", source)
            await received(client)
            assert up_s >= 0.1
            assert time.monotonic() - began_s >= 0.1
            # Not twice the delay, by which a link in the wrong direction would show.
            assert time.monotonic() - began_s < 0.2
            errors = bench.total(Direction.UP)
            assert 0 <= errors["error_p50_s"] == errors["error_p99_s"] < 0.05

    trio.run(main)


def test_a_blackout_is_a_window_in_time():
    async def main():
        dark = [BlockStage("blackout", [BlockSpec(0.0, 0.2)]), ConstantDelayStage(ConstantDelaySpec(0.0))]
        async with relay_between(up=dark) as (bench, client, server):
            to_server = bench.relay.alias("server", server.getsockname())
            await client.sendto(b"lost", to_server)
            await trio.sleep(0.25)
            await client.sendto(b"kept", to_server)
            assert (await received(server))[0] == b"kept"
            total = bench.total(Direction.UP)
            assert (total["offered"], total["delivered"], total["dropped"]) == (2, 1, {"blackout": 1})

    trio.run(main)


def test_a_burst_passes_whole_and_in_order():
    async def main():
        slow = [ConstantDelayStage(ConstantDelaySpec(0.05))]
        async with relay_between(up=slow) as (bench, client, server):
            server.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_RCVBUF, 2**22)
            to_server = bench.relay.alias("server", server.getsockname())
            sent = [b"%d" % number * 100 for number in range(1000)]
            for payload in sent:
                await client.sendto(payload, to_server)
            assert [(await received(server))[0] for _ in sent] == sent

    trio.run(main)


def test_datagrams_of_any_size_pass():
    async def main():
        async with relay_between() as (bench, client, server):
            to_server = bench.relay.alias("server", server.getsockname())
            for size in (0, 1, 1500, 65507):
                await client.sendto(bytes(size), to_server)
                assert len((await received(server))[0]) == size

    trio.run(main)


def test_what_cannot_be_sent_is_a_drop_with_a_cause():
    async def main():
        async with relay_between() as (bench, client, server):
            await client.sendto(b"lost", bench.relay.alias("server", (HOSTS["server"], 0)))
            await client.sendto(b"kept", bench.relay.alias("server", server.getsockname()))
            assert (await received(server))[0] == b"kept"
            while not (drops := [event for event in bench.record.events if event.kind == "dropped"]):
                await trio.lowlevel.checkpoint()
            assert drops[0]["cause"] == "relay"

    trio.run(main)


def drops(bench):
    return [event["cause"] for event in bench.record.events if event.kind == "dropped"]


@pytest.mark.parametrize("host", [None, another_host(7)])
def test_after_a_rebinding_the_server_sees_the_client_from_elsewhere(host):
    async def main():
        async with relay_between(nat=NatSpec()) as (bench, client, server):
            to_server = bench.relay.alias("server", server.getsockname())
            await client.sendto(b"before", to_server)
            _, old = await received(server)
            bench.relay.rebind(host)
            await server.sendto(b"lost", old)
            new = await ask(client, to_server, server)
            assert new != old
            assert new[0] == (host or RELAY_HOSTS["server"])
            assert drops(bench) == ["nat"]

    trio.run(main)


def test_what_entered_a_link_before_the_rebinding_still_arrives():
    async def main():
        slow = [ConstantDelayStage(ConstantDelaySpec(0.1))]
        async with relay_between(up=slow, nat=NatSpec()) as (bench, client, server):
            to_server = bench.relay.alias("server", server.getsockname())
            await client.sendto(b"before", to_server)
            _, old = await received(server)
            await client.sendto(b"under way", to_server)
            await trio.sleep(0.05)
            bench.relay.rebind(None)
            assert await received(server) == (b"under way", old)

    trio.run(main)


def test_an_address_that_is_cut_off_is_neither_heard_nor_reached():
    async def main():
        async with relay_between() as (bench, client, server):
            to_server = bench.relay.alias("server", server.getsockname())
            to_client = bench.relay.alias("client", client.getsockname())
            bench.relay.cut_off(HOSTS["client"])
            await client.sendto(b"lost", to_server)
            await server.sendto(b"lost", to_client)
            with await endpoint(another_host(8)) as other:
                await ask(other, to_server, server)
            assert drops(bench) == ["handover"]
            assert bench.total(Direction.UP)["offered"] == 1

    trio.run(main)


SYMMETRIC = NatSpec(
    mapping=Dependence.ADDRESS_AND_PORT_DEPENDENT, filtering=Dependence.ADDRESS_AND_PORT_DEPENDENT
)


def test_a_symmetric_nat_shows_each_server_another_port_and_lets_nobody_else_in():
    async def main():
        async with relay_between(nat=SYMMETRIC) as (bench, client, server):
            other = await endpoint(HOSTS["server"])
            with other:
                seen = []
                for socket_ in (server, other):
                    await client.sendto(b"hello", bench.relay.alias("server", socket_.getsockname()))
                    seen.append((await received(socket_))[1])
                assert seen[0] != seen[1]
                await other.sendto(b"to the mapping of the first", seen[0])
                await server.sendto(b"to the client's own", bench.relay.alias("client", client.getsockname()))
                await server.sendto(b"answer", seen[0])
                assert (await received(client))[0] == b"answer"
                assert drops(bench) == ["nat", "nat"]

    trio.run(main)


def test_a_mapping_expires_and_the_next_packet_makes_another():
    async def main():
        async with relay_between(nat=NatSpec(timeout_s=0.2, preserve_port=False)) as (bench, client, server):
            to_server = bench.relay.alias("server", server.getsockname())
            await client.sendto(b"first", to_server)
            _, old = await received(server)
            await trio.sleep(0.25)
            await server.sendto(b"too late", old)
            assert await ask(client, to_server, server) != old
            assert drops(bench) == ["nat"]

    trio.run(main)


def test_a_new_network_has_a_nat_of_its_own():
    async def main():
        async with relay_between(nat=NatSpec()) as (bench, client, server):
            to_server = bench.relay.alias("server", server.getsockname())
            await client.sendto(b"before", to_server)
            _, old = await received(server)
            bench.relay.cut_off(HOSTS["client"])
            await server.sendto(b"lost", old)
            await trio.testing.wait_all_tasks_blocked(0.05)
            bench.relay.join(another_host(7))
            await server.sendto(b"lost", old)
            with await endpoint(another_host(8)) as moved:
                new = await ask(moved, to_server, server)
            assert (old[0], new[0]) == (RELAY_HOSTS["server"], another_host(7))
            assert drops(bench) == ["handover", "nat"]

    trio.run(main)


@pytest.mark.parametrize(("beyond", "causes"), [(True, ["blackout", "nat"]), (False, ["blackout"])])
def test_what_is_lost_on_its_way_refreshes_no_nat_beyond_the_links(beyond, causes):
    async def main():
        lost = BlockSpec(0.0, math.inf, selection=Selection(smaller_bytes=5))
        dark = [BlockStage("blackout", [lost]), ConstantDelayStage(ConstantDelaySpec(0.0))]
        async with relay_between(up=dark, nat=NatSpec(timeout_s=30.0), beyond=beyond) as (
            bench,
            client,
            server,
        ):
            bench.nat_s = 0.0
            to_server = bench.relay.alias("server", server.getsockname())
            outside = await ask(client, to_server, server)
            bench.nat_s = 20.0
            await client.sendto(b"lost", to_server)
            await trio.testing.wait_all_tasks_blocked(0.05)
            bench.nat_s = 40.0
            await server.sendto(b"late", outside)
            if beyond:
                assert await ask(client, to_server, server, b"another") == outside
            else:
                assert (await received(client))[0] == b"late"
            assert drops(bench) == causes
            assert bench.total(Direction.DOWN)["offered"] == 2

    trio.run(main)


def test_nobody_outside_reaches_a_client_behind_a_nat_beyond_the_links_by_its_own_address():
    async def main():
        async with relay_between(nat=NatSpec(), beyond=True) as (bench, client, server):
            to_server = bench.relay.alias("server", server.getsockname())
            outside = await ask(client, to_server, server)
            await server.sendto(b"lost", bench.relay.alias("client", client.getsockname()))
            await server.sendto(b"answer", outside)
            assert (await received(client))[0] == b"answer"
            assert drops(bench) == ["nat"]

    trio.run(main)


def test_what_is_under_way_to_a_nat_beyond_the_links_meets_its_rebinding():
    async def main():
        slow = [ConstantDelayStage(ConstantDelaySpec(0.1))]
        async with relay_between(up=slow, nat=NatSpec(), beyond=True) as (bench, client, server):
            to_server = bench.relay.alias("server", server.getsockname())
            await client.sendto(b"before", to_server)
            _, old = await received(server)
            await client.sendto(b"under way", to_server)
            await trio.sleep(0.05)
            bench.relay.rebind(None)
            payload, new = await received(server)
            assert (payload, new == old) == (b"under way", False)

    trio.run(main)


def test_a_new_address_of_the_client_leaves_a_nat_beyond_the_links_as_it_was():
    async def main():
        async with relay_between(nat=NatSpec(), beyond=True) as (bench, client, server):
            to_server = bench.relay.alias("server", server.getsockname())
            old = await ask(client, to_server, server)
            bench.relay.cut_off(HOSTS["client"])
            bench.relay.join(another_host(7))
            await server.sendto(b"lost", old)
            with await endpoint(another_host(8)) as moved:
                new = await ask(moved, to_server, server)
            assert (old[0], new[0]) == (RELAY_HOSTS["server"], RELAY_HOSTS["server"])
            assert drops(bench) == ["handover"]

    trio.run(main)


def test_packets_that_the_kernel_drops_are_counted():
    async def main():
        async with relay_between() as (bench, _, server):
            to_server = bench.relay.alias("server", server.getsockname())
            assert bench.relay.kernel_drops() == {Direction.UP: 0, Direction.DOWN: 0}
            flood(to_server)
            dropped = bench.relay.kernel_drops()
            assert dropped[Direction.UP] > 0
            assert dropped[Direction.DOWN] == 0

    trio.run(main)


@pytest.mark.parametrize("nat", [None, NatSpec(preserve_port=False)])
def test_between_a_relayed_address_and_the_server_nothing_happens_to_packets(nat):
    async def main():
        blackout = [BlockStage("blackout", [BlockSpec(0.0, 1e9)])]
        async with relay_between(blackout, blackout, nat) as (bench, client, server):
            with await endpoint(ICE_HOSTS["turn"]) as relayed:
                to_server = bench.relay.alias("server", server.getsockname())
                await client.sendto(b"dropped", to_server)
                source = await ask(relayed, to_server, server)
                assert source[0] == RELAY_HOSTS["server"]
                # Where the client's relayed candidate leads to, as the server is told of it.
                assert source == bench.relay.alias("client", relayed.getsockname())
            assert bench.total(Direction.UP)["offered"] == 1
            assert bench.total(Direction.DOWN)["offered"] == 0

    trio.run(main)


def test_a_client_reaches_a_turn_server_and_the_servers_relayed_address_by_the_link():
    async def main():
        async with relay_between() as (bench, client, _):
            with await endpoint(ICE_HOSTS["turn"]) as relayed:
                to_relayed = bench.relay.alias("server", relayed.getsockname())
                await ask(client, to_relayed, relayed)
            assert bench.total(Direction.UP)["delivered"] == 1
            assert bench.total(Direction.DOWN)["delivered"] == 1

    trio.run(main)


def test_the_address_that_a_client_has_from_a_stun_server_is_an_alias_already():
    async def main():
        async with relay_between() as (bench, client, server):
            await client.sendto(b"who am I?", bench.relay.alias("server", server.getsockname()))
            _, reflexive = await received(server)
            assert bench.relay.alias("client", reflexive) == reflexive

    trio.run(main)
