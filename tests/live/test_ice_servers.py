"""The STUN and TURN servers over real sockets: asked by aioice's own client, and in whole sessions."""

import asyncio
import itertools
from contextlib import asynccontextmanager

import aioice
import pytest
from aioice import stun, turn

from simlab.core.errors import InvalidInputError
from simlab.core.timeline import Recorder
from simlab.live.addresses import ICE_HOSTS, RELAY_HOSTS
from simlab.live.session import LiveSession, Settings, run
from simlab.study.account import account
from simlab.study.metrics import metrics
from simlab.webrtc.iceserver.relaying import TurnSpec
from simlab.webrtc.iceserver.shell import Shell
from simlab.webrtc.iceserver.stun_server import StunServer
from simlab.webrtc.iceserver.turn_server import TurnServer
from tests.live.together import run_together
from tests.virtual.sessions import scenario

HOST = "127.0.0.1"
PASSWORDS = {"simlab": "secret"}


class Heard(asyncio.DatagramProtocol):
    """What comes to a port."""

    def __init__(self):
        self.packets = asyncio.Queue()
        self.lost = asyncio.Event()

    def datagram_received(self, data, addr):
        self.packets.put_nowait((data, addr))

    def connection_lost(self, exc):
        self.lost.set()

    async def next(self):
        return await asyncio.wait_for(self.packets.get(), 10)


@asynccontextmanager
async def running(make, name="turn", now_s=None):
    """Give a server's address, and the record of what it has seen."""
    record = Recorder(now_s or asyncio.get_running_loop().time)
    shell = Shell(name, make, record)
    try:
        yield shell, await shell.start(HOST, 0), record
    finally:
        shell.close()


def turn_server(**spec):
    return lambda: TurnServer(TurnSpec(passwords=PASSWORDS, **spec), b"secret")


async def allocated(address, password="secret"):
    return await turn.create_turn_endpoint(Heard, address, "simlab", password)


async def port():
    return await asyncio.get_running_loop().create_datagram_endpoint(Heard, local_addr=(HOST, 0))


def kinds(record):
    return [event.kind for event in record.events]


async def eventually(found):
    for _ in range(1000):
        if found():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not happen in time")


def test_aioices_client_relays_both_ways_and_gives_back_what_it_had():
    async def main():
        async with running(turn_server()) as (_, address, record):
            transport, here = await allocated(address)
            relayed = transport.get_extra_info("sockname")
            there, peer = await port()
            for number in range(20):
                transport.sendto(b"%d there" % number, there.get_extra_info("sockname"))
                assert await peer.next() == (b"%d there" % number, relayed)
                there.sendto(b"%d back" % number, relayed)
                assert await here.next() == (b"%d back" % number, there.get_extra_info("sockname"))
            transport.close()
            await here.lost.wait()
            there.close()
            assert kinds(record) == ["allocated", "permitted", "released"]
            counts = record.events[-1].data
            assert (counts["to_peers"], counts["to_client"], counts["denied"]) == (20, 20, 0)

    asyncio.run(main())


def test_who_has_no_permission_is_not_heard():
    async def main():
        async with running(turn_server()) as (shell, address, record):
            transport, _ = await allocated(address)
            there, _ = await port()
            there.sendto(b"unasked", transport.get_extra_info("sockname"))
            await asyncio.sleep(0.2)
            shell.finish()
            assert kinds(record) == ["allocated", "denied", "open"]
            assert record.events[-1]["denied"] == record.events[-2]["datagrams"] == 1
            there.close()

    asyncio.run(main())


def test_what_happens_is_recorded_when_the_server_begins_to_count():
    async def main():
        looks = itertools.count()  # at the clock, each a second later
        making = running(turn_server(permission_s=4), now_s=lambda: next(looks))
        async with making as (shell, address, record):
            transport, _ = await allocated(address)
            there, peer = await port()
            transport.sendto(b"while it may", there.get_extra_info("sockname"))
            await peer.next()
            for _ in range(5):
                there.sendto(b"and when it may not", transport.get_extra_info("sockname"))
            await asyncio.sleep(0.2)
            shell.finish()
            (permitted,) = (event for event in record.events if event.kind == "permitted")
            (denied,) = (event for event in record.events if event.kind == "denied")
            assert denied["from_s"] == permitted.t_s + 4
            there.close()

    asyncio.run(main())


def test_aioices_client_refreshes_with_a_nonce_that_has_gone_stale():
    async def main():
        spec = {"lifetime_s": 1, "longest_s": 1, "nonce_lifetime_s": 0.5}
        async with running(turn_server(**spec)) as (_, address, record):
            transport, here = await allocated(address)
            await eventually(lambda: kinds(record).count("refreshed") == 2)
            assert {event["code"] for event in record.events if event.kind == "refused"} == {438}
            assert "expired" not in kinds(record)
            transport.close()
            await here.lost.wait()

    asyncio.run(main())


def test_an_allocation_whose_client_is_gone_expires_and_its_port_is_free():
    async def main():
        async with running(turn_server(lifetime_s=1, longest_s=1)) as (_, address, record):
            transport, _ = await allocated(address)
            relayed = transport.get_extra_info("sockname")
            transport._TurnTransport__inner_protocol.refresh_task.cancel()
            await eventually(lambda: "expired" in kinds(record))
            loop = asyncio.get_running_loop()
            again, _ = await loop.create_datagram_endpoint(Heard, local_addr=relayed)
            again.close()
            lasted_s = record.events[-1].t_s - record.events[0].t_s
            assert lasted_s >= 0.999

    asyncio.run(main())


@pytest.mark.parametrize(("password", "spec", "code"), [("wrong", {}, 401), ("secret", {"quota": 0}, 486)])
def test_aioices_client_is_refused(password, spec, code):
    async def main():
        async with running(turn_server(**spec)) as (_, address, record):
            with pytest.raises(stun.TransactionFailed) as caught:
                await allocated(address, password)
            assert caught.value.response.error_code == code
            assert kinds(record) == ["refused"]

    asyncio.run(main())


def test_what_forgets_knows_no_allocation_afterwards():
    async def main():
        async with running(turn_server()) as (shell, address, record):
            transport, here = await allocated(address)
            shell.go_down(forget=True)
            shell.come_up()
            transport.close()
            await here.lost.wait()
            assert kinds(record) == ["allocated", "lost", "refused"]
            assert record.events[-1]["code"] == 437

    asyncio.run(main())


def test_aioice_learns_an_address():
    async def main():
        async with running(StunServer, "stun") as (_, address, record):
            connection = aioice.Connection(ice_controlling=True, stun_server=address)
            candidates = await connection.get_component_candidates(1, [HOST])
            host, reflexive = candidates
            assert (reflexive.type, reflexive.host, reflexive.port) == ("srflx", HOST, host.port)
            assert record.events[0].data == {"server": "stun", "client": f"{HOST}:{host.port}"}
            await connection.close()

    asyncio.run(main())


SESSION = 'duration = "6s"\n[peers]\nmedia = []\n[link]\ndelay = "20ms"\n[ice]\n'
DOWN = '[[fault]]\nkind = "turn-server-down"\nat = "{}"\nfor = "{}"\n'
SESSIONS = {
    "relayed": SESSION + 'policy = "relay"\n',
    "both": SESSION + 'used_by = ["client", "server"]\n[nat]\npreserve_port = false\n',
    "expires": SESSION.replace("6s", "8s")
    + 'used_by = ["server"]\npolicy = "relay"\npermission_lifetime = "3s"\n',
    "down": SESSION.replace("6s", "20s") + 'policy = "relay"\n' + DOWN.format("3s", "3s"),
}


@pytest.fixture(scope="module")
def timelines():
    return run_together(SESSIONS)


def classes(timeline, source):
    return {kind for event in timeline.select(source, "rate") for kind in event["packets"]}


def test_a_session_over_relayed_candidates_alone(timelines):
    timeline = timelines["relayed"]
    assert metrics(timeline)["final_state"] == "ready"
    assert [way["lost"] for way in metrics(timeline)["messages"].values()] == [0, 0]
    assert classes(timeline, "link.up") == classes(timeline, "link.down") == {"turn"}
    allocated_, permitted, open_ = timeline.select("ice-server")
    assert allocated_["client"].startswith(f"{RELAY_HOSTS['server']}:")
    assert allocated_["relayed"].startswith(f"{ICE_HOSTS['turn']}:")
    assert permitted["peer"] == RELAY_HOSTS["client"]
    assert open_["denied"] == 0
    # What is relayed has passed the link once, and so is no sooner than its delay, and no packet of it twice.
    assert open_["to_peers"] == metrics(timeline)["links"]["up"]["delivered"] - 3
    assert metrics(timeline)["connect"]["bot_ready_s"] >= 0.4


def test_a_session_in_which_both_have_both_servers_and_a_nat_between_them(timelines):
    timeline = timelines["both"]
    assert metrics(timeline)["final_state"] == "ready"
    (complete,) = (e for e in timeline.select("client", "gathering_state") if e["state"] == "complete")
    assert sorted(complete["candidates"]) == ["host", "relay", "srflx"]
    assert "dtls.data" in classes(timeline, "link.up")
    clients = sorted(e["client"].partition(":")[0] for e in timeline.select("ice-server", "allocated"))
    assert clients == ["127.0.0.3", RELAY_HOSTS["server"]]


def test_a_session_whose_turn_server_goes_down_has_another_allocation_later(timelines):
    timeline = timelines["down"]
    (lost,) = timeline.select("ice-server", "lost")
    assert lost.t_s == pytest.approx(3.0, abs=0.1)
    assert len(list(timeline.select("ice-server", "allocated"))) == 2
    (outage,) = metrics(timeline)["outages"]
    assert outage["outcome"] == "reconnected"


def test_what_an_expired_permission_keeps_from_being_relayed_is_told(timelines):
    timeline = timelines["expires"]
    (permitted,) = timeline.select("ice-server", "permitted")
    (denied,) = (event for event in timeline.select("ice-server", "denied") if event["expired"])
    assert denied["datagrams"] > 50
    assert permitted.t_s + 3.0 <= denied["from_s"] <= permitted.t_s + 3.2
    told = account(timeline, metrics(timeline))
    assert (
        sum(f"the TURN server denied {denied['datagrams']} datagrams between" in line for line in told) == 1
    )


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (SESSION + DOWN.format("1s", "1s"), 'fault[0].kind is "turn-server-down", but {}'),
        (SESSION + 'permission_lifetime = "5s"\n', "ice.permission_lifetime: {}"),
        (SESSION + 'servers = ["stun"]\n', 'ice.servers: want "turn" among them'),
        ("", 'ice.servers: want "turn" among them'),
    ],
)
def test_what_somebody_elses_server_cannot_do_is_refused_before_anything_runs(monkeypatch, text, fault):
    monkeypatch.setattr(LiveSession, "run", None)
    with pytest.raises(InvalidInputError) as refused:
        run(scenario(text), Settings(turn_port=3478))
    (told,) = refused.value.faults
    assert told.startswith("test: " + fault.format("the TURN server is not simlab's"))
