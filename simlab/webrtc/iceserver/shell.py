"""Give a STUN or TURN server its sockets and its time, on asyncio, under either clock."""

import asyncio
import math
from collections.abc import Callable
from typing import Any, cast

from simlab.core.timeline import Recorder
from simlab.webrtc.iceserver.outputs import Address, Close, Happened, Open, Output, Send
from simlab.webrtc.iceserver.stun_server import StunServer


class _Port(asyncio.DatagramProtocol):
    """A UDP port; what comes in goes to ``received`` with where it came from."""

    transport: asyncio.DatagramTransport

    def __init__(self, received: Callable[[bytes, Address], None]) -> None:
        self._received = received

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        self._received(data, (addr[0], addr[1]))

    @property
    def address(self) -> Address:
        host, port = self.transport.get_extra_info("sockname")[:2]
        return host, port


class Shell:
    """Run a server.

    Parameters
    ----------
    name
        What the timeline calls it.
    make
        Makes a server that has no allocations yet.
    record
        Collects what happens, and knows the time.
    """

    def __init__(self, name: str, make: Callable[[], StunServer], record: Recorder) -> None:
        self._name = name
        self._make = make
        self._record = record
        self._server = make()
        self._port: _Port | None = None
        self._relays: dict[Address, _Port] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._armed_for_s = math.inf
        self._opening: set[asyncio.Task[None]] = set()
        self._outages = 0

    async def start(self, host: str, port: int) -> Address:
        """Listen, and return where; port 0 is any free one.

        Raises
        ------
        OSError
            If the port is in use.
        """
        loop = asyncio.get_running_loop()
        _, self._port = await loop.create_datagram_endpoint(
            lambda: _Port(self._received), local_addr=(host, port)
        )
        return self._port.address

    def go_down(self, *, forget: bool) -> None:
        """Answer and relay nothing any more.

        Parameters
        ----------
        forget
            Whether all allocations are gone with it, as with the process of a server.
        """
        self._outages += 1
        if forget:
            self._do(self._server.end("lost"), self._record.now_s())
            self._server = self._make()

    def come_up(self) -> None:
        """Answer and relay again, unless it is down for another reason."""
        self._outages -= 1

    def finish(self) -> None:
        """Record what has been relayed by the allocations that are still there."""
        now_s = self._record.now_s()
        for output in self._server.end("open"):
            if isinstance(output, Happened):
                self._happened(output, now_s)

    def close(self) -> None:
        """Free everything."""
        if self._timer is not None:
            self._timer.cancel()
        for task in self._opening:
            task.cancel()
        for port in (self._port, *self._relays.values()):
            if port is not None:
                port.transport.close()
        self._relays.clear()

    def _received(self, data: bytes, source: Address) -> None:
        if not self._outages:
            now_s = self._record.now_s()
            self._do(self._server.receive(data, source, now_s), now_s)

    def _received_from_peer(self, relayed: Address, data: bytes, peer: Address) -> None:
        if not self._outages:
            now_s = self._record.now_s()
            self._do(self._server.receive_from_peer(data, peer, relayed, now_s), now_s)

    def _do(self, outputs: list[Output], now_s: float) -> None:
        # What is recorded happened when the server says so: from then on it counts the life of a permission.
        for output in outputs:
            if isinstance(output, Send):
                self._send(output)
            elif isinstance(output, Open):
                task = asyncio.get_running_loop().create_task(self._open(output.client))
                self._opening.add(task)
                task.add_done_callback(self._opening.discard)
            elif isinstance(output, Close):
                self._relays.pop(output.relayed).transport.close()
            else:
                self._happened(output, now_s)
        self._arm()

    def _send(self, output: Send) -> None:
        port = self._port if output.via is None else self._relays[output.via]
        assert port is not None
        port.transport.sendto(output.payload, output.to)

    def _happened(self, output: Happened, now_s: float) -> None:
        self._record("ice-server", output.kind, at_s=now_s, server=self._name, **output.data)

    async def _open(self, client: Address) -> None:
        """Open a port of the listening address for a client."""
        assert self._port is not None
        host, _ = self._port.address
        server = self._server
        try:
            port = await self._relay(host)
        except OSError:
            now_s = self._record.now_s()
            self._do(server.not_opened(client, now_s), now_s)
            return
        now_s = self._record.now_s()
        self._relays[port.address] = port
        if server is not self._server:  # it went down meanwhile
            self._do([Close(port.address)], now_s)
            return
        self._do(server.opened(client, port.address, now_s), now_s)

    async def _relay(self, host: str) -> _Port:
        loop = asyncio.get_running_loop()
        _, port = await loop.create_datagram_endpoint(
            lambda: _Port(lambda data, peer: self._received_from_peer(port.address, data, peer)),
            local_addr=(host, 0),
        )
        return port

    def _arm(self) -> None:
        # A timer that comes too early, after a refresh, only finds nothing to do.
        due_s = self._server.next_timer_s()
        if due_s is None or due_s >= self._armed_for_s:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._armed_for_s = due_s
        delay_s = max(0.0, due_s - self._record.now_s())
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._expire, due_s)

    def _expire(self, due_s: float) -> None:
        self._timer = None
        self._armed_for_s = math.inf
        # The loop may call a hair too early, and would then do so again at once.
        now_s = self._record.now_s()
        self._do(self._server.handle_timer(max(now_s, due_s)), now_s)
