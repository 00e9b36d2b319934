"""The signalling path: a proxy that delays, breaks and rewrites what client and server say over HTTP."""

import asyncio
import socket
import struct
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any, NoReturn, TypeVar
from weakref import WeakKeyDictionary

from aiohttp import web

from simlab.core.link import Link
from simlab.core.packet import Direction
from simlab.core.timeline import Recorder
from simlab.profile.faults import SignallingHow
from simlab.webrtc.candidates import Rewrite
from simlab.webrtc.exchange import INJECTED, Exchange
from simlab.webrtc.flow import Flow
from simlab.webrtc.signalling_path import FaultPicker, Path, Tampers
from simlab.webrtc.signalling_tcp import ConnectionDeadError
from simlab.webrtc.signalling_way import way
from simlab.webrtc.upstream import Answer, ServerGoneError

T = TypeVar("T")

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # struct linger: on, for 0 s
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
        self._path = path
        self._picker = FaultPicker(path.faults)
        self._way = way(path, links, record)
        self._opened_s: WeakKeyDictionary[asyncio.BaseTransport, float] = WeakKeyDictionary()
        self._record = record
        app = web.Application(client_max_size=2**24)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        self._site: web.TCPSite | None = None
        self._address = ("", 0)
        self._timers: list[asyncio.TimerHandle] = []
        self._under_way: list[web.Request] = []
        self._flows: dict[asyncio.Task[Any], Flow] = {}
        self._hanging: set[asyncio.Task[Any]] = set()
        self._exchange = Exchange(upstream, to_server, to_client, self._faulted, self._spawn)

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
            if fault.how.kind == "half-open":
                self._at(fault.at_s, self._silence)
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

    def _spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.get_running_loop().create_task(work)
        self._hanging.add(task)
        task.add_done_callback(self._hanging.discard)
        return task

    async def _listen(self) -> None:
        self._site = web.TCPSite(self._runner, *self._address, reuse_address=True)
        await self._site.start()

    async def _refuse(self) -> None:
        if self._site is not None:
            await self._site.stop()

    async def _silence(self) -> None:
        for flow in self._flows.values():
            flow.is_silent = True

    async def stop(self) -> None:
        """Stop listening and drop what is under way."""
        for timer in self._timers:
            timer.cancel()
        for task in list(self._hanging):
            task.cancel()
        self._way.close()
        await self._runner.cleanup()
        await self._exchange.close()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        """Answer a request. A client that goes ends a stream; else what it has asked is done all the same."""
        task = self._spawn(self._handle_to_the_end(request))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if task in self._flows:
                task.cancel()
            raise

    async def _handle_to_the_end(self, request: web.Request) -> web.StreamResponse:
        self._under_way.append(request)
        try:
            return await self._respond(request)
        except ConnectionDeadError:
            return self._lost(request, "connection dead")
        except ServerGoneError:
            # Without the proxy, the client's own connection would fail; a 502 would be the proxy's word.
            return self._lost(request, "server unreachable")
        except (_AbortedError, ConnectionError):
            # Nobody is there to get this. The handler of a request must not fail, or aiohttp logs it.
            return web.Response()
        finally:
            self._under_way.remove(request)

    def _lost(self, request: web.Request, how: str) -> web.Response:
        self._faulted(how)
        with suppress(_AbortedError):
            self._abort(request)
        return web.Response()

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
        answer = await self._exchange.run(request, tampers)
        try:
            if fault is not None:
                return await self._spoil(fault.how, request, answer, tampers)
            return await self._answer(request, answer)
        finally:
            await answer.close()

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

    async def _answer(self, request: web.Request, answer: Answer) -> web.StreamResponse:
        """Let an answer take its way to the client, to its end if it comes in pieces."""
        if answer.coming is None:
            return await self._whole(request, answer.head)
        flow = self._flow(request, answer)
        task = asyncio.current_task()
        assert task is not None
        self._flows[task] = flow
        try:
            return await flow.run()
        finally:
            del self._flows[task]

    def _flow(self, request: web.Request, answer: Answer) -> Flow:
        return Flow(request, answer, self._way, lambda: self._answered(answer.head))

    async def _whole(self, request: web.Request, response: web.Response) -> web.Response:
        await self._way.down(request, response)
        self._answered(response)
        return response

    def _answered(self, response: web.Response) -> None:
        self._record("signalling", "response", status=response.status)

    async def _suffer(self, how: SignallingHow, request: web.Request) -> web.Response | None:
        """Do to a request what the fault says; None lets it go on."""
        if how.status is not None:
            return await self._whole(request, web.json_response(INJECTED, status=how.status))
        if how.kind in {"refused", "reset"}:
            self._abort(request)
        if how.kind == "hang":
            await asyncio.Event().wait()
        await asyncio.sleep(how.wait_s or 0.0)
        return None

    async def _spoil(
        self, how: SignallingHow, request: web.Request, answer: Answer, tampers: Tampers
    ) -> web.StreamResponse:
        """Do to an answer what the fault says."""
        if how.kind == "lost-response":
            self._abort(request)
        if how.kind == "duplicate":
            return await self._duplicate(request, answer, tampers)
        if how.kind == "invalid-json":
            return await self._whole(request, web.Response(text=_PORTAL, content_type="text/html"))
        if how.kind == "truncated":
            await self._truncate(request, answer)
        return await self._answer(request, answer)

    async def _duplicate(self, request: web.Request, first: Answer, tampers: Tampers) -> web.StreamResponse:
        await first.close()
        second = await self._exchange.run(request, tampers)
        try:
            return await self._answer(request, second)
        finally:
            await second.close()

    def _abort(self, request: web.Request) -> NoReturn:
        if request.transport is not None:
            # Without this the kernel ends the connection in good order instead of resetting it.
            system_socket = request.transport.get_extra_info("socket")
            system_socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            request.transport.abort()
        raise _AbortedError

    async def _truncate(self, request: web.Request, answer: Answer) -> NoReturn:
        """Promise the whole body, send half of it, and end the connection."""
        if answer.coming is not None:
            await self._flow(request, answer).run_half()
        else:
            await self._whole(request, answer.head)
            body = answer.head.body if isinstance(answer.head.body, bytes) else b""
            half = web.StreamResponse(status=answer.head.status, headers=answer.head.headers)
            half.content_length = len(body)
            await half.prepare(request)
            await half.write(body[: len(body) // 2])
        if request.transport is not None:
            request.transport.close()
        raise _AbortedError
