"""The same messages, and the same waiting, with the published server and with ours: the same events."""

import asyncio
import json

import pytest

from tests.parity.clients import OFFER, Client, clients
from tests.parity.test_http import same

HELLO = {"id": "1", "label": "rtvi-ai", "type": "client-ready", "data": {}}


def status(index, enabled):
    message = {"type": "trackStatus", "receiver_index": index, "enabled": enabled}
    return {"type": "signalling", "message": message}


def saying(*messages, after_s=0.0, waits_s=0.0, **kinds):
    """Return steps in which a client joins, says something, and leaves.

    Parameters
    ----------
    after_s
        How long after a first ping the messages are sent; 0 for no ping at all.
    waits_s
        How long the bot takes to be there.
    """

    async def steps(server):
        client = Client(**kinds)
        async with clients(client):
            server.waits.clear()
            joining = asyncio.create_task(client.join(server))
            asyncio.get_running_loop().call_later(waits_s, server.waits.set)
            await joining
            if after_s:
                client.say("ping: 1")
                await asyncio.sleep(after_s)
            for message in messages:
                client.say(message)
            await asyncio.sleep(max(1.0, waits_s))
            connected = server.connections[0].is_connected()
            told = list(server.told)
            await client.pc.close()
            await asyncio.sleep(1.0)
            return told, connected, client.received, server.told[len(told) :], server.names

    return steps


SAID = {
    "nothing": [],
    "ping": ["ping: 1"],
    "ping alone": ["ping"],
    "hello": [HELLO],
    "hello as bytes": [json.dumps(HELLO).encode()],
    "garbage": ["not json", "", b"\xff\x00", "[1]", '"text"', "5", "null", "{}", '{"a": 1}', HELLO],
    "unknown type": [{"type": "anything"}, {"type": None}, {"type": 5}],
    "signalling without message": [{"type": "signalling"}, {"type": "signalling", "message": {}}],
    "signalling of no kind": [
        {"type": "signalling", "message": 5},
        {"type": "signalling", "message": {"type": "renegotiate"}},
        {"type": "signalling", "message": {"type": "trackStatus"}},
    ],
    "track states": [status(0, False), status(1, True), status(2, False), status(7, True)],
    "track states in other types": [
        status("1", "no"),
        status(1.0, 1),
        status(None, True),
        status(0, "maybe"),
    ],
}


@pytest.mark.parametrize("name", SAID)
def test_what_is_said(both, name):
    told, *_ = same(both(saying(*SAID[name])))
    assert ("connected",) in told


@pytest.mark.parametrize("after_s", [1.0, 2.9, 3.1])
def test_messages_on_a_stale_link_are_parked(both, after_s):
    told, connected, *_ = same(both(saying(HELLO, after_s=after_s)))
    assert (("app-message", HELLO) in told) == (after_s < 3)
    assert connected == (after_s + 1.0 < 3)  # which is asked a second later


def test_messages_before_the_bot_wait_for_it(both):
    told, *_ = same(both(saying(HELLO, status(0, False), waits_s=2.5)))
    assert told[-2:] == [("connected",), ("app-message", HELLO)]


def test_a_bot_that_comes_when_pings_are_stale_hears_nothing(both):
    told, *_ = same(both(saying("ping: 1", HELLO, waits_s=6.0)))
    assert ("connected",) not in told


def test_a_bot_that_comes_late_asks_for_a_new_offer_if_there_may_be_pictures(both):
    # It goes out before the channel is there only to be queued; here the channel is open.
    assert same(both(saying(waits_s=3.0)))[2] == [{"type": "signalling", "message": {"type": "renegotiate"}}]
    assert same(both(saying(waits_s=3.0, kinds=("audio",))))[2] == []


@pytest.mark.parametrize("kinds", [(), ("audio",), ("audio", "video", "video")])
def test_other_transceivers(both, kinds):
    same(both(saying(HELLO, status(2, False), kinds=kinds)))


def queueing(count, *, channel_after_s=None):
    """Return steps in which the server sends before there is a channel."""

    async def steps(server):
        client = Client(channel=False)
        async with clients(client):
            name = await client.join(server)
            [connection] = server.connections
            send = getattr(connection, "send_app_message", None) or connection.send
            for number in range(count):
                send({"type": "numbered", "number": number})
            if channel_after_s is not None:
                await asyncio.sleep(channel_after_s)
                again = Client()
                async with clients(again):
                    sdp = await again.offer()
                    body = {"sdp": sdp, "type": "offer", "pc_id": name, "restart_pc": True}
                    answer = (await server.client.post(OFFER, json=body)).json()
                    description = type(again.pc.localDescription)(answer["sdp"], "answer")
                    await again.pc.setRemoteDescription(description)
                    for number in range(count):
                        send({"type": "numbered", "number": -number})
                    await asyncio.sleep(2.0)
                    return [message["number"] for message in again.received]
            return len(client.received)

    return steps


def test_fifty_messages_wait_for_the_channel(both):
    numbers = same(both(queueing(60, channel_after_s=1.0)))
    assert numbers == [-number for number in range(50)]


def test_nothing_waits_after_ten_seconds_without_a_channel(both):
    same(both(queueing(3, channel_after_s=11.0)))


async def restarting(server):
    first, second = Client(), Client()
    async with clients(first, second):
        name = await first.join(server)
        first.say("ping: 1")
        first.say(status(0, False))
        await asyncio.sleep(0.5)
        await second.join(server, pc_id=name, restart_pc=True)
        second.say(HELLO)
        await asyncio.sleep(1.0)
        return server.told, len(server.names), len(server.bodies), first.received, second.received


def test_a_restart(both):
    told, names, bots, *_ = same(both(restarting))
    assert ("disconnected",) in told
    assert (names, bots) == (2, 1)


async def offering_and_leaving(server):
    client = Client()
    async with clients(client):
        await server.client.post(OFFER, json={"sdp": await client.offer(), "type": "offer"})
        await asyncio.sleep(59.0)
        before = list(server.told)
        await asyncio.sleep(2.0)
        return before, server.told[len(before) :], server.names


def test_a_client_that_never_connects_is_given_up_after_a_minute(both):
    before, after, names = same(both(offering_and_leaving))
    assert (before[-1], after, names) == (("connecting",), [("closed",)], [])


async def saying_good_bye(server):
    client = Client()
    async with clients(client):
        await client.join(server)
        [connection] = server.connections
        await connection.disconnect()
        await asyncio.sleep(1.0)
        return server.told, client.received, server.names, client.pc.connectionState


def test_the_servers_good_bye(both):
    _, received, names, state = same(both(saying_good_bye))
    assert received == [{"type": "signalling", "message": {"type": "peerLeft"}}]
    assert (names, state) == ([], "closed")
