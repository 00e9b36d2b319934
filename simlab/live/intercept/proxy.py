"""A reverse proxy that passes everything on as it is, and gives the signalling to whoever rewrites it."""

import os
import socket
import struct
from collections.abc import AsyncIterator, Collection, Mapping
from typing import NoReturn

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from simlab.core.printable import printable
from simlab.live.intercept.bodies import message_of, plain_of
from simlab.live.intercept.headers import Mask
from simlab.live.intercept.signalling import AbortedError, Exchange, Signalling
from simlab.live.own_names import is_ours
from simlab.webrtc.http_log import HTTP_LOG
from simlab.webrtc.websockets import (
    HANDSHAKE,
    Socket,
    accepted,
    messages,
    pass_on,
    protocols_of,
    until_one_ends,
)

_CONNECT_S = 10.0
# A description with pictures and all its candidates has some 10 kB.
_LARGEST_SIGNALLING_BYTES = 2**20
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # struct linger: on, for 0 s


class _Answered(web.Response):
    """A server's answer: with its body, or the head of a stream."""

    stream: aiohttp.ClientResponse | None = None


class InterceptProxy:
    """Stand in front of a server.

    Parameters
    ----------
    upstream
        The server's address, and perhaps the path below which everything is.
    signalling
        Gets what is said about connections.
    names
        By which browsers come, besides ``localhost`` and addresses: nobody else's name is served, since the
        server, which is told its own, could no longer refuse it.
    """

    def __init__(self, upstream: URL, signalling: Signalling, names: Collection[str] = ()) -> None:
        self._upstream = upstream
        self._names = names
        self._mask = Mask(upstream)
        self._signalling = signalling
        self._session: aiohttp.ClientSession | None = None
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(
            app,
            access_log=None,
            logger=HTTP_LOG,
            shutdown_timeout=0.2,
            auto_decompress=False,
            handler_cancellation=True,
        )

    async def start(self, host: str, port: int) -> int:
        """Listen, and return the port.

        Raises
        ------
        OSError
            If it cannot.
        """
        self._session = aiohttp.ClientSession(
            # A connection that was kept may be closed by the server just as a request is sent.
            connector=aiohttp.TCPConnector(limit=0, force_close=True),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S),
            auto_decompress=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Stop listening, and drop what is under way."""
        await self._runner.cleanup()
        if self._session is not None:
            await self._session.close()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        try:
            return await self._respond(request)
        except AbortedError:
            _reset(request)
        except (ConnectionError, aiohttp.ClientPayloadError):
            # One of the two is gone in the middle: the other is to see that, and not an end in good order.
            _reset(request)
        return web.Response()  # nobody gets it

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        if not is_ours(_host(request), self._names):
            return _not_served(_host(request))
        try:
            if request.headers.get("Upgrade", "").lower() == "websocket":
                return await self._websocket(request)
            body = await self._small_body(request)
            if body is not None:
                encoding = request.headers.get("Content-Encoding", "")
                message = message_of(body, encoding) if body else None
                if (kind := Signalling.kind(request.method, request.path, message)) is not None:
                    return await self._signal(request, Exchange(request.method, request.path, kind), body)
            return await self._pass(request, body)
        except aiohttp.ClientConnectionError as error:
            return self._unreachable(error)
        except aiohttp.ClientResponseError as error:
            what = printable(error.message.partition("\n")[0]).rstrip(" :.")
            text = f"simlab intercept: what {self._upstream} answers is not HTTP ({what}).\n"
            return web.Response(status=502, text=text)

    def _unreachable(self, error: aiohttp.ClientConnectionError) -> web.Response:
        self._signalling.unreachable()
        reason = "it closed the connection without an answer"
        if isinstance(error, aiohttp.ClientConnectorError):
            number = error.os_error.errno
            reason = os.strerror(number).lower() if number else str(error.os_error)
        return web.Response(
            status=502,
            text=f"simlab intercept: no answer from {self._upstream} ({reason}). Does the server run?\n",
        )

    async def _small_body(self, request: web.Request) -> bytes | None:
        """Return a body that could be signalling; None for one that is to be streamed."""
        if request.method not in ("POST", "PATCH", "PUT"):
            return None
        length = request.content_length
        if length is None or length > _LARGEST_SIGNALLING_BYTES:
            return None
        return await request.read()

    def _url(self, request: web.Request) -> URL:
        path = self._upstream.raw_path.rstrip("/") + request.rel_url.raw_path_qs
        return URL(f"{self._upstream.origin()}{path}", encoded=True)

    def _headers(self, request: web.Request, *left_out: str) -> CIMultiDict[str]:
        return self._mask.to_server(request.headers, _origin(request), request.remote or "", left_out)

    async def _pass(self, request: web.Request, body: bytes | None) -> web.StreamResponse:
        """Pass a request on, and its answer back, as they come."""
        assert self._session is not None
        data = _stream(request) if body is None and request.can_read_body else body
        headers = self._headers(request)
        async with self._session.request(
            request.method, self._url(request), data=data, headers=headers, allow_redirects=False
        ) as answer:
            return await _flow(request, answer, self._mask.to_client(answer.headers, _origin(request)))

    async def _signal(self, request: web.Request, exchange: Exchange, body: bytes) -> web.StreamResponse:
        """Let an exchange that is about connections suffer, and say other addresses."""
        assert self._session is not None
        session = self._session
        coming: list[aiohttp.ClientResponse] = []

        async def forward(plain: bytes) -> web.Response:
            # What is read here must not be compressed; nor is what is sent.
            headers = self._headers(request, "accept-encoding", "content-length", *plain_is_sent)
            _close(coming)
            answer = await session.request(
                request.method, self._url(request), data=plain, headers=headers, allow_redirects=False
            )
            coming.append(answer)
            return await self._read(request, answer)

        plain = plain_of(body, request.headers.get("Content-Encoding", ""))
        plain_is_sent = ("content-encoding",) if plain is not None else ()
        try:
            response = await self._signalling.exchange(exchange, body if plain is None else plain, forward)
            if exchange.truncated:
                return await _half(request, response)
            stream = response.stream if isinstance(response, _Answered) else None
            return response if stream is None else await _flow(request, stream, response.headers)
        finally:
            _close(coming)

    async def _read(self, request: web.Request, answer: aiohttp.ClientResponse) -> web.Response:
        """Return an answer with its body; of a stream, whose end nobody knows, the head, and it beside."""
        is_stream = answer.content_type == "text/event-stream"
        content = b"" if is_stream else await answer.read()
        plain = plain_of(content, answer.headers.get("Content-Encoding", ""))
        changed = ("content-length",) + (("content-encoding",) if plain not in (None, content) else ())
        kept = self._mask.to_client(answer.headers, _origin(request), changed)
        body = content if plain is None else plain
        response = _Answered(status=answer.status, reason=_reason(answer), headers=kept, body=body)
        if is_stream:
            response.stream = answer
        return response

    async def _websocket(self, request: web.Request) -> web.StreamResponse:
        """Join two websockets, message by message."""
        assert self._session is not None
        try:
            theirs = await self._session.ws_connect(
                self._url(request),
                headers=self._headers(request, *HANDSHAKE),
                protocols=protocols_of(request),
                autoping=False,
                autoclose=False,
                max_msg_size=0,
            )
        except aiohttp.WSServerHandshakeError as error:
            return web.Response(status=error.status, text=f"{error.message}\n")
        except AssertionError as error:  # aiohttp's own: the server has gone just as it had accepted
            raise AbortedError from error
        async with theirs:
            ours = accepted(theirs)
            await ours.prepare(request)
            await until_one_ends(_join(theirs, ours), _join(ours, theirs))
            return ours


async def _join(source: Socket, sink: Socket) -> None:
    """Pass on what comes until the end, and that too."""
    async for message in messages(source):
        await pass_on(sink, message)


async def _stream(request: web.Request) -> AsyncIterator[bytes]:
    async for chunk in request.content.iter_any():
        yield chunk


async def _flow(
    request: web.Request, answer: aiohttp.ClientResponse, headers: Mapping[str, str]
) -> web.StreamResponse:
    """Pass an answer on as it comes."""
    response = web.StreamResponse(status=answer.status, reason=_reason(answer), headers=headers)
    await response.prepare(request)
    async for chunk in answer.content.iter_any():
        await response.write(chunk)
    await response.write_eof()
    return response


def _reason(answer: aiohttp.ClientResponse) -> str | None:
    return None if answer.reason is None else printable(answer.reason)


async def _half(request: web.Request, response: web.Response) -> NoReturn:
    """Promise the whole of a body, and send half of it."""
    half = web.StreamResponse(status=response.status, headers=response.headers)
    whole = response.body if isinstance(response.body, bytes) else b""
    half.content_length = len(whole)
    await half.prepare(request)
    await half.write(whole[: len(whole) // 2])
    raise AbortedError


def _close(answers: list[aiohttp.ClientResponse]) -> None:
    while answers:
        answers.pop().close()


def _host(request: web.Request) -> str:
    return request.headers.get("Host", "localhost")


def _origin(request: web.Request) -> str:
    return f"http://{_host(request)}"


def _not_served(host: str) -> web.Response:
    how = "open it as localhost or by its address, or start it with --name and that name"
    return web.Response(status=403, text=f"simlab intercept: nothing is served as {host}; {how}.\n")


def _reset(request: web.Request) -> None:
    if request.transport is not None:
        # Without this the kernel ends the connection in good order instead of resetting it.
        system_socket = request.transport.get_extra_info("socket")
        if system_socket is not None:
            system_socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        request.transport.abort()
