"""Whatever comes over HTTP or the data channel: a status, and nothing left behind."""

import asyncio
import gc
import json
import threading

import httpx
import pytest
from aiohttp import web
from aiortc import RTCPeerConnection

from simlab.profile.behaviour import SERVER_PRESETS
from simlab.profile.bot import BotKeys
from simlab.webrtc.bot import Bot
from simlab.webrtc.ears import Ears
from simlab.webrtc.handler import HandlerSettings, RequestHandler
from simlab.webrtc.routes import LONGEST_BODY_BYTES, OFFER_PATH, Routes
from tests.parity.clients import Client

URL = "http://10.0.0.1:80"
PATCH = {"pc_id": "PC", "candidates": []}


def candidates(*texts):
    return {**PATCH, "candidates": [{"candidate": t, "sdp_mid": "0", "sdp_mline_index": 0} for t in texts]}


class Serving:
    """A server with bots, and what belongs to it."""

    def __init__(self, record, settings):
        self.record = record
        self.ears = Ears(record, True, last_message_s=0.0)
        self.handler = RequestHandler(record, self._start_bot, settings)
        self.routes = Routes(self.handler, record)
        self._runner = web.AppRunner(self.routes.application(), access_log=None)

    def _start_bot(self, connection, call):
        Bot(connection, self.record, self.ears, BotKeys(), resumes=call.resumes)

    async def __aenter__(self):
        await self._runner.setup()
        await web.TCPSite(self._runner, "10.0.0.1", 80).start()
        self.client = httpx.AsyncClient(base_url=URL, timeout=None)
        return self

    async def __aexit__(self, *_):
        await self.client.aclose()
        await self.handler.close()
        await self._runner.cleanup()
        await asyncio.sleep(5.0)  # aiortc's own tasks end within their next poll


def open_connections():
    return [o for o in gc.get_objects() if isinstance(o, RTCPeerConnection) and o.connectionState != "closed"]


@pytest.fixture
def served(world, run, record):
    """Do something with a server, and check that nothing is left of it."""

    def served(steps, **settings):
        async def work():
            async with Serving(record, HandlerSettings(**settings)) as server:
                return await steps(server)

        threads = threading.active_count()
        answer = run(work())
        assert asyncio.all_tasks(world.loop) == set()
        assert open_connections() == []
        assert world.loop._endpoints == {}
        assert threading.active_count() == threads
        return answer

    return served


def asking(method, path, body, joined=False):
    async def steps(server):
        client = Client() if joined else None
        name = await client.join(server) if client else "PC"
        given = body if isinstance(body, (str, bytes)) else json.dumps(body).replace('"PC"', f'"{name}"')
        response = await server.client.request(method, path, content=given)
        assert len(open_connections()) == (2 if joined else 0)  # the client's and the server's
        if client:
            await client.pc.close()
        return response.status_code

    return steps


@pytest.mark.parametrize(
    ("method", "body", "status"),
    [
        ("POST", "not json", 422),
        ("POST", b'{"sdp": "\xff"}', 400),
        ("POST", "", 422),
        ("POST", "[" * 100_000, 400),
        ("POST", '{"sdp": "", "type": "offer", "n": ' + "9" * 5000 + "}", 400),
        ("POST", '{"sdp": "' + "a" * LONGEST_BODY_BYTES + '", "type": "offer"}', 413),
        ("POST", {"sdp": "v=0\r\nm=audio", "type": "offer"}, 500),
        ("POST", {"sdp": "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0", "type": "offer"}, 500),
        ("POST", {"sdp": "v=0\r\n" + "a=x\r\n" * 10_000 + "m=", "type": "offer"}, 500),
        ("PATCH", PATCH, 404),
        ("PATCH", {**PATCH, "pc_id": None}, 422),
        ("PATCH", "x" * (LONGEST_BODY_BYTES + 1), 413),
    ],
)
def test_a_request_that_starts_nothing_leaves_nothing(served, method, body, status):
    assert served(asking(method, OFFER_PATH, body)) == status


@pytest.mark.parametrize(
    ("method", "body", "status"),
    [
        ("PATCH", candidates("garbage"), 500),
        ("PATCH", candidates("candidate:1 1 udp 1 nowhere.local 1 typ host"), 200),
        ("PATCH", candidates("candidate:1 1 tcp 1 192.0.2.1 9 typ host tcptype active", ""), 200),
        ("PATCH", candidates("candidate:1 1 udp 1 192.0.2.1 99999999 typ host"), 200),
        ("PATCH", candidates(*["candidate:1 1 udp 1 192.0.2.1 9 typ host"] * 200), 200),
        ("POST", {"sdp": "m=nonsense", "type": "offer", "pc_id": "PC"}, 500),
    ],
)
def test_a_request_about_a_connection_leaves_the_connection(served, method, body, status):
    assert served(asking(method, OFFER_PATH, body, joined=True)) == status


def test_a_description_of_nothing_is_answered_and_goes_with_the_server(served):
    # As the published server does: without a medium there is nothing that could fail to connect.
    async def steps(server):
        response = await server.client.post(OFFER_PATH, json={"sdp": "garbage", "type": "offer"})
        return response.status_code, len(open_connections())

    assert served(steps) == (200, 1)


@pytest.mark.parametrize("preset", SERVER_PRESETS)
def test_an_offer_to_restart_that_cannot_be_applied_can_be_made_again(served, preset):
    async def steps(server):
        first, second = Client(), Client()
        name = await first.join(server)
        broken = {"sdp": "m=nonsense", "type": "offer", "pc_id": name, "restart_pc": True}
        status = (await server.client.post(OFFER_PATH, json=broken)).status_code
        await second.join(server, pc_id=name, restart_pc=True)
        state = second.channel.readyState
        for client in (first, second):
            await client.pc.close()
        return status, state

    assert served(steps, behaviour=SERVER_PRESETS[preset]) == (500, "open")


def test_nothing_that_is_said_disturbs_the_bot(served):
    async def steps(server):
        client = Client()
        await client.join(server)
        for message in (
            "{", "[]", "5", "{}", b"\xff", "ping" * 10_000, "x" * 200_000,
            {"type": "client-message"}, {"type": "client-message", "data": 5},
            {"type": "client-message", "data": {"t": "simlab-probe", "d": "x"}},
            {"type": "client-message", "data": {"t": ["simlab-probe"]}, "id": 5},
            {"type": ["client-ready"]}, {"type": "client-ready", "id": None},
        ):  # fmt: skip
            client.say(message)
        client.say({"type": "client-message", "id": "7", "data": {"t": "hello", "d": 1}})
        await asyncio.sleep(2.0)
        await client.pc.close()
        return [(message["type"], message.get("data")) for message in client.received]

    answers = served(steps)
    assert [kind for kind, _ in answers] == ["server-response", "bot-ready", "server-response"]
    assert answers[-1] == ("server-response", {"t": "hello", "d": 1})


def test_single_mode_takes_nobody_any_more_after_a_restart_and_a_close(served):
    # Faults S1 and S2.
    async def steps(server):
        clients = [Client() for _ in range(3)]
        name = await clients[0].join(server)
        await clients[1].join(server, pc_id=name, restart_pc=True)
        await clients[0].pc.close()
        await clients[1].pc.close()
        await asyncio.sleep(1.0)
        offer = {"sdp": await clients[2].offer(), "type": "offer"}
        response = await server.client.post(OFFER_PATH, json=offer)
        await clients[2].pc.close()
        return response.status_code, response.json().get("detail")

    published, fixed = (served(steps, mode="single", behaviour=b) for b in SERVER_PRESETS.values())
    assert published == (400, "Cannot create new connection with existing connection active")
    assert fixed == (200, None)


@pytest.mark.parametrize(
    ("method", "body", "status"),
    [
        ("POST", {"type": "offer"}, 422),
        ("POST", "not json", 422),
        ("POST", {"sdp": "m=nonsense", "type": "offer"}, 500),
        ("PATCH", PATCH, 404),
    ],
)
def test_errors_in_a_session_keep_their_status_without_fault_s10(served, method, body, status):
    async def steps(server):
        session_id = (await server.client.post("/start")).json()["sessionId"]
        return await asking(method, f"/sessions/{session_id}{OFFER_PATH}", body)(server)

    published, fixed = (served(steps, behaviour=behaviour) for behaviour in SERVER_PRESETS.values())
    assert (published, fixed) == (400, status)
