"""TCP between virtual hosts: connections that open, carry bytes in order, and close.

The path of the signalling is impaired in the signalling proxy, which runs under both clocks; what is
here only has to be a faithful byte stream with a little delay.
"""

import asyncio
import contextvars
import errno
import os
import socket
from asyncio.base_events import Server
from collections import deque
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from simlab.virtual.hosts import ANY, LOOPBACK, Address, current_host, meant
from simlab.virtual.listening import Listeners, ListeningSocket, Taker
from simlab.virtual.loop import Process, VirtualLoop, current_process
from simlab.virtual.socket_view import SocketView
from simlab.webrtc.clients import client_id

DELAY_S = 0.0002
_FIRST_PORT = 40000
_BACKLOG = 100


@cache
def _silent_descriptor() -> int:
    """Return a file descriptor that can never be read from: one end of a pipe whose other stays open."""
    return os.pipe()[0]


class StreamEndpoint(asyncio.Transport):
    """One end of a virtual TCP connection."""

    peer: "StreamEndpoint"

    def __init__(
        self, loop: asyncio.AbstractEventLoop, protocol: Any, local: Address, remote: Address
    ) -> None:
        self._socket = SocketView(local, remote)
        super().__init__({"sockname": local, "peername": remote, "socket": self._socket, "sslcontext": None})
        self._loop = loop
        self._protocol = protocol
        self._context = contextvars.copy_context()
        self._arriving: deque[bytes | None] = deque()  # None is the end of the stream
        self._closing = False
        self._ended = False
        self._lost = False
        self._vanished = False

    def seem_open(self) -> None:
        """Let it be seen that there is nothing to read: httpx uses a connection again only if it is so.

        Without a file it takes the connection for closed.
        """
        self._socket.descriptor = _silent_descriptor()

    def accept(self, make_protocol: Callable[[], Any]) -> None:
        """Begin to be used, at the listening end."""
        self._protocol = make_protocol()
        self._protocol.connection_made(self)

    def write(self, data: Any) -> None:
        """Send bytes to the other end."""
        if data and not self._ended and not self._lost:
            self.peer.arrive(bytes(data))

    def writelines(self, list_of_data: Any) -> None:
        """Send several pieces at once."""
        self.write(b"".join(list_of_data))

    def arrive(self, data: bytes | None) -> None:
        """Let a piece arrive after the delay."""
        self._arriving.append(data)
        # What comes for a process that is gone is its system's to answer.
        context = contextvars.Context() if self._vanished else self._context
        self._loop.call_later(DELAY_S, self._receive, context=context)

    def _receive(self) -> None:
        data = self._arriving.popleft()
        if self._closing:
            if data is not None:  # nobody reads it any more (RFC 9293 section 3.10.7.1)
                self._loop.call_later(DELAY_S, self.peer.reset, context=self.peer._context)
            return
        if data is not None:
            self._protocol.data_received(data)
            return
        self._socket.descriptor = -1
        if not self._protocol.eof_received():
            self.close()

    def can_write_eof(self) -> bool:
        """Say that one direction may be ended by itself."""
        return True

    def write_eof(self) -> None:
        """End this direction."""
        if not self._ended:
            self._ended = True
            self.peer.arrive(None)

    def is_closing(self) -> bool:
        """Tell whether the connection is closed at this end."""
        return self._closing

    def close(self) -> None:
        """Send what was written, then the end of the stream."""
        if not self._closing:
            self._closing = True
            self.write_eof()
            self._loop.call_soon(self._lose, None, context=self._context)

    def abort(self) -> None:
        """Reset the connection: the other end sees an error."""
        if not self._closing:
            self._closing = self._ended = True
            self._loop.call_soon(self._lose, None, context=self._context)
            self._loop.call_later(DELAY_S, self.peer.reset, context=self.peer._context)

    def reset(self) -> None:
        """Lose the connection because the other end aborted it."""
        if not self._closing:
            self._closing = self._ended = True
            self._lose(ConnectionResetError("Connection reset by peer"))

    def vanish(self) -> None:
        """End the connection because the process is gone: its system says so to the other end."""
        if not self._closing:
            self.write_eof()
            self._closing = self._lost = self._vanished = True

    @property
    def process(self) -> Process | None:
        """The process that it belongs to."""
        return self._context.get(current_process)

    def _lose(self, error: Exception | None) -> None:
        self._socket.descriptor = -1
        if not self._lost:
            self._lost = True
            self._protocol.connection_lost(error)

    def pause_reading(self) -> None:
        """Do nothing: nobody here sends more than fits in memory."""

    def resume_reading(self) -> None:
        """Do nothing."""

    def is_reading(self) -> bool:
        """Say that it reads."""
        return True

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Change who gets the bytes."""
        self._protocol = protocol

    def get_protocol(self) -> Any:
        """Return who gets the bytes."""
        return self._protocol

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Do nothing: there is no write buffer."""

    def get_write_buffer_size(self) -> int:
        """Return 0."""
        return 0


class TcpLoop(VirtualLoop):
    """A virtual loop that opens TCP connections between virtual hosts."""

    def __init__(self) -> None:
        super().__init__()
        self._listeners = Listeners()
        self.streams: dict[StreamEndpoint, None] = {}  # in order, as a set is not
        self._next_client_port = _FIRST_PORT
        self.reuses_connections = False  # httpx then opens one for each request

    async def create_server(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], Any],
        host: str | Sequence[str] | None = None,
        port: int | None = None,
        *,
        sock: Any = None,
        start_serving: bool = True,
        **_: Any,
    ) -> asyncio.AbstractServer:
        """Listen on an address of the current host, on several, or on all that it has.

        Raises
        ------
        OSError
            If the port is in use, or an address is another host's.
        ValueError
            If neither host nor port is given.
        NotImplementedError
            For a socket, which would be a real one.
        """
        if sock is not None:
            raise NotImplementedError("a real socket has no place in the virtual network")
        if host is None and port is None:
            raise ValueError("Neither host/port nor sock were specified")
        hosts = [host] if host is None or isinstance(host, str) else host
        sockets: list[Any] = self._listeners.bind(hosts, port or 0)  # which asyncio takes for sockets
        server: Any = Server(self, sockets, protocol_factory, None, _BACKLOG, None)
        if start_serving:
            server._start_serving()
        made: asyncio.AbstractServer = server
        return made

    def _start_serving(
        self,
        protocol_factory: Callable[[], Any],
        sock: ListeningSocket,
        *_: Any,
        context: contextvars.Context | None = None,  # from Python 3.15 on that in which the server was made
    ) -> None:
        sock.taker = Taker(protocol_factory, contextvars.copy_context() if context is None else context)

    def _stop_serving(self, sock: ListeningSocket) -> None:
        self._listeners.release(sock)

    async def create_connection(
        self,
        protocol_factory: Callable[[], Any],
        host: str | None = None,
        port: int | None = None,
        *,
        sock: Any = None,
        **_: Any,
    ) -> tuple[asyncio.Transport, Any]:
        """Connect to a listener: by its address, or by what ``aiohttp_sockets`` made of it.

        Raises
        ------
        ConnectionRefusedError
            If nobody listens there.
        """
        host, port = sock.address if sock is not None else (host, port)
        there = (LOOPBACK if meant(host) == ANY else meant(host), int(port or 0))
        await asyncio.sleep(2 * DELAY_S)
        taker = self._listeners.find(*there)
        if taker is None:
            raise ConnectionRefusedError(errno.ECONNREFUSED, f"Connect call failed {there}")
        make_server_protocol, context = taker
        self._next_client_port += 1
        here = (LOOPBACK if there[0] == LOOPBACK else current_host.get(ANY), self._next_client_port)
        client = StreamEndpoint(self, protocol_factory(), here, there)
        context = context.copy()
        context.run(client_id.set, client_id.get())  # so that a server's work is told apart by its clients
        server = context.run(StreamEndpoint, self, None, there, here)
        client.peer, server.peer = server, client
        if self.reuses_connections:
            client.seem_open()
        self._keep(client, server)
        if self.is_halted(server.process):  # its system accepts the connection, and it will find it there
            self.call_soon(server.accept, make_server_protocol, context=server._context)
        else:
            server._context.run(server.accept, make_server_protocol)
        client.get_protocol().connection_made(client)
        return client, client.get_protocol()

    def _keep(self, *streams: StreamEndpoint) -> None:
        self.streams = {stream: None for stream in (*self.streams, *streams) if not stream.is_closing()}

    def close_streams(self, process: Process) -> None:
        """End all connections of a process that is gone, and listen no more where it did."""
        self._listeners.release_all(process)
        for stream in list(self.streams):
            if stream.process is process:
                stream.vanish()

    async def getaddrinfo(self, host: Any, port: Any, **_: Any) -> list[Any]:
        """Resolve a literal address to itself; there are no names here. anyio asks in bytes."""
        host = host.decode("ascii") if isinstance(host, bytes) else host
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port))]
