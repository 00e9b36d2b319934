"""Answers that come in pieces, and WebSockets: passed on as they come, each piece over the network."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from functools import partial

import aiohttp
from aiohttp import WSMessage, web

from simlab.core.packet import Direction
from simlab.webrtc.convey import Piece, convey
from simlab.webrtc.lean import httpx
from simlab.webrtc.signalling_tcp import response_bytes
from simlab.webrtc.signalling_way import Way
from simlab.webrtc.upstream import Answer, ServerGoneError
from simlab.webrtc.websockets import Socket, accepted, messages, pass_on, until_one_ends

_FRAME_BYTES = {Direction.UP: 8, Direction.DOWN: 4}  # a WebSocket's own, about; the client's have a mask


class Flow:
    """What goes between a client and a server, from the head of an answer on.

    Parameters
    ----------
    begun
        Called when the head has arrived.

    Attributes
    ----------
    is_silent
        Whether nothing arrives any more, and neither side is told.
    """

    def __init__(self, request: web.Request, answer: Answer, way: Way, begun: Callable[[], None]) -> None:
        self._request = request
        self._head = answer.head
        self._coming = answer.coming
        self._way = way
        self._begun = begun
        self._is_open = asyncio.Event()
        self.is_silent = False

    async def run(self) -> web.StreamResponse:
        """Pass everything on, and return after its end.

        Raises
        ------
        ServerGoneError
            If the server does not come to an end in good order.
        ConnectionError
            If the client is gone.
        ConnectionDeadError
            If TCP has given up.
        """
        if isinstance(self._coming, aiohttp.ClientWebSocketResponse):
            return await self._join(self._coming)
        response = web.StreamResponse(status=self._head.status, headers=self._head.headers)
        assert self._coming is not None
        await convey(self._body(self._coming, response), partial(self._cross, Direction.DOWN))
        return response

    async def run_half(self) -> None:
        """Pass on the head and half of the first piece; of a WebSocket nothing.

        Raises
        ------
        ConnectionError
            If the client is gone.
        ConnectionDeadError
            If TCP has given up.
        """
        await self._cross(Direction.DOWN, response_bytes(self._head))
        if isinstance(self._coming, httpx.Response):
            response = web.StreamResponse(status=self._head.status, headers=self._head.headers)
            await self._begin(response)
            piece = await anext(_parts(self._coming), None)
            await response.write(piece[: len(piece) // 2] if piece else b"")

    async def _begin(self, response: web.StreamResponse) -> None:
        if self._request.transport is None:
            raise ConnectionResetError
        self._begun()
        await response.prepare(self._request)
        self._is_open.set()

    def _first(self, response: web.StreamResponse) -> Piece:
        return Piece(response_bytes(self._head), partial(self._begin, response))

    async def _body(self, coming: httpx.Response, response: web.StreamResponse) -> AsyncGenerator[Piece]:
        yield self._first(response)
        async for part in _parts(coming):
            yield Piece(len(part or b""), _break_off if part is None else partial(response.write, part))
        yield Piece(0, response.write_eof)

    async def _join(self, theirs: aiohttp.ClientWebSocketResponse) -> web.StreamResponse:
        ours = accepted(theirs)
        down, up = self._heard(theirs, ours), self._said(ours, theirs)
        await until_one_ends(
            convey(down, partial(self._cross, Direction.DOWN)), convey(up, partial(self._cross, Direction.UP))
        )
        return ours

    async def _heard(
        self, theirs: aiohttp.ClientWebSocketResponse, ours: web.WebSocketResponse
    ) -> AsyncGenerator[Piece]:
        yield self._first(ours)
        try:
            async for message in messages(theirs):
                yield _piece(message, ours, Direction.DOWN)
        except ConnectionError:
            yield Piece(0, _break_off)

    async def _said(
        self, ours: web.WebSocketResponse, theirs: aiohttp.ClientWebSocketResponse
    ) -> AsyncGenerator[Piece]:
        await self._is_open.wait()
        async for message in messages(ours):
            yield _piece(message, theirs, Direction.UP)

    async def _cross(self, direction: Direction, size_bytes: int) -> None:
        await self._way.piece(self._request, direction, size_bytes)
        if self.is_silent:
            await asyncio.Event().wait()


async def _parts(coming: httpx.Response) -> AsyncIterator[bytes | None]:
    """Yield a body as it comes, and None where it breaks off."""
    try:
        async for part in coming.aiter_bytes():
            yield part
    except httpx.HTTPError:
        yield None


async def _break_off() -> None:
    raise ServerGoneError


def _piece(message: WSMessage, sink: Socket, direction: Direction) -> Piece:
    said = message.extra if isinstance(message.data, int) else message.data
    size_bytes = len(said.encode() if isinstance(said, str) else said or b"")
    return Piece(_FRAME_BYTES[direction] + size_bytes, partial(pass_on, sink, message))
