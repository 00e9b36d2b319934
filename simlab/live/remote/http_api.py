"""The HTTP API: the commands of the control socket for whoever has the token, and events as they happen.

``GET /`` is the live page, which uses the API. ``POST /api/COMMAND`` takes arguments as JSON; ``GET``
does for those that change nothing. ``GET /api/events`` is a stream of server-sent events.
"""

import asyncio
import hmac
import json
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from aiohttp import web

from simlab.core.errors import InvalidInputError, SessionFailedError, SimlabError
from simlab.live.addresses import Address
from simlab.live.own_names import is_ours
from simlab.live.remote.dispatcher import Dispatcher
from simlab.live.remote.live_page import HEADERS, NO_TOKEN
from simlab.live.sockets import endpoint_text, reason_of
from simlab.webrtc.http_log import HTTP_LOG

_MOST_BYTES = 2**24
_READING = ("status", "stats", "clients", "settings")
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Told = tuple[str | None, Mapping[str, Any]]
"""The name of a server-sent event, if it has one, and what it says."""

Stream = Callable[[], AsyncGenerator[Told]]
"""Begins to tell what happens, for ever, to somebody who listens."""


class HttpApi:
    """Serve the API.

    Parameters
    ----------
    address
        Where.
    name
        The host by which it was asked for: a Host header may say so.
    page
        Returns the live page.
    streams
        What ``GET /api/events`` tells: all of them at the same time.
    """

    def __init__(
        self,
        service: Dispatcher,
        address: Address,
        name: str,
        page: Callable[[], str],
        streams: Sequence[Stream],
    ) -> None:
        self._service = service
        self._address = address
        self._name = name
        self._text = page
        self._streams = streams
        self._stopped = asyncio.Event()
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
        self._runner = web.AppRunner(self._app, access_log=None, logger=HTTP_LOG, shutdown_timeout=0.5)

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
            reason = f"cannot listen on {endpoint_text(self._address)}: {reason_of(error)}"
            raise SessionFailedError("control", reason) from error
        host, port = self._runner.addresses[0][:2]
        return host, port

    async def stop(self) -> None:
        """Hang up on everybody."""
        self._stopped.set()
        await self._runner.cleanup()

    @web.middleware
    async def _guard(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        """Let nobody in by another name (DNS rebinding), from another page, or without the token."""
        if not is_ours(request.host, [self._name]):
            return _refused(403, "this Host is not served")
        if _is_foreign(request):
            return _refused(403, "pages of another origin are not served")
        given = _token_of(request).encode(errors="replace")  # half characters, where it is not UTF-8
        if not hmac.compare_digest(given, self.token.encode()):
            return _without_token(request)
        return await handler(request)

    async def _page(self, _: web.Request) -> web.StreamResponse:
        return web.Response(text=self._text(), content_type="text/html", headers=HEADERS)

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
            return _refused(400 if command in self._service.commands else 404, *error.faults)
        except SimlabError as error:
            return _refused(500, str(error))
        return web.json_response({"answer": answer}, headers=HEADERS)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={**HEADERS, "Content-Type": "text/event-stream"})
        await response.prepare(request)
        sending = [asyncio.create_task(_send(response, stream())) for stream in self._streams]
        sending.append(asyncio.create_task(self._told_to_stop()))
        try:
            await asyncio.wait(sending, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in sending:
                task.cancel()
            await asyncio.gather(*sending, return_exceptions=True)
        return response

    async def _told_to_stop(self) -> None:
        await self._stopped.wait()


async def _send(response: web.StreamResponse, told: AsyncGenerator[Told]) -> None:
    """Write what is told, until nobody listens any more."""
    async with aclosing(told) as rows:
        async for name, what in rows:
            head = b"" if name is None else f"event: {name}\n".encode()
            data = json.dumps(what, separators=(",", ":")).encode()
            await response.write(head + b"data: " + data + b"\n\n")


def _refused(status: int, *faults: str, **headers: str) -> web.StreamResponse:
    return web.json_response({"faults": list(faults)}, status=status, headers={**HEADERS, **headers})


def _without_token(request: web.Request) -> web.StreamResponse:
    challenge = {"WWW-Authenticate": "Bearer"}
    if "text/html" not in request.headers.get("Accept", ""):
        return _refused(401, "want the token", **challenge)
    headers = {**HEADERS, **challenge}
    return web.Response(status=401, text=NO_TOKEN, content_type="text/html", headers=headers)


def _token_of(request: web.Request) -> str:
    # A browser's EventSource cannot set headers.
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else request.query.get("token", "")


def _is_foreign(request: web.Request) -> bool:
    """Tell whether a browser sends this for a page of another origin, as no script of it can help.

    ``Sec-Fetch-Site`` (Fetch Metadata, W3C) does not come over HTTP to other machines, nor from old browsers;
    ``Origin`` (RFC 6454) comes with what could change something. Programs send neither.
    """
    if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        return True
    origin = request.headers.get("Origin")
    return origin is not None and origin.partition("://")[2].lower() != request.host.lower()
