"""The live page and its commands over HTTP, for whoever has the token."""

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web

from simlab.core.errors import InvalidInputError, SimlabError
from simlab.core.timeline import Event, Recorder
from simlab.live.intercept.commands import Commands
from simlab.live.intercept.log import Log
from simlab.live.remote.guard import is_by_another_page
from simlab.live.remote.live_page import HEADERS, live_page

_PAGE = Path(__file__).parent / "page"
_LARGEST_COMMAND_BYTES = 2**20
_SHOWN_S = 120.0
_STATE_S = 1.0
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Panel:
    """Serve the live page.

    Parameters
    ----------
    token
        What every request has to carry, as ``?token=`` or as ``Authorization: Bearer``.
    """

    def __init__(self, commands: Commands, log: Log, record: Recorder, token: str) -> None:
        self._commands = commands
        self._log = log
        self._record = record
        self._token = token
        self._hosts: frozenset[str] = frozenset()
        self._stopped = asyncio.Event()
        app = web.Application(client_max_size=_LARGEST_COMMAND_BYTES, middlewares=[self._guard])
        app.router.add_get("/", self._index)
        app.router.add_get("/api/events", self._events)
        app.router.add_post("/api/{command}", self._command)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)

    async def start(self, host: str, port: int) -> str:
        """Listen, and return the URL of the page.

        Raises
        ------
        OSError
            If it cannot.
        """
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        port = int(self._runner.addresses[0][1])
        shown = f"[{host}]" if ":" in host else host
        # A name that leads here only by somebody else's doing is nobody's business.
        self._hosts = frozenset(f"{name}:{port}" for name in (shown, "localhost", "127.0.0.1", "[::1]"))
        return f"http://{shown}:{port}/?token={self._token}"

    async def stop(self) -> None:
        """Stop listening."""
        self._stopped.set()
        await self._runner.cleanup()

    @web.middleware
    async def _guard(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        given = request.query.get("token") or request.headers.get("Authorization", "").removeprefix("Bearer ")
        right = hmac.compare_digest(given.encode(), self._token.encode())
        if not right or request.headers.get("Host", "").lower() not in self._hosts:
            return web.Response(status=403)
        if is_by_another_page(request):
            return web.Response(status=403)
        return await handler(request)

    async def _index(self, _: web.Request) -> web.Response:
        return web.Response(text=page(), content_type="text/html", headers=HEADERS)

    async def _command(self, request: web.Request) -> web.Response:
        name = request.match_info["command"]
        try:
            body = await request.read()
            given = json.loads(body) if body else {}
        except (ValueError, RecursionError) as error:
            return _refused(400, f"{name}: the body is not JSON: {error}")
        try:
            answer = await self._commands.do(name, given)
        except InvalidInputError as error:
            return _refused(400 if name in self._commands.commands else 404, *error.faults)
        except SimlabError as error:
            return _refused(500, str(error))
        return web.json_response({"answer": answer}, headers=HEADERS)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """Stream what happens, as server-sent events: those of the timeline, and every second the state."""
        headers = {**HEADERS, "Content-Type": "text/event-stream"}
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        sending = [
            asyncio.create_task(self._send_events(response)),
            asyncio.create_task(self._send_states(response)),
            asyncio.create_task(self._stopped.wait()),
        ]
        try:
            await asyncio.wait(sending, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in sending:
                task.cancel()
            await asyncio.gather(*sending, return_exceptions=True)
        return response

    async def _send_events(self, response: web.StreamResponse) -> None:
        async for event in self._log.listen(_SHOWN_S, self._record.now_s()):
            await response.write(_sse("event", _told(event)))

    async def _send_states(self, response: web.StreamResponse) -> None:
        while True:
            state = await self._commands.do("status", {})
            clients = await self._commands.do("clients", {})
            await response.write(_sse("state", {**state, **clients}))
            await asyncio.sleep(_STATE_S)


def page() -> str:
    """Return the page with its style and script in it."""
    return live_page(_PAGE / "index.html", _PAGE / "panel.js")


def _refused(status: int, *faults: str) -> web.Response:
    return web.json_response({"faults": faults}, status=status, headers=HEADERS)


def _told(event: Event) -> dict[str, object]:
    return {"t_s": event.t_s, "source": event.source, "kind": event.kind, **event.data}


def _sse(name: str, value: object) -> bytes:
    return f"event: {name}\ndata: {json.dumps(value, separators=(',', ':'))}\n\n".encode()
