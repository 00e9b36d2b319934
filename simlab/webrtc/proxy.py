"""The signalling path: a proxy that delays, breaks and rewrites what client and server say over HTTP."""

import asyncio
import socket
import struct
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any, NoReturn
from weakref import WeakKeyDictionary

from aiohttp import web

from simlab.core.link import Link
from simlab.core.packet import Direction
from simlab.core.timeline import Recorder
from simlab.profile.faults import SignallingHow
from simlab.webrtc import messages
from simlab.webrtc.candidates import Rewrite
from simlab.webrtc.http import http_client
from simlab.webrtc.lean import httpx
from simlab.webrtc.signalling_path import FaultPicker, Path, Tampers
from simlab.webrtc.signalling_rewrite import Rewriter, parsed, split_offer
from simlab.webrtc.signalling_tcp import ConnectionDeadError
from simlab.webrtc.signalling_way import way

_HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "content-length", "host", "date", "server"}
)
# What httpx asks for is what it can read, and what it has read is passed on uncompressed.
_NOT_ASKED = _HOP_BY_HOP | {"accept-encoding"}
_NOT_ANSWERED = _HOP_BY_HOP | {"content-encoding"}
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # struct linger: on, for 0 s
_INJECTED = {"detail": "injected by simlab"}
_PORTAL = "<!doctype html><title>Welcome</title><p>Please log in to use this network.</p>"


class _AbortedError(Exception):
    """The client's connection is gone."""


class SignallingProxy:
    """Stand between client and server.

    Parameters
    ----------
    upstream
        The server's address, ``http://HOST:PORT``.
    to_server, to_client
        Give the address under which one side's candidate can be reached by the other.
    links
        What the segments of the signalling cross; None delays requests as the path says, and nothing more.
    """

    def __init__(
        self,
        upstream: str,
        path: Path,
        record: Recorder,
        to_server: Rewrite,
        to_client: Rewrite,
        links: Mapping[Direction, Link] | None = None,
    ) -> None:
        self._upstream = upstream
        self._path = path
        self._picker = FaultPicker(path.faults)
        self._way = way(path, links, record)
        self._opened_s: WeakKeyDictionary[asyncio.BaseTransport, float] = WeakKeyDictionary()
        self._record = record
        self._up = Rewriter(Direction.UP, to_server)
        self._down = Rewriter(Direction.DOWN, to_client)
        self._client = http_client()
        app = web.Application(client_max_size=2**24)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        self._site: web.TCPSite | None = None
        self._address = ("", 0)
        self._timers: list[asyncio.TimerHandle] = []
        self._under_way: list[web.Request] = []
        self._hanging: set[asyncio.Task[Any]] = set()

    async def start(self, host: str, port: int) -> None:
        """Listen.

        Raises
        ------
        OSError
            If the port is in use.
        """
        self._address = (host, port)
        await self._runner.setup()
        await self._listen()
        if port == 0:  # any free one, and the same one after a refusal
            self._address = (host, int(self._runner.addresses[0][1]))

    def schedule(self) -> None:
        """Go down and up, and cut requests off, as the faults want. The session's time must be known."""
        for fault in self._path.faults:
            if fault.how.kind == "refused":
                self._at(fault.at_s, self._refuse)
                self._at(fault.until_s, self._listen)
        for handover in self._path.handovers:
            self._at(handover.at_s, self._cut_all)

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._address[1]

    def _at(self, at_s: float, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        loop = asyncio.get_running_loop()
        delay_s = at_s - self._record.now_s()
        self._timers.append(loop.call_later(delay_s, lambda: self._spawn(work())))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._hanging.add(task)
        task.add_done_callback(self._hanging.discard)

    async def _listen(self) -> None:
        self._site = web.TCPSite(self._runner, *self._address, reuse_address=True)
        await self._site.start()

    async def _refuse(self) -> None:
        if self._site is not None:
            await self._site.stop()

    async def stop(self) -> None:
        """Stop listening and drop what is under way."""
        for timer in self._timers:
            timer.cancel()
        for task in list(self._hanging):
            task.cancel()
        self._way.close()
        await self._runner.cleanup()
        await self._client.aclose()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self._under_way.append(request)
        try:
            return await self._respond(request)
        except ConnectionDeadError:
            self._faulted("connection dead")
            with suppress(_AbortedError):
                self._abort(request)
            return web.Response()
        except (_AbortedError, ConnectionError):
            # Nobody is there to get this. The handler of a request must not fail, or aiohttp logs it.
            return web.Response()
        finally:
            self._under_way.remove(request)

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        self._record("signalling", "request", method=request.method, path=request.path)
        now_s = self._record.now_s()
        if self._path.is_cut_at(now_s):
            self._cut(request)
        fault = self._picker.pick(request.method, now_s, self._opening_s(request, now_s))
        tampers = self._path.tampers_at(now_s)
        if fault is not None and fault.how.kind == "half-open":
            self._faulted(fault.how.text)
            await self._way.lose(request)
            raise ConnectionDeadError
        await self._way.up(request)
        if fault is not None:
            self._faulted(fault.how.text)
            refusal = await self._suffer(fault.how, request)
            if refusal is not None:
                return refusal
        response = await self._exchange(request, tampers)
        if fault is not None:
            return await self._spoil(fault.how, request, response, tampers)
        return await self._answer(request, response)

    def _opening_s(self, request: web.Request, now_s: float) -> float:
        """Return when a request's connection was first used."""
        return now_s if request.transport is None else self._opened_s.setdefault(request.transport, now_s)

    async def _cut_all(self) -> None:
        for request in self._under_way:
            with suppress(_AbortedError):
                self._cut(request)

    def _cut(self, request: web.Request) -> NoReturn:
        self._faulted("handover")
        self._abort(request)

    def _faulted(self, how: str) -> None:
        self._record("signalling", "faulted", how=how)

    async def _answer(self, request: web.Request, response: web.Response) -> web.Response:
        """Let a response take its way to the client."""
        await self._way.down(request, response)
        self._record("signalling", "response", status=response.status)
        return response

    async def _suffer(self, how: SignallingHow, request: web.Request) -> web.Response | None:
        """Do to a request what the fault says; None lets it go on."""
        if how.status is not None:
            return await self._answer(request, web.json_response(_INJECTED, status=how.status))
        if how.kind in {"refused", "reset"}:
            self._abort(request)
        if how.kind == "hang":
            await asyncio.Event().wait()
        await asyncio.sleep(how.wait_s or 0.0)
        return None

    async def _spoil(
        self, how: SignallingHow, request: web.Request, response: web.Response, tampers: Tampers
    ) -> web.StreamResponse:
        """Do to a response what the fault says."""
        if how.kind == "lost-response":
            self._abort(request)
        if how.kind == "duplicate":
            response = await self._exchange(request, tampers)
        if how.kind == "invalid-json":
            response = web.Response(text=_PORTAL, content_type="text/html")
        await self._answer(request, response)
        return await self._truncated(request, response) if how.kind == "truncated" else response

    def _abort(self, request: web.Request) -> NoReturn:
        if request.transport is not None:
            # Without this the kernel ends the connection in good order instead of resetting it.
            system_socket = request.transport.get_extra_info("socket")
            system_socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            request.transport.abort()
        raise _AbortedError

    async def _truncated(self, request: web.Request, response: web.Response) -> web.StreamResponse:
        """Promise the whole body, send half of it, and end the connection."""
        body = response.body if isinstance(response.body, bytes) else b""
        half = web.StreamResponse(status=response.status, headers=response.headers)
        half.content_length = len(body)
        await half.prepare(request)
        await half.write(body[: len(body) // 2])
        if request.transport is not None:
            request.transport.close()
        raise _AbortedError

    async def _exchange(self, request: web.Request, tampers: Tampers) -> web.Response:
        """Pass a request on, with what ICE failures do to its candidates, and return the response."""
        up_s, down_s = tampers.late_by_s(Direction.UP), tampers.late_by_s(Direction.DOWN)
        is_patch = request.method == "PATCH"
        if is_patch and (status := tampers.lost_patch_status()) is not None:
            self._faulted("patch-lost")
            return web.json_response({"status": "success"} if status < 400 else _INJECTED, status=status)
        body, done = await self._up.rewritten(await request.read(), tampers)
        held: list[dict[str, Any]] = []
        if up_s and not is_patch:
            body, held = split_offer(body)
        if held or (up_s and is_patch) or (down_s and not is_patch):
            done.append("candidates-late")
        for how in done:
            self._faulted(how)
        if is_patch:
            await asyncio.sleep(up_s)
        response = await self._forward(request, body, tampers)
        if held:
            self._spawn(self._trickle(request, response, held, up_s))
        if not is_patch:
            await asyncio.sleep(down_s)
        return response

    async def _forward(self, request: web.Request, body: bytes, tampers: Tampers) -> web.Response:
        headers = {k: v for k, v in request.headers.items() if k.lower() not in _NOT_ASKED}
        url = self._upstream + request.path_qs
        try:
            answer = await self._client.request(request.method, url, content=body, headers=headers)
        except httpx.HTTPError:
            # Without the proxy, the client's own connection would fail; a 502 would be the proxy's word.
            self._faulted("server unreachable")
            self._abort(request)
        content, done = await self._down.rewritten(answer.content, tampers)
        for how in done:
            self._faulted(how)
        kept = {k: v for k, v in answer.headers.items() if k.lower() not in _NOT_ANSWERED}
        return web.Response(body=content, status=answer.status_code, headers=kept)

    async def _trickle(
        self, request: web.Request, response: web.Response, candidates: list[dict[str, Any]], late_s: float
    ) -> None:
        """Bring the candidates of an offer after it, under the name that its answer gave."""
        answer = parsed(response.body) if isinstance(response.body, bytes) else None
        if answer is None or "pc_id" not in answer:
            return
        await asyncio.sleep(late_s)
        url = self._upstream + request.path_qs
        try:
            await self._client.patch(url, json=messages.trickle(answer["pc_id"], candidates))
        except httpx.HTTPError:
            return  # nobody waits for it
