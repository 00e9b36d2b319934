"""The NAT of a profile in front of a client of ``simlab intercept``."""

import asyncio
import contextlib
from contextlib import asynccontextmanager

import pytest
import trio

import simlab
from simlab.capture import CAPTURE
from simlab.capture.summary import summarise
from simlab.core.nat import Dependence, NatSpec
from tests.live.datagrams import endpoint, received
from tests.live.test_intercept import Intercept, calling, on_loopback
from tests.live.test_intercept_flow import bench

PORT_DEPENDENT = Dependence.ADDRESS_AND_PORT_DEPENDENT


class Behind:
    """A client behind a NAT, with two servers: what they see, by a clock that only the test moves."""

    def __init__(self, it, client, servers, spec):
        self.it, self.client, self.servers, self.now_s = it, client, servers, 0.0
        it.flow._now_s = lambda: self.now_s
        it.flow.translate(spec)
        self.to_servers = [it.flow.alias("server", server.getsockname()) for server in servers]

    async def seen_by(self, number):
        """Return from where a server gets what the client sends."""
        await self.client.sendto(b"hello", self.to_servers[number])
        payload, source = await received(self.servers[number])
        assert payload == b"hello"
        return source

    async def gets_through(self, number, to):
        """Tell whether the client gets what a server sends there; if not, the NAT has dropped it."""
        dropped = len(self.it.drops())
        await self.servers[number].sendto(b"and you", to)
        with trio.move_on_after(0.3):
            payload, source = await received(self.client)
            assert (payload, source) == (b"and you", self.to_servers[number])
            return True
        assert self.it.drops()[dropped:] == ["nat"]
        return False


@asynccontextmanager
async def behind(**spec):
    async with bench() as (it, client, server):
        with await endpoint("127.0.0.3") as other:
            yield Behind(it, client, (server, other), NatSpec(**spec))


def test_its_own_endpoint_leads_nowhere_and_the_nats_does():
    async def main():
        async with behind() as it:
            for own in (it.client.getsockname(), ("3f1c2a9e.local", it.client.getsockname()[1])):
                assert not await it.gets_through(0, it.it.flow.alias("client", own))
            outside = await it.seen_by(0)
            assert outside != it.it.flow.alias("client", it.client.getsockname())
            assert await it.gets_through(0, outside)

    trio.run(main)


@pytest.mark.parametrize("mapping", Dependence)
def test_the_mapping_depends_on_what_it_is_to_depend_on(mapping):
    async def main():
        async with behind(mapping=mapping) as it:
            seen = [await it.seen_by(number) for number in (0, 1, 0)]
            assert seen[0] == seen[2]
            # Both servers have one address.
            assert (seen[0] == seen[1]) == (mapping is not PORT_DEPENDENT)

    trio.run(main)


@pytest.mark.parametrize("filtering", Dependence)
def test_the_filter_lets_in_whom_it_is_to_let_in(filtering):
    async def main():
        async with behind(filtering=filtering) as it:
            outside = await it.seen_by(0)
            assert await it.gets_through(1, outside) == (filtering is not PORT_DEPENDENT)
            await it.seen_by(1)
            assert await it.gets_through(1, outside)

    trio.run(main)


@pytest.mark.parametrize("refreshes", [True, False])
def test_a_mapping_expires_unless_something_refreshes_it(refreshes):
    async def main():
        async with behind(timeout_s=30.0, inbound_refreshes=refreshes) as it:
            outside = await it.seen_by(0)
            it.now_s = 29.0
            assert await it.gets_through(0, outside)
            it.now_s = 31.0
            assert await it.gets_through(0, outside) == refreshes
            it.now_s = 62.0
            assert not await it.gets_through(0, outside)
            assert await it.gets_through(0, await it.seen_by(0))

    trio.run(main)


def test_after_a_rebinding_the_client_is_seen_from_elsewhere():
    async def main():
        async with behind() as it:
            before = await it.seen_by(0)
            it.it.flow.rebind()
            assert not await it.gets_through(0, before)
            after = await it.seen_by(0)
            assert after != before
            assert await it.gets_through(0, after)
            assert not await it.gets_through(0, before)

    trio.run(main)


def test_a_nat_comes_and_goes_with_its_profile():
    async def main():
        async with behind() as it:
            outside = await it.seen_by(0)
            it.it.flow.translate(None)
            assert not await it.gets_through(0, outside)
            own = await it.seen_by(0)
            assert own == it.it.flow.alias("client", it.client.getsockname())
            assert await it.gets_through(0, own)
            it.it.flow.translate(NatSpec())
            assert not await it.gets_through(0, own)

    trio.run(main)


def test_the_sockets_of_mappings_that_are_over_are_closed():
    async def main():
        async with behind(timeout_s=300.0) as it:
            outside = await it.seen_by(0)
            it.it.flow.close_unused(299.0)
            assert await it.seen_by(0) == outside
            it.it.flow.close_unused(301.0)
            it.it.flow.rebind()
            assert await it.seen_by(0) != outside

    trio.run(main)


def test_a_client_behind_a_nat_meets_its_server_and_the_recording_has_the_nat(tmp_path):
    profile = tmp_path / "behind.toml"
    profile.write_text(
        'name = "behind"\n[nat]\nmapping = "address-and-port-dependent"\n'
        'filtering = "address-and-port-dependent"\ntimeout = "20s"\n'
    )
    options = ("--out", str(tmp_path / "results"), "--capture", "--profile", str(profile))

    async def talk(it):
        await asyncio.to_thread(it.answer, "record", name="behind")
        async with calling(it.url):
            await asyncio.sleep(1.0)
            assert await asyncio.to_thread(it.answer, "rebind") == {"clients": 1}
            await asyncio.sleep(2.0)
        return await asyncio.to_thread(it.answer, "stop_recording")

    with contextlib.closing(Intercept(*options)) as it:
        (saved,) = on_loopback(lambda: talk(it))["folders"]
    run = simlab.open(saved["folder"])
    assert run.scenario.profile.nat.filtering == "address-and-port-dependent"
    dropped = run.metrics["links"]["down"]["dropped"]
    assert set(dropped) == {"nat"}
    assert run.metrics["links"]["up"]["dropped"] == {}
    found = summarise(run.folder / CAPTURE)
    assert {way: found["links"][way]["dropped"] for way in ("up", "down")} == {"up": {}, "down": dropped}
