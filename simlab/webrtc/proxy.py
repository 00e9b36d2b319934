"""The signalling path: a proxy that delays, breaks and rewrites what client and server say over HTTP."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
from aiohttp import web

from simlab.core.packet import Direction
from simlab.core.timeline import Recorder
from simlab.profile.faults import SignallingFault, SignallingHow
from simlab.profile.model import Profile
from simlab.webrtc.candidates import Rewrite, rewrite_line, rewrite_sdp
from simlab.webrtc.http import ssl_context

_HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "content-length", "host", "date", "server"}
)


@dataclass(frozen=True)
class Path:
    """The network path of the signalling: one-way delays, and what is wrong with it and when."""

    delay_up_s: float
    delay_down_s: float
    faults: tuple[SignallingFault, ...] = ()

    @staticmethod
    def of(profile: Profile) -> "Path":
        """Return the path that a profile describes."""
        return Path(
            profile.signalling_delay_s(Direction.UP),
            profile.signalling_delay_s(Direction.DOWN),
            tuple(fault for fault in profile.faults if isinstance(fault, SignallingFault)),
        )

    def fault_at(self, now_s: float) -> SignallingFault | None:
        """Return what is wrong at that time."""
        return next((fault for fault in self.faults if fault.at_s <= now_s < fault.until_s), None)


class SignallingProxy:
    """Stand between client and server.

    Parameters
    ----------
    upstream
        The server's address, ``http://HOST:PORT``.
    to_server, to_client
        Give the address under which one side's candidate can be reached by the other.
    """

    def __init__(
        self, upstream: str, path: Path, record: Recorder, to_server: Rewrite, to_client: Rewrite
    ) -> None:
        self._upstream = upstream
        self._path = path
        self._record = record
        self._to_server = to_server
        self._to_client = to_client
        self._client = httpx.AsyncClient(verify=ssl_context(), timeout=None, trust_env=False)
        app = web.Application(client_max_size=2**24)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        self._site: web.TCPSite | None = None
        self._address = ("", 0)
        self._timers: list[asyncio.TimerHandle] = []
        self._hanging: set[asyncio.Task[Any]] = set()

    async def start(self, host: str, port: int) -> None:
        """Listen, and go down and up again when connections are to be refused.

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
        for fault in self._path.faults:
            if fault.how.kind == "refused":
                self._at(fault.at_s, self._refuse)
                self._at(fault.until_s, self._listen)

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._address[1]

    def _at(self, at_s: float, work: Callable[[], Any]) -> None:
        loop = asyncio.get_running_loop()

        def start() -> None:
            task = loop.create_task(work())
            self._hanging.add(task)
            task.add_done_callback(self._hanging.discard)

        self._timers.append(loop.call_later(at_s - self._record.now_s(), start))

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
        await self._runner.cleanup()
        await self._client.aclose()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self._record("signalling", "request", method=request.method, path=request.path)
        fault = self._path.fault_at(self._record.now_s())
        await asyncio.sleep(self._path.delay_up_s)
        if fault is not None:
            self._record("signalling", "faulted", how=fault.how.text)
            refusal = await self._suffer(fault.how, request)
            if refusal is not None:
                return refusal
        response = await self._forward(request)
        if fault is not None and fault.how.kind == "lost-response":
            return self._abort(request)
        await asyncio.sleep(self._path.delay_down_s)
        self._record("signalling", "response", status=response.status)
        return response

    async def _suffer(self, how: SignallingHow, request: web.Request) -> web.StreamResponse | None:
        """Do to a request what the fault says; None lets it go on."""
        if how.status is not None:
            await asyncio.sleep(self._path.delay_down_s)
            self._record("signalling", "response", status=how.status)
            return web.json_response({"detail": "injected by simlab"}, status=how.status)
        if how.kind in {"refused", "reset"}:
            return self._abort(request)
        if how.kind == "hang":
            await asyncio.Event().wait()
        await asyncio.sleep(how.wait_s or 0.0)
        return None

    def _abort(self, request: web.Request) -> web.StreamResponse:
        if request.transport is not None:
            request.transport.abort()
        raise ConnectionResetError("injected by simlab")

    async def _forward(self, request: web.Request) -> web.Response:
        body = await self._rewritten(await request.read(), self._to_server)
        headers = {k: v for k, v in request.headers.items() if k.lower() not in _HOP_BY_HOP}
        url = self._upstream + request.path_qs
        try:
            answer = await self._client.request(request.method, url, content=body, headers=headers)
        except httpx.HTTPError as error:
            return web.json_response({"detail": f"{type(error).__name__}: {error}"}, status=502)
        content = await self._rewritten(answer.content, self._to_client)
        kept = {k: v for k, v in answer.headers.items() if k.lower() not in _HOP_BY_HOP}
        return web.Response(body=content, status=answer.status_code, headers=kept)

    async def _rewritten(self, body: bytes, rewrite: Rewrite) -> bytes:
        """Put other addresses into a body, if it is an offer, an answer or a list of candidates."""
        try:
            message = json.loads(body)
        except ValueError:
            return body
        if not isinstance(message, dict):
            return body
        if isinstance(message.get("sdp"), str):
            message["sdp"] = await rewrite_sdp(message["sdp"], rewrite)
        if isinstance(message.get("candidates"), list):
            message["candidates"] = await self._rewritten_list(message["candidates"], rewrite)
        return json.dumps(message).encode()

    async def _rewritten_list(
        self, candidates: list[dict[str, Any]], rewrite: Rewrite
    ) -> list[dict[str, Any]]:
        out: list[dict[str, Any]] = []
        for candidate in candidates:
            line = str(candidate.get("candidate") or "")
            rewritten = await rewrite_line(line, rewrite) if line else line
            if rewritten is not None:
                out.append({**candidate, "candidate": rewritten})
        return out
