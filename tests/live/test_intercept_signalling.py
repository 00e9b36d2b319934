"""What the intercept changes in offers, answers and candidates, and whose it takes them for."""

import asyncio
import json
import zlib

import pytest
from aiohttp import web

from simlab.core.timeline import Recorder
from simlab.live.intercept.bodies import message_of, rewritten
from simlab.live.intercept.clients import Clients
from simlab.live.intercept.signalling import AbortedError, Exchange, Faults, Signalling
from simlab.profile.faults import SignallingFault

UDP = "candidate:1 1 udp 2130706431 192.0.2.7 41000 typ host"
UDP6 = "candidate:4 1 udp 2122262783 2001:db8::7 41002 typ host"
MDNS = "candidate:2 1 UDP 2130706431 3f1c2a9e-0000-4000-8000-1234567890ab.local 41001 typ host"
TCP = "candidate:3 1 tcp 1518280447 192.0.2.7 9 typ host tcptype active"


def sdp(*candidates, origin="1 2", ufrag="abcd"):
    lines = ["v=0", f"o=- {origin} IN IP4 127.0.0.1", "s=-", "m=audio 9 UDP/TLS/RTP/SAVPF 111"]
    return "\r\n".join([*lines, f"a=ice-ufrag:{ufrag}", *(f"a={one}" for one in candidates), ""])


def relayed(address):
    async def rewrite(endpoint):
        return (address, endpoint[1] + 1000)

    return rewrite


async def aliased(client, side, endpoint):
    return (f"127.0.0.{client.number}", endpoint[1] + (1000 if side == "client" else 2000))


def exchanged(body, answer, faults=None, method="POST", path="/api/offer", alias=aliased):
    """Exchange a body for an answer; return what the server got, the client got, and what was recorded."""
    got = []

    async def forward(plain):
        got.append(json.loads(plain))
        return web.json_response(answer)

    async def main():
        record = Recorder(lambda: 3.0)
        signalling = Signalling(record, alias)
        signalling.faults = faults or Faults()
        text = json.dumps(body).encode()
        kind = Signalling.kind(method, path, body)
        response = await signalling.exchange(Exchange(method, path, kind), text, forward)
        return got, response, record.events

    return asyncio.run(main())


def test_candidates_of_any_form_get_the_relays_address_and_tcp_goes():
    async def main():
        message = {
            "pc_id": "p",
            "candidates": [
                {"candidate": UDP, "sdp_mid": "0"},
                {"candidate": TCP, "sdp_mid": "0"},
                {"candidate": MDNS, "sdp_mid": "1"},
                {"candidate": "", "sdp_mid": "0"},
            ],
        }
        said = await rewritten(message, relayed("10.0.0.1"))
        assert said["candidates"] == [
            {"candidate": "candidate:1 1 udp 2130706431 10.0.0.1 42000 typ host", "sdp_mid": "0"},
            {"candidate": "candidate:2 1 UDP 2130706431 10.0.0.1 42001 typ host", "sdp_mid": "1"},
            {"candidate": "", "sdp_mid": "0"},
        ]
        single = await rewritten({"pc_id": "p", "candidate": {"candidate": UDP}}, relayed("10.0.0.1"))
        assert single["candidate"]["candidate"].split()[4:6] == ["10.0.0.1", "42000"]
        # One candidate alone that is not to be told leaves nothing to say.
        assert await rewritten({"pc_id": "p", "candidate": {"candidate": TCP}}, relayed("10.0.0.1")) is None

    asyncio.run(main())


def test_an_offer_and_its_answer_are_rewritten_wherever_they_are():
    body = {"sdp": sdp(UDP, TCP), "type": "offer", "pc_id": None, "extra": {"kept": [1, None]}}
    answer = {"sdp": sdp(UDP), "type": "answer", "pc_id": "SmallWebRTCConnection#0"}
    (got,), response, events = exchanged(body, answer, path="/sessions/1/anything")
    assert got == {**body, "sdp": sdp("candidate:1 1 udp 2130706431 127.0.0.1 42000 typ host")}
    assert json.loads(response.body)["sdp"] == sdp("candidate:1 1 udp 2130706431 127.0.0.1 43000 typ host")
    told = [(event.source, event.kind) for event in events]
    assert told == [
        ("client", "offer"),
        ("signalling", "request"),
        ("server", "connection_opened"),
        ("signalling", "response"),
        ("client", "answer"),
    ]


def test_candidates_of_both_ips_are_rewritten_each_by_itself_in_offers_answers_and_patches():
    async def alias(client, side, endpoint):
        host, port = endpoint
        return ("::1" if ":" in host else "127.0.0.1", port + (1000 if side == "client" else 2000))

    def moved(plus):
        return [
            f"candidate:1 1 udp 2130706431 127.0.0.1 {41000 + plus} typ host",
            f"candidate:4 1 udp 2122262783 ::1 {41002 + plus} typ host",
        ]

    offer = {"sdp": sdp(UDP, UDP6, TCP), "type": "offer", "pc_id": "p"}
    (got,), response, _ = exchanged(offer, {**offer, "type": "answer"}, alias=alias)
    assert got["sdp"] == sdp(*moved(1000))
    assert json.loads(response.body)["sdp"] == sdp(*moved(2000))
    patch = [{"candidate": one, "sdp_mid": "0", "sdp_mline_index": 0} for one in (UDP, UDP6)]

    async def rewrite(endpoint):
        return await alias(None, "client", endpoint)

    said = asyncio.run(rewritten({"pc_id": "p", "candidates": patch}, rewrite))
    assert [one["candidate"] for one in said["candidates"]] == moved(1000)


def test_a_wrapped_offer_is_one_and_a_body_that_only_looks_like_one_is_none():
    wrapped = {"requestData": {}, "offer": {"type": "offer", "sdp": sdp(UDP)}}
    assert Signalling.kind("POST", "/x", wrapped) == "offer"
    assert Signalling.kind("POST", "/start", {}) == "start"
    assert Signalling.kind("POST", "/start", None) == "start"
    assert Signalling.kind("PATCH", "/x", {"pc_id": "p", "candidates": []}) == "candidates"
    for body in ({"type": "offer"}, {"sdp": 1, "type": "offer"}, {"sdp": "v=0", "type": "order"}, None):
        assert Signalling.kind("POST", "/api/offer", body) is None


def test_a_compressed_offer_can_be_read():
    body = json.dumps({"type": "offer"}).encode()
    for encoding, packed in (("gzip", zlib.compress(body, wbits=31)), ("deflate", zlib.compress(body))):
        assert message_of(packed, encoding) == {"type": "offer"}
    assert message_of(b"not packed", "gzip") is None
    assert message_of(body, "br") is None


def test_what_is_too_much_for_signalling_is_none():
    zeros = b'{"type":"offer","sdp":"' + b"0" * 2**24 + b'"}'
    assert message_of(zlib.compress(zeros, wbits=31), "gzip") is None
    assert message_of(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "") is None


def test_clients_are_known_by_the_servers_name_for_them_or_by_their_descriptions():
    clients = Clients()
    first = clients.offered({}, sdp(origin="1 2"))
    clients.answered(first.client, "p1")
    second = clients.offered({}, sdp(origin="9 2"))
    assert (first.client.number, second.client.number) == (1, 2)
    assert (first.action, first.client.connection) == (None, 1)

    again = clients.offered({"pc_id": "p1"}, sdp(origin="1 2"))
    assert (again.client, again.action, again.client.connection) == (first.client, None, 1)
    restart = clients.offered({"pc_id": "p1"}, sdp(origin="1 2", ufrag="efgh"))
    assert (restart.client, restart.action, restart.client.connection) == (first.client, "restart_ice", 1)
    # The server's name changes with a re-created connection; the old one still leads to the client.
    recreated = clients.offered({"pc_id": "p1", "restart_pc": True}, sdp(origin="3 2", ufrag="ijkl"))
    clients.answered(recreated.client, "p2")
    assert (recreated.client, recreated.action, recreated.client.connection) == (first.client, "recreate", 2)
    assert clients.named("p1") is clients.named("p2") is first.client
    # Without a name, the description says that it is the same peer connection.
    assert clients.offered({}, sdp(origin="9 2")).client is second.client


def fault(how):
    return Faults(
        by_hand=[SignallingFault.model_validate({"kind": "signalling", "at": "1s", "for": "5s", "how": how})]
    )


OFFER = {"sdp": sdp(UDP), "type": "offer"}


def test_a_status_by_hand_keeps_the_offer_from_the_server():
    got, response, events = exchanged(OFFER, {}, fault("status 503"))
    assert (got, response.status) == ([], 503)
    failed = [event.data for event in events if event.kind == "offer_failed"]
    assert failed == [{"connection": 1, "status": 503, "client": 1}]


def test_a_lost_response_has_reached_the_server():
    with pytest.raises(AbortedError):
        exchanged(OFFER, {}, fault("lost-response"))


def test_a_hang_has_no_answer():
    async def main():
        signalling = Signalling(Recorder(lambda: 3.0), None)
        signalling.faults = fault("hang")
        body = json.dumps(OFFER).encode()
        await asyncio.wait_for(signalling.exchange(Exchange("POST", "/o", "offer"), body, None), 0.05)

    with pytest.raises(TimeoutError):
        asyncio.run(main())


def test_the_fault_is_over_when_its_time_is():
    over = Faults(
        by_hand=[
            SignallingFault.model_validate(
                {"kind": "signalling", "at": "1s", "for": "1s", "how": "status 503"}
            )
        ]
    )
    _, response, _ = exchanged(OFFER, {"sdp": sdp(UDP), "type": "answer", "pc_id": "p"}, over)
    assert response.status == 200
