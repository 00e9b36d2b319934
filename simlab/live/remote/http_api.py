"""The HTTP API: the commands of the control socket for whoever has the token, and events as they happen.

``GET /`` is the live page, which uses the API. ``POST /api/COMMAND`` takes arguments as JSON; ``GET``
does for those that change nothing. ``GET /api/events`` is a stream of server-sent events.
"""

import hmac
import ipaddress
import json
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from aiohttp import web

from simlab.core.errors import InvalidInputError, SessionFailedError, SimlabError
from simlab.live.remote.dispatcher import Dispatcher
from simlab.live.remote.guard import is_by_another_page
from simlab.live.remote.live_page import HEADERS, relay_page
from simlab.live.sockets import endpoint_text
from simlab.live.udp.flows import Address

_MOST_BYTES = 2**24
_READING = ("status", "stats", "clients", "settings")
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class HttpApi:
    """Serve the API.

    Parameters
    ----------
    address
        Where.
    name
        The host by which it was asked for: a Host header may say so.
    """

    def __init__(self, service: Dispatcher, address: Address, name: str) -> None:
        self._service = service
        self._address = address
        self._name = name
        self.token = secrets.token_urlsafe(32)
        self._app = web.Application(middlewares=[self._guard], client_max_size=_MOST_BYTES)
        self._app.add_routes(
            [
                web.get("/", self._page),
                web.get("/api/events", self._events),
                web.get("/api/{command}", self._read),
                web.post("/api/{command}", self._do),
            ]
        )
        self._runner = web.AppRunner(self._app, access_log=None, shutdown_timeout=0.5)

    async def start(self) -> Address:
        """Listen, and return where.

        Raises
        ------
        SessionFailedError
            If it cannot.
        """
        await self._runner.setup()
        host, port = self._address
        try:
            await web.TCPSite(self._runner, host, port).start()
        except OSError as error:
            reason = f"cannot listen on {endpoint_text(self._address)}: {error.strerror or error}"
            raise SessionFailedError("control", reason) from error
        host, port = self._runner.addresses[0][:2]
        return host, port

    async def stop(self) -> None:
        """Hang up on everybody."""
        await self._runner.cleanup()

    @web.middleware
    async def _guard(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        """Let nobody in by another name (DNS rebinding), from another page, or without the token."""
        if not _is_ours(request.host, self._name):
            return _refused(403, "this Host is not served")
        if is_by_another_page(request):
            return _refused(403, "pages of another origin are not served")
        if not hmac.compare_digest(_token_of(request).encode(), self.token.encode()):
            return _refused(401, "want the token", **{"WWW-Authenticate": "Bearer"})
        return await handler(request)

    async def _page(self, _: web.Request) -> web.StreamResponse:
        return web.Response(text=relay_page(), content_type="text/html", headers=HEADERS)

    async def _read(self, request: web.Request) -> web.StreamResponse:
        command = request.match_info["command"]
        if command in self._service.commands and command not in _READING:
            return _refused(405, f"{command}: want POST", Allow="POST")
        return await self._answer(command, {})

    async def _do(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        try:
            given = json.loads(body) if body else {}
        except (ValueError, RecursionError) as error:
            return _refused(400, f"the body is not JSON: {error}")
        return await self._answer(request.match_info["command"], given)

    async def _answer(self, command: str, given: Any) -> web.StreamResponse:
        try:
            answer = await self._service.do(command, given)
        except InvalidInputError as error:
            status = 400 if command in self._service.commands else 404
            return web.json_response({"faults": list(error.faults)}, status=status)
        except SimlabError as error:
            return _refused(500, str(error))
        return web.json_response({"answer": answer})

    async def _events(self, request: web.Request) -> web.StreamResponse:
        headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        with suppress(ConnectionError):
            async for event in self._service.watch():
                await response.write(b"data: " + json.dumps(event).encode() + b"\n\n")
        return response


def _refused(status: int, fault: str, **headers: str) -> web.StreamResponse:
    return web.json_response({"faults": [fault]}, status=status, headers=headers)


def _token_of(request: web.Request) -> str:
    # A browser's EventSource cannot set headers.
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else request.query.get("token", "")


def _is_ours(host: str, name: str) -> bool:
    """Tell whether a Host header names an address, which no DNS can turn, or a name of our own."""
    bare = host.rpartition("]")[0].removeprefix("[") if host.startswith("[") else host.partition(":")[0]
    try:
        ipaddress.ip_address(bare)
    except ValueError:
        return bare.lower() in ("localhost", name.lower())
    return True
