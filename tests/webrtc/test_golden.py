"""The client does what was measured of the published one: states, callbacks, requests and messages, in order.

``golden/published_client.json`` is what ``golden/measure.mjs`` says of the packages that it names. There the
peer connection and the server are fakes; here both are real, in the virtual world.
"""

import asyncio
import json
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiortc import RTCIceServer, RTCPeerConnection

from simlab.core.timeline import Recorder
from simlab.webrtc.connection import SmallWebRTCConnection
from simlab.webrtc.errors import RTVIError
from simlab.webrtc.handler import RequestHandler
from simlab.webrtc.peer import PeerError
from simlab.webrtc.request_params import RequestParams
from simlab.webrtc.routes import Routes
from simlab.webrtc.transport import SmallWebRTCTransport
from tests.webrtc.clients import OFFERS, PORT, SERVER, Log, serve

GOLDEN = json.loads((Path(__file__).parent / "golden" / "published_client.json").read_text())["scenarios"]
START = RequestParams(f"http://{SERVER}:{PORT}/start")
REFUSALS = (RTVIError, PeerError, json.JSONDecodeError)


class Stage:
    """A client, and a server whose answers to POST can be planned, and what both have seen."""

    def __init__(self):
        self.log = Log()
        self.requests, self.messages, self.answers, self.names = [], [], [], []
        self.connections = []
        self.transport = None

    def make(self, **options):
        options = {"webrtc_request_params": RequestParams(OFFERS)} | options
        self.transport = SmallWebRTCTransport(callbacks=self.log.callbacks, **options)
        return self.transport

    async def outcome(self, work, what="connect"):
        try:
            await work
        except REFUSALS:
            self.log.append((what, "rejected"))
        else:
            self.log.append((what, "resolved"))

    async def attempt(self, work, what):
        try:
            await work()
        except REFUSALS:
            self.log.append((what, "refused"))

    async def connected(self, **options):
        transport = self.make(**options)
        await self.outcome(transport.connect())
        await asyncio.sleep(0.1)
        return transport

    def lose(self):
        """Let the client think that its path is lost for good."""
        self.transport._reconnection._state_changed("ice", lambda _: "failed")

    def plan(self, status, value=None, text=None):
        async def answer():
            return web.Response(
                status=status,
                text=json.dumps(value) if text is None else text,
                content_type="application/json",
            )

        self.answers.append(answer)

    def plan_to_hang(self):
        """Plan an answer that waits for the event that is returned."""
        go = asyncio.Event()

        async def answer():
            await go.wait()

        self.answers.append(answer)
        return go

    def app(self, handler, record):
        app = Routes(handler, record).application()
        outer = web.Application()

        async def handle(request):
            body = await request.json() if request.can_read_body else None
            self.requests.append(self._noted(request, body))
            planned = self.answers.pop(0) if request.method == "POST" and self.answers else None
            answer = await planned() if planned is not None else None
            if answer is None:
                match = await app.router.resolve(request)
                request._match_info = match
                answer = await match.handler(request)
            self._name(answer)
            return answer

        outer.router.add_route("*", "/{path:.*}", handle)
        return outer

    def _noted(self, request, body):
        noted = {"at_s": asyncio.get_running_loop().time(), "method": request.method, "path": request.path}
        if isinstance(body, dict) and "pc_id" in body:
            noted["pc_id"] = None if body["pc_id"] is None else self.names.index(body["pc_id"])
        if isinstance(body, dict) and "sdp" in body:
            noted["restart"] = body["restart_pc"]
        return noted

    def _name(self, answer):
        try:
            name = json.loads(answer.text).get("pc_id")
        except (ValueError, AttributeError):
            return
        if name is not None and name not in self.names:
            self.names.append(name)

    def started(self, connection, _):
        self.connections.append(connection)

        def heard(message):
            self.messages.append([message["type"]])
            if message["type"] == "client-ready":
                data = {"version": "2.1.0"}
                connection.send({"id": message["id"], "label": "rtvi-ai", "type": "bot-ready", "data": data})

        connection.events.on("app-message", heard)
        connection.events.on("track-status", lambda *status: self.messages.append(["trackStatus", *status]))
        connection.events.spawn(connection.connect())

    def told(self):
        shapes = {
            "transport_state_changed": lambda state: ["state", state],
            "media_state_changed": lambda state: ["media_state_changed", state["mic"], state["cam"]],
            "connect": lambda outcome: ["connect", outcome],
            "request": lambda outcome: ["request", outcome],
            "send": lambda outcome: ["send", outcome],
        }
        # Tracks of the bot come and go with the peer connection, of which the measured one was a fake.
        lines = [entry for entry in self.log if not entry[0].startswith("track_")]
        return [shapes.get(name, lambda *_, name=name: [name])(*args) for name, *args in lines]


@asynccontextmanager
async def staged():
    stage = Stage()
    record = Recorder(asyncio.get_running_loop().time)
    handler = RequestHandler(record, stage.started)
    runner = await serve(stage.app(handler, record))
    try:
        yield stage
    finally:
        if stage.transport is not None:
            await stage.transport.release()
        await handler.close()
        await runner.cleanup()


async def connect_and_disconnect(stage):
    await (await stage.connected()).disconnect()


async def every_first_offer_is_answered_500(stage):
    for _ in range(4):
        stage.plan(500, {})
    await stage.outcome(stage.make().connect())


async def the_first_offer_is_answered_404(stage):
    stage.plan(404, {})
    await stage.outcome(stage.make().connect())


async def every_first_answer_lacks_its_sdp(stage):
    for _ in range(4):
        stage.plan(200, {"type": "answer", "pc_id": "x"})
    await stage.outcome(stage.make().connect())


async def every_first_answer_is_not_json(stage):
    for _ in range(4):
        stage.plan(200, text="<html>")
    await stage.outcome(stage.make().connect())


async def disconnected_while_the_first_offer_waits(stage):
    go = stage.plan_to_hang()
    transport = stage.make()
    connecting = asyncio.create_task(stage.outcome(transport.connect()))
    await asyncio.sleep(0.1)
    await transport.disconnect()
    go.set()
    await asyncio.sleep(0.2)
    await stage.attempt(transport.connect, "connect")
    connecting.cancel()


async def disconnected_while_the_channel_is_not_open(stage):
    stage.plan(200, await unreachable_answer())
    transport = stage.make()
    connecting = asyncio.create_task(stage.outcome(transport.connect()))
    await asyncio.sleep(1)
    await transport.disconnect()
    await connecting


async def unreachable_answer():
    """Return the answer of a server that sends no candidates, so that the client can't reach it."""
    async with staged_connection() as (offer, connection):
        answer = await connection.answer(offer)
    lines = [line for line in answer["sdp"].splitlines() if "candidate" not in line]
    return answer | {"sdp": "\r\n".join(lines) + "\r\n"}


@asynccontextmanager
async def staged_connection():
    client, connection = RTCPeerConnection(), SmallWebRTCConnection()
    client.addTransceiver("audio")
    client.addTransceiver("video")
    client.createDataChannel("chat")
    await client.setLocalDescription(await client.createOffer())
    try:
        yield client.localDescription.sdp, connection
    finally:
        await client.close()
        await connection.close("test")


async def reconnected(stage):
    await stage.connected()
    stage.lose()
    await asyncio.sleep(0.5)


async def offers_fail_after_it_was_connected(stage):
    await stage.connected()
    for _ in range(3):
        stage.plan(503, {})
    stage.lose()
    await asyncio.sleep(7)


async def the_offer_of_a_reconnection_is_answered_400(stage):
    await stage.connected()
    stage.plan(400, {})
    stage.lose()
    await asyncio.sleep(0.5)


async def disconnected_while_the_offer_of_a_reconnection_waits(stage):
    transport = await stage.connected()
    go = stage.plan_to_hang()
    stage.lose()
    await asyncio.sleep(0.02)
    await transport.disconnect()
    go.set()
    await asyncio.sleep(3)
    connecting = asyncio.create_task(transport.connect())
    await asyncio.sleep(0.5)
    connecting.cancel()


async def the_bot_leaves(stage):
    await stage.connected()
    await stage.connections[0].disconnect()


async def the_bot_leaves_and_the_client_stays(stage):
    await stage.connected(disconnect_on_bot_disconnect=False)
    await stage.connections[0].disconnect()


async def the_server_asks_for_a_new_offer(stage):
    await stage.connected()
    stage.connections[0].send({"type": "signalling", "message": {"type": "renegotiate"}})
    await asyncio.sleep(0.5)


async def a_fatal_error(stage):
    await stage.connected()
    fatal = {"error": "oh", "fatal": True}
    stage.connections[0].send({"id": "e", "label": "rtvi-ai", "type": "error", "data": fatal})


async def a_bot_is_started_and_then_connected_to(stage):
    await stage.outcome(stage.make(webrtc_request_params=None).start_bot_and_connect(START))


async def a_bot_is_refused(stage):
    stage.plan(503, {"info": "full"})
    await stage.outcome(stage.make().start_bot_and_connect(START))


async def a_bot_is_refused_and_not_in_json(stage):
    stage.plan(502, text="<html>")
    transport = stage.make()
    await stage.outcome(transport.start_bot_and_connect(START))
    await stage.attempt(transport.connect, "connect")


async def nobody_has_said_where_offers_go(stage):
    await stage.outcome(stage.make(webrtc_request_params=None).connect())


async def parameters_that_are_no_mapping(stage):
    await stage.outcome(stage.make().connect(7))


async def there_can_be_no_peer_connection(stage):
    await stage.outcome(stage.make(ice_servers=[RTCIceServer("turn:")]).connect())


async def candidates_come_late_and_offers_wait_for_them(stage):
    dead = RTCIceServer("stun:10.0.0.99")
    connecting = asyncio.create_task(stage.make(ice_servers=[dead], wait_for_ice_gathering=True).connect())
    await asyncio.sleep(6)
    connecting.cancel()


async def a_request_that_nobody_answers(stage):
    transport = await stage.connected()
    await stage.outcome(transport.send_client_request("anyone"), "request")


async def sent_before_it_is_ready(stage):
    async def send():
        stage.make().send_client_message("hello")

    await stage.attempt(send, "send")


SCENARIOS = {name: globals()[name.lower().replace(",", "").replace(" ", "_")] for name in GOLDEN}


def normal(requests):
    """Return requests with the session that the server has named as it is in the measured ones."""
    known = [r | {"path": "/sessions/s1/api/offer"} if "/sessions/" in r["path"] else r for r in requests]
    return [{key: value for key, value in request.items() if key != "at_s"} for request in known]


def since_the_first_s(requests):
    return [request["at_s"] - requests[0]["at_s"] for request in requests]


@pytest.mark.parametrize("name", SCENARIOS)
def test_it_does_what_the_published_client_does(run, name):
    async def play():
        async with staged() as stage:
            await SCENARIOS[name](stage)
            await asyncio.sleep(0.1)
            return stage.told(), list(stage.requests), list(stage.messages)

    told, requests, messages = run(play())
    golden = GOLDEN[name]
    cut = len(golden["told"]) if name == "candidates come late, and offers wait for them" else None
    assert told[:cut] == golden["told"]
    assert normal(requests) == normal(golden["requests"])
    # The measured times are those of real timers, to a tenth of a second, on a machine that had other work.
    assert since_the_first_s(requests) == pytest.approx(since_the_first_s(golden["requests"]), abs=0.25)
    if cut is None:
        assert messages == golden["messages"]
