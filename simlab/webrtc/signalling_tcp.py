"""The path of the signalling as TCP over links of its own: the model of it, driven by an asyncio loop."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from aiohttp import web

from simlab.core.link import Link
from simlab.core.packet import Direction
from simlab.core.tcp import Connection, TcpPath

_STATUS_LINE_BYTES = 17
_SERVER_HEADERS_BYTES = 120  # Content-Length, Date, Server: what aiohttp adds as it sends


class ConnectionDeadError(Exception):
    """TCP has given the connection up, or the client has before it was open."""


class _Waiter(NamedTuple):
    connection: Connection
    is_over: Callable[[], bool]
    future: "asyncio.Future[None]"


class SignallingTcp:
    """Let requests and responses take as long as TCP over two links would.

    Parameters
    ----------
    links
        Those of the signalling; nothing else may use them.
    now_s
        Gives the session's time.
    """

    def __init__(self, links: Mapping[Direction, Link], now_s: Callable[[], float]) -> None:
        self._path = TcpPath(links)
        self._clock = now_s
        self._latest_s = 0.0
        self._connections: dict[asyncio.BaseTransport, Connection] = {}
        self._waiters: list[_Waiter] = []
        self._timer: asyncio.TimerHandle | None = None

    async def carry(self, transport: asyncio.Transport | None, direction: Direction, size_bytes: int) -> None:
        """Return when so many bytes have crossed the path, on the connection that a client's transport is.

        The first ones open it; a client that has gone before it is open has never asked.

        Raises
        ------
        ConnectionDeadError
            If they never will.
        """
        if transport is None:  # the client is gone
            raise ConnectionDeadError
        connection = self._connection(transport)
        self._path.write(connection, direction, size_bytes, self._now_s())
        upto_bytes = connection.written[direction]  # what is written meanwhile is not waited for
        await self._until(connection, lambda: connection.sender[Direction.UP].is_established)
        if direction is Direction.UP and transport.is_closing() and not connection.has_arrived(direction):
            self._drop(transport)
            raise ConnectionDeadError
        await self._until(connection, lambda: connection.has_arrived(direction, upto_bytes))

    def cut(self, transport: asyncio.Transport) -> None:
        """Lose all segments of a client's connection from now on."""
        self._connection(transport).is_cut = True

    def close(self) -> None:
        """Do nothing more."""
        if self._timer is not None:
            self._timer.cancel()

    def _now_s(self) -> float:
        # Links want times in order, and what was due may have been done an instant before its time.
        self._latest_s = max(self._latest_s, self._clock())
        return self._latest_s

    def _connection(self, transport: asyncio.BaseTransport) -> Connection:
        if transport not in self._connections:
            self._forget_closed()
            self._connections[transport] = self._path.open(self._now_s())
        return self._connections[transport]

    def _forget_closed(self) -> None:
        busy = [waiter.connection for waiter in self._waiters]
        for transport, connection in list(self._connections.items()):
            if transport.is_closing() and connection not in busy:
                self._drop(transport)

    def _drop(self, transport: asyncio.BaseTransport) -> None:
        self._path.forget(self._connections.pop(transport))

    async def _until(self, connection: Connection, is_over: Callable[[], bool]) -> None:
        future = asyncio.get_running_loop().create_future()
        self._waiters.append(_Waiter(connection, is_over, future))
        self._wake()
        await future

    def _wake(self) -> None:
        """Tell those whose time has come, and come again when something is due."""
        for waiter in list(self._waiters):
            if waiter.future.done():  # nobody waits any more
                self._waiters.remove(waiter)
            elif waiter.is_over():
                self._waiters.remove(waiter)
                waiter.future.set_result(None)
            elif waiter.connection.failure is not None:
                self._waiters.remove(waiter)
                waiter.future.set_exception(ConnectionDeadError())
        self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due_s = self._path.next_due_s()
        if due_s is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(max(0.0, due_s - self._now_s()), self._advance, due_s)

    def _advance(self, due_s: float) -> None:
        self._timer = None
        self._latest_s = max(self._now_s(), due_s)
        self._path.advance(self._latest_s)
        self._wake()


def request_bytes(request: web.BaseRequest, body: bytes) -> int:
    """Return the size of a request on the wire."""
    line = f"{request.method} {request.path_qs} HTTP/1.1\r\n\r\n"
    return len(line) + _headers_bytes(request.raw_headers) + len(body)


def response_bytes(response: web.Response) -> int:
    """Return the size of a response on the wire, about."""
    body = response.body if isinstance(response.body, bytes) else b""
    own = [(name.encode(), value.encode()) for name, value in response.headers.items()]
    return _STATUS_LINE_BYTES + _SERVER_HEADERS_BYTES + _headers_bytes(own) + len(body)


def _headers_bytes(headers: Iterable[tuple[bytes, bytes]]) -> int:
    return sum(len(name) + len(value) + len(": \r\n") for name, value in headers)
