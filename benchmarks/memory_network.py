"""UDP in memory under asyncio's own loop, in real time: the clock is the only thing that is not virtual."""

import asyncio
from collections.abc import Callable
from itertools import count
from typing import Any

from simlab.core.link import Link
from simlab.virtual.hosts import current_host

Address = tuple[str, int]


class _Endpoint(asyncio.DatagramTransport):
    """A bound UDP port."""

    def __init__(self, loop: "MemoryLoop", protocol: Any, address: Address) -> None:
        super().__init__()
        self._loop, self._protocol, self._address = loop, protocol, address
        self._closing = False

    def sendto(self, data: Any, addr: Any = None) -> None:
        self._loop.send(bytes(data), self._address, addr[:2])

    def deliver(self, payload: bytes, source: Address) -> None:
        self._protocol.datagram_received(payload, source)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._address if name == "sockname" else default

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            self._loop.endpoints.pop(self._address)
            self._loop.call_soon(self._protocol.connection_lost, None)

    abort = close


class RealWire:
    """Put packets into a link, and hand them over as soon after they are due as the loop gets round to it.

    Parameters
    ----------
    late
        Told of each packet how many seconds late it is.
    """

    def __init__(self, loop: "MemoryLoop", link: Link, late: Callable[[float], None]) -> None:
        self._loop, self._link, self._late = loop, link, late
        self._zero_s = loop.time()
        self._timer: asyncio.TimerHandle | None = None

    def send(self, payload: bytes, way: tuple[Address, Address]) -> None:
        self._link.receive(payload, self._loop.time() - self._zero_s, way)
        self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        due_s = self._link.next_due_s()
        self._timer = None if due_s is None else self._loop.call_at(self._zero_s + due_s, self._release)

    def _release(self) -> None:
        # The loop calls a timer up to its resolution too early; the link would then give out nothing.
        due_s = self._link.next_due_s()
        assert due_s is not None
        now_s = max(due_s, self._loop.time() - self._zero_s)
        for packet in self._link.release(now_s):
            self._late(now_s - packet.due_s)
            source, destination = packet.tag  # type: ignore[misc]
            endpoint = self._loop.endpoints.get(destination)
            if endpoint is not None:
                endpoint.deliver(packet.payload, source)
        self._arm()


class MemoryLoop(asyncio.SelectorEventLoop):
    """asyncio's loop, on which hosts have UDP ports in memory, and a wire for each way between two."""

    def __init__(self) -> None:
        super().__init__()
        self.endpoints: dict[Address, _Endpoint] = {}
        self.wires: dict[tuple[str, str], RealWire] = {}
        self._ports = count(20000)

    def addresses_here(self, use_ipv4: bool, use_ipv6: bool) -> list[str]:
        """Return the address of the current host, as aioice asks for it."""
        return [current_host.get()] if use_ipv4 else []

    async def create_datagram_endpoint(  # type: ignore[override]
        self, protocol_factory: Callable[[], Any], local_addr: Address, **_: Any
    ) -> tuple[asyncio.DatagramTransport, Any]:
        """Open a UDP port on the host of ``local_addr``."""
        address = (local_addr[0], local_addr[1] or next(self._ports))
        protocol = protocol_factory()
        endpoint = self.endpoints[address] = _Endpoint(self, protocol, address)
        protocol.connection_made(endpoint)
        return endpoint, protocol

    def send(self, payload: bytes, source: Address, destination: Address) -> None:
        """Put a datagram into the wire between its two hosts."""
        self.wires[source[0], destination[0]].send(payload, (source, destination))
