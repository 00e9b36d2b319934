"""When offers go out while candidates are being gathered; aioice waits 5 s for a server that is dead."""

import asyncio

import pytest
from aiortc import RTCIceServer

from simlab.webrtc.errors import TransportStartError
from simlab.webrtc.peer import PeerError
from tests.webrtc.clients import Log, bot_server, client

DEAD_STUN = RTCIceServer("stun:10.0.0.99:3478")


async def connected(**options):
    """Return the times and labels of what the client recorded until the bot was ready."""
    async with bot_server(), client(**options) as transport:
        await transport.connect()
        await asyncio.sleep(0.5)
        return [(round(e.t_s, 2), e.kind, dict(e.data)) for e in transport.record.events]


def left_behind():
    loop = asyncio.get_running_loop()
    return [task for task in asyncio.all_tasks() if task is not asyncio.current_task()], len(loop._endpoints)


def test_a_client_that_leaves_while_it_gathers_leaves_nothing_behind(run):
    async def play():
        turn = RTCIceServer("turn:10.0.0.99", "user", "password")
        async with bot_server(), client(ice_servers=[DEAD_STUN, turn]) as transport:
            connecting = asyncio.create_task(transport.connect())
            await asyncio.sleep(1)
            await transport.disconnect()
            with pytest.raises(TransportStartError):
                await connecting
        await asyncio.sleep(60)  # aioice lets go of the TURN server when its last request has timed out
        return left_behind()

    assert run(play()) == ([], 0)


def times(events, kind):
    return [t_s for t_s, found, _ in events if found == kind]


def test_an_offer_does_not_wait_for_ice_servers(run):
    events = run(connected(ice_servers=[DEAD_STUN]))
    assert times(events, "offer") == [0.0]
    assert times(events, "answer") == [0.0]
    assert times(events, "trickle") == [5.2]  # aiortc has even its own addresses only when it has all
    assert 5.0 < times(events, "channel_open")[0] < 5.5


def test_an_offer_that_waits_goes_out_after_2_s_and_again_when_all_candidates_are_there(run):
    events = run(connected(ice_servers=[DEAD_STUN], wait_for_ice_gathering=True))
    assert times(events, "offer") == [2.0, 5.0]
    offers = [(e["connection"], e["restart"]) for _, kind, e in events if kind == "offer"]
    assert offers == [(1, False), (1, False)]
    assert [e["cause"] for _, kind, e in events if kind == "trigger"] == ["gathering"]
    assert 5.0 < times(events, "channel_open")[0] < 5.5


def test_an_offer_that_waits_carries_its_candidates_and_they_are_sent_besides(run):
    async def play(wait):
        async with bot_server() as connections, client(wait_for_ice_gathering=wait) as transport:
            await transport.connect()
            offer = connections[0].pc.remoteDescription.sdp
            trickled = [e["candidates"] for e in transport.record.events if e.kind == "trickle"]
            return "a=candidate" in offer.split("m=video")[0], trickled

    assert run(play(True)) == (True, [1])
    # The server's description has candidates by then that came by PATCH, so look at the first offer alone.
    assert run(play(False))[1] == [1]


def test_ice_servers_count_from_the_next_connection_on(run):
    async def play():
        async with bot_server(), client() as transport:
            await transport.connect()
            transport.ice_servers = [DEAD_STUN]
            assert transport.ice_servers == [DEAD_STUN]
            await transport.disconnect()
            since_s = transport.record.now_s()
            await transport.connect()
            return transport.record.now_s() - since_s

    assert 5.0 < run(play()) < 6.0


@pytest.mark.parametrize(
    ("server", "said"),
    [
        (RTCIceServer("turn:10.0.0.99"), "want a username and a credential"),
        (RTCIceServer("http://10.0.0.99"), "malformed uri: invalid scheme"),
        (RTCIceServer("turn:"), "malformed uri"),
        (RTCIceServer("stun:10.0.0.99?transport=udp"), "must not contain transport"),
    ],
)
def test_a_malformed_ice_server_ends_connect_at_once(run, server, said):
    log = Log()

    async def play():
        async with client(log, ice_servers=[server]) as transport:
            with pytest.raises(PeerError, match=said):
                await transport.connect()
            transport.ice_servers = []
            with pytest.raises(TransportStartError):  # nobody listens here
                await transport.connect()
            ended_s = transport.record.now_s()
        assert left_behind() == ([], 0)
        return ended_s

    assert run(play()) == pytest.approx(8.0, abs=0.01)
    assert log.states()[2:5] == ["connecting", "disconnecting", "disconnected"]
