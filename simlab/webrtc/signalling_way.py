"""How requests cross the network to the server, and responses back: delayed, or as TCP over links."""

import asyncio
from collections.abc import Mapping
from typing import Protocol

from aiohttp import web

from simlab.core.link import Link
from simlab.core.packet import Direction
from simlab.core.tcp import unanswered_s
from simlab.core.timeline import Recorder
from simlab.webrtc.signalling_path import Path
from simlab.webrtc.signalling_tcp import SignallingTcp, request_bytes, response_bytes


class Way(Protocol):
    """The network between client and server."""

    async def up(self, request: web.Request) -> None:
        """Return when a request has arrived.

        Raises
        ------
        ConnectionDeadError
            If it never will.
        """

    async def down(self, request: web.Request, response: web.Response) -> None:
        """Return when the response has arrived.

        Raises
        ------
        ConnectionDeadError
            If it never will.
        """

    async def piece(self, request: web.Request, direction: Direction, size_bytes: int) -> None:
        """Return when a piece of a stream has arrived; the next may set out meanwhile, and overtakes none.

        Raises
        ------
        ConnectionDeadError
            If it never will.
        """

    async def lose(self, request: web.Request) -> None:
        """Return when the client's TCP gives up a request that nothing answers."""

    def close(self) -> None:
        """Do nothing more."""


def way(path: Path, links: Mapping[Direction, Link] | None, record: Recorder) -> Way:
    """Return the network that a profile wants: over these links, or with the path's delays alone."""
    return _Delayed(path) if links is None else _OverLinks(SignallingTcp(links, record.now_s))


class _Delayed:
    def __init__(self, path: Path) -> None:
        self._path = path

    async def up(self, _: web.Request) -> None:
        await asyncio.sleep(self._path.delay_up_s)

    async def down(self, _: web.Request, __: web.Response) -> None:
        await asyncio.sleep(self._path.delay_down_s)

    async def piece(self, _: web.Request, direction: Direction, __: int) -> None:
        is_up = direction is Direction.UP
        await asyncio.sleep(self._path.delay_up_s if is_up else self._path.delay_down_s)

    async def lose(self, _: web.Request) -> None:
        await asyncio.sleep(unanswered_s(self._path.delay_up_s + self._path.delay_down_s))

    def close(self) -> None:
        pass


class _OverLinks:
    def __init__(self, tcp: SignallingTcp) -> None:
        self._tcp = tcp

    async def up(self, request: web.Request) -> None:
        size_bytes = request_bytes(request, await request.read())
        await self._tcp.carry(request.transport, Direction.UP, size_bytes)

    async def down(self, request: web.Request, response: web.Response) -> None:
        await self._tcp.carry(request.transport, Direction.DOWN, response_bytes(response))

    async def piece(self, request: web.Request, direction: Direction, size_bytes: int) -> None:
        await self._tcp.carry(request.transport, direction, size_bytes)

    async def lose(self, request: web.Request) -> None:
        if request.transport is not None:
            self._tcp.cut(request.transport)
        await self.up(request)

    def close(self) -> None:
        self._tcp.close()
