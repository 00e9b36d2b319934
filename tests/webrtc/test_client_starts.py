"""How a bot is started, and what becomes of the client when it is not, or when it answers nonsense."""

import asyncio
import gc
import json
import threading

import pytest
from aiohttp import web

from simlab.webrtc.errors import (
    BotAlreadyStartedError,
    StartBotError,
    TransportStartError,
)
from simlab.webrtc.request_params import RequestParams
from tests.webrtc.clients import OFFERS, START, Log, client, serve


def start_app(answer, requests):
    """A start endpoint, and an offer endpoint that refuses, and notes what it is asked."""

    async def start(request):
        requests.append((request.path, request.headers.get("x-key"), await request.json()))
        return answer()

    async def offer(request):
        requests.append((request.path, request.headers.get("x-key"), None))
        return web.Response(status=404)

    app = web.Application()
    app.router.add_post("/start", start)
    app.router.add_post("/{path:.*}", offer)
    return app


def test_a_bot_is_started_and_its_session_is_where_offers_go(run):
    requests, log = [], Log()
    ice = {"iceServers": [{"urls": "stun:10.0.0.99"}]}

    async def play():
        app = start_app(
            lambda: web.json_response({"sessionId": "s1", "iceConfig": ice, "other": 1}), requests
        )
        runner = await serve(app)
        async with client(log, webrtc_request_params=None) as transport:
            with pytest.raises(TransportStartError) as caught:
                await transport.start_bot_and_connect(START)
            servers = [server.urls for server in transport.ice_servers]
        await runner.cleanup()
        return caught.value.status, servers

    assert run(play()) == (404, ["stun:10.0.0.99"])
    assert requests == [("/start", "7", {"body": {"a": 1}}), ("/sessions/s1/api/offer", "7", None)]
    told = log.steps()
    assert told[told.index("initialized") + 1 :] == [
        *("media_state_changed", "authenticating", "authenticated", "bot_started", "connecting"),
        *("error", "disconnected", "disconnecting", "disconnected"),
    ]


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        (lambda: web.json_response({"info": "full", "detail": "x"}, status=503), 503, "full"),
        (lambda: web.json_response({"detail": "who?"}, status=401), 401, "who?"),
        (lambda: web.json_response({}, status=418), 418, "I'm a Teapot"),
        (lambda: web.Response(text="{"), 500, "Expecting property name"),
    ],
)
def test_a_refused_start_is_a_fatal_error(run, answer, status, said):
    log = Log()

    async def play():
        runner = await serve(start_app(answer, []))
        async with client(log) as transport:
            with pytest.raises(StartBotError, match=said) as caught:
                await transport.start_bot_and_connect(START)
            await asyncio.sleep(0.1)
            state = transport.state
        await runner.cleanup()
        return caught.value.status, state

    assert run(play()) == (status, "disconnected")
    told = log.steps()
    assert told[told.index("authenticating") + 1 :] == ["error", "disconnecting", "disconnected"]


def test_a_refused_start_that_is_not_json_leaves_the_client_authenticating(run):
    log = Log()

    async def play():
        runner = await serve(start_app(lambda: web.Response(text="<html>", status=502), []))
        async with client(log) as transport:
            with pytest.raises(json.JSONDecodeError):
                await transport.start_bot_and_connect(START)
            with pytest.raises(BotAlreadyStartedError):
                await transport.connect()
            state = transport.state
            await transport.disconnect()
        await runner.cleanup()
        return state

    assert run(play()) == "authenticating"
    assert "error" not in log.names()


def test_nobody_at_the_start_endpoint(run):
    async def play():
        async with client() as transport:
            with pytest.raises(StartBotError) as caught:
                await transport.start_bot(START)
            return caught.value.status, transport.record.now_s()

    assert run(play())[0] == 500


@pytest.mark.parametrize("how", ["404", "500", "not JSON", "null", "no sdp", "broken sdp", "no answer"])
def test_wrong_answers_end_in_the_documented_state_and_leave_nothing_behind(run, how):
    answers = {
        "404": lambda: web.Response(status=404),
        "500": lambda: web.Response(status=500),
        "not JSON": lambda: web.Response(text="<html>"),
        "null": lambda: web.json_response(None),
        "no sdp": lambda: web.json_response({"type": "answer", "pc_id": "x"}),
        "broken sdp": lambda: web.json_response({"type": "answer", "pc_id": "x", "sdp": "v=0\r\nm=who\r\n"}),
        "no answer": lambda: web.json_response({"type": "offer", "pc_id": "x", "sdp": "v=0\r\n"}),
    }

    async def play():
        app = web.Application()

        async def offer(_):
            return answers[how]()

        app.router.add_post("/api/offer", offer)
        runner = await serve(app)
        async with client() as transport:
            with pytest.raises(TransportStartError) as caught:
                await transport.connect()
            offers = sum(event.kind == "offer" for event in transport.record.events)
            final = transport.state
        await runner.cleanup()
        await asyncio.sleep(10)
        gc.collect()
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        return offers, final, caught.value.status, left, len(asyncio.get_running_loop()._endpoints)

    threads = threading.active_count()
    offers, final, status, left, sockets = run(play())
    assert (offers, status) == ((1, 404) if how == "404" else (4, None))
    assert final == "disconnected"
    assert left == []
    assert sockets == 0
    assert threading.active_count() == threads


def test_a_time_limit_of_the_request_ends_an_offer_that_hangs(run):
    async def play():
        app = web.Application()

        async def hang(_):
            await asyncio.sleep(1000)

        app.router.add_post("/api/offer", hang)
        runner = await serve(app)
        async with client(webrtc_request_params=RequestParams(OFFERS, timeout_s=1.5)) as transport:
            with pytest.raises(TransportStartError):
                await transport.connect()
            times_s = [event.t_s for event in transport.record.events if event.kind == "offer"]
        await runner.cleanup()
        return times_s

    assert run(play()) == pytest.approx([0.0, 3.5, 7.0, 10.5], abs=0.05)
