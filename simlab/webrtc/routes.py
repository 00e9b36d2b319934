"""The HTTP routes of Pipecat's runner, as far as SmallWebRTC clients use them.

Source: ``pipecat/runner/run.py`` of pipecat-ai 1.14.0, with the answers that FastAPI gives by itself.
"""

import json
import uuid
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from aiohttp import web
from pydantic import TypeAdapter, ValidationError

from simlab.core.json_text import json_of
from simlab.core.timeline import Recorder
from simlab.webrtc.handler import RequestHandler, SmallWebRTCPatchRequest, SmallWebRTCRequest

OFFER_PATH = "/api/offer"
START_PATH = "/start"
LONGEST_BODY_BYTES = 2**20
DEFAULT_ICE_SERVERS = [{"urls": ["stun:stun.l.google.com:19302"]}]
_UNKNOWN_SESSION = "Invalid or not-yet-ready session_id"
_WRONG_REQUEST = "Invalid WebRTC request"

Handle = Callable[[web.Request], Awaitable[web.Response]]
M = TypeVar("M")

_OFFER = TypeAdapter(SmallWebRTCRequest)
_PATCH = TypeAdapter(SmallWebRTCPatchRequest)


class Routes:
    """The routes, and the sessions that ``/start`` has opened.

    Direct: 200; 422 for a body that lacks something; 404 for an unknown connection; 400 where single mode
    forbids it; 500 for an offer that can't be applied. Under ``/sessions/…``: 404 for an unknown session,
    and 400 for everything else that is wrong (fault S10) or, without that fault, the direct route's status.
    """

    def __init__(self, connections: RequestHandler, record: Recorder) -> None:
        self.sessions: dict[str, Any] = {}
        self._connections = connections
        self._record = record

    def application(self) -> web.Application:
        """Return a web application with these routes."""
        app = web.Application(client_max_size=LONGEST_BODY_BYTES)
        app.router.add_post(OFFER_PATH, self._answering(self._post))
        app.router.add_patch(OFFER_PATH, self._answering(self._patch))
        app.router.add_post(START_PATH, self._answering(self._start))
        app.router.add_get("/status", self._answering(self._status))
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            app.router.add_route(method, "/sessions/{id}/{path:.*}", self._answering(self._session))
        # Not a middleware of aiohttp: it keeps the last thousand applications that have any.
        app.router.add_route("*", "/{path:.*}", self._answering(self._unknown))
        return app

    def end_session(self, session_id: str | None) -> None:
        """Take in that the bot of a session is gone."""
        if session_id is not None:
            self.sessions.pop(session_id, None)

    def _answering(self, handle: Handle) -> Handle:
        async def handle_and_record(request: web.Request) -> web.Response:
            response = await _answer(handle, request)
            self._record("server", "http", method=request.method, path=request.path, status=response.status)
            return _allowing_origin(request, response)

        return handle_and_record

    async def _post(self, request: web.Request) -> web.Response:
        offer = _validated(_OFFER, await _json(request))
        return web.json_response(await self._connections.offer(offer, request.query.get("session_id")))

    async def _patch(self, request: web.Request) -> web.Response:
        await self._connections.candidates(_validated(_PATCH, await _json(request)))
        return web.json_response({"status": "success"})

    async def _status(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "ready", "transports": ["webrtc"]})

    async def _start(self, request: web.Request) -> web.Response:
        try:
            asked = json_of(await request.read())
        except ValueError:
            asked = {}
        transport = asked.get("transport")
        if transport is None:
            transport = "daily" if asked.get("createDailyRoom", False) else "webrtc"
        if transport != "webrtc":
            wrong = f"Transport '{transport}' is not allowed."
            right = "Server is configured for 'webrtc' only (-t webrtc)."
            raise web.HTTPBadRequest(text=f"{wrong} {right}")
        session_id = str(uuid.uuid4())
        self.sessions[session_id] = asked.get("body", {})
        return web.json_response({"sessionId": session_id, **self._ice_config(asked)})

    def _ice_config(self, asked: dict[str, Any]) -> dict[str, Any]:
        servers = [
            {name: value for name, value in vars(server).items() if value and name != "credentialType"}
            for server in self._connections.settings.ice_servers
        ]
        if servers or asked.get("enableDefaultIceServers"):
            return {"iceConfig": {"iceServers": servers or DEFAULT_ICE_SERVERS}}
        return {}

    async def _session(self, request: web.Request) -> web.Response:
        session_id = request.match_info["id"]
        body = self.sessions.get(session_id)
        if body is None:
            return web.Response(text=_UNKNOWN_SESSION, status=404)
        if not request.match_info["path"].endswith("api/offer"):
            return web.Response()
        try:
            return await self._session_offer(request, session_id, body)
        except Exception:
            if self._connections.settings.behaviour.sessions_answer_400:
                return web.Response(text=_WRONG_REQUEST, status=400)
            raise

    async def _session_offer(self, request: web.Request, session_id: str, body: Any) -> web.Response:
        asked = await _json(request)
        if request.method == "POST":
            offer = _validated(_OFFER, asked)
            offer.request_data = offer.request_data or asked.get("requestData") or body
            return web.json_response(await self._connections.offer(offer, session_id))
        if request.method == "PATCH":
            patch = _validated(_PATCH, {"candidates": [], **asked})
            await self._connections.candidates(patch)
            return web.json_response({"status": "success"})
        return web.Response()

    async def _unknown(self, request: web.Request) -> web.Response:
        if request.method == "OPTIONS":
            return web.Response(text="OK")
        known = {OFFER_PATH, "/start", "/status"}
        raise web.HTTPMethodNotAllowed(request.method, []) if request.path in known else web.HTTPNotFound()


async def _json(request: web.Request) -> Any:
    text = await request.read()
    if not text:
        raise _UnprocessableError(
            [{"type": "missing", "loc": ["body"], "msg": "Field required", "input": None}]
        )
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        wrong = {"type": "json_invalid", "loc": ["body", error.pos], "msg": "JSON decode error", "input": {}}
        raise _UnprocessableError([{**wrong, "ctx": {"error": error.msg}}]) from error
    except (
        ValueError,
        RecursionError,
    ) as error:  # no UTF-8, too long a number, too deep
        raise web.HTTPBadRequest(text="There was an error parsing the body") from error


def _validated(model: TypeAdapter[M], value: Any) -> M:
    try:
        return model.validate_python(value)
    except ValidationError as error:
        faults = error.errors(include_url=False)
        raise _UnprocessableError([{**fault, "loc": ["body", *fault["loc"]]} for fault in faults]) from error


class _UnprocessableError(Exception):
    """A body that is no JSON, or not of the right form."""

    def __init__(self, detail: list[Any]) -> None:
        super().__init__()
        self.detail = detail


async def _answer(handle: Handle, request: web.Request) -> web.Response:
    """Turn what is wrong with a request into the status that says so."""
    try:
        return await handle(request)
    except _UnprocessableError as error:
        return web.json_response({"detail": error.detail}, status=422)
    except web.HTTPException as error:
        detail = str(error.text).removeprefix(f"{error.status}: ")
        return web.json_response({"detail": detail}, status=error.status)
    except Exception:  # any fault of an offer is the server's answer 500
        return web.Response(text="Internal Server Error", status=500)


def _allowing_origin(request: web.Request, response: web.Response) -> web.Response:
    """Let a page of any origin read the response, as the runner does unless it is told otherwise."""
    origin = request.headers.get("Origin")
    if origin is not None:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Allow-Credentials"] = "true"
        if request.method == "OPTIONS":
            asked = request.headers.get("Access-Control-Request-Headers")
            response.headers["Access-Control-Allow-Methods"] = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"
            response.headers["Access-Control-Allow-Headers"] = asked or "*"
    return response
