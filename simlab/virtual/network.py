"""Hosts with addresses, and UDP between them, in memory."""

import asyncio
import contextvars
import errno
import os
import socket
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from simlab.core.inject import UNREACHABLE, Injected
from simlab.core.link import Delivered
from simlab.virtual.hosts import Address, current_host
from simlab.virtual.loop import Process, current_process
from simlab.virtual.signatures import MAY_LACK, missing_bytes
from simlab.virtual.socket_view import SocketView
from simlab.virtual.tcp import TcpLoop


class Way(NamedTuple):
    """Where a datagram comes from and goes to, and its true size."""

    source: Address
    destination: Address
    size: int

    @property
    def flow(self) -> tuple[Address, Address]:
        """Source and destination: what datagrams of one flow have in common."""
        return self.source, self.destination


_new_way: Callable[[tuple[Address, Address, int]], Way] = partial(tuple.__new__, Way)  # in half the time


def true_payload(payload: bytes, way: Way) -> bytes:
    """Return a datagram without what it got on its way, to be as long in every run."""
    return payload if isinstance(payload, Injected) else payload[: way.size]


_FIRST_PORT = 20000

# What the receive buffer of aioice's sockets holds while nobody reads, on a Linux whose limit (rmem_max)
# allows it, and what a datagram takes up in it, by the size up to which it does: measured on loopback.
_BUFFER_BYTES = 524_288
_BUFFERED_BYTES = ((144, 832), (656, 1280), (65_535, 2304))


class DatagramEndpoint(asyncio.DatagramTransport):
    """A bound UDP port of a virtual host."""

    def __init__(
        self,
        network: "VirtualNetworkLoop",
        protocol: asyncio.DatagramProtocol,
        address: Address,
        remote: Address | None = None,
    ) -> None:
        super().__init__()
        self._network = network
        self._protocol = protocol
        self._address = address
        self._remote = remote
        self._socket = SocketView(address, ("", 0), socket.SOCK_DGRAM)
        self._context = contextvars.copy_context()
        self.process = current_process.get()
        self._closing = self._vanished = False
        self._free_bytes = _BUFFER_BYTES

    def deliver(self, payload: bytes, source: Address) -> None:
        """Hand a datagram to the protocol, on the host that opened the port.

        While the process is halted, datagrams wait in the port's buffer; what does not fit is lost.
        """
        if self._network.halted and self._network.is_halted(self.process):
            self._keep(payload, source)
        elif self._remote is None or self._remote == source:
            self._receive(payload, source)

    def refuse(self) -> None:
        """Tell the protocol that nobody is where it has sent to, as Linux does if the port is connected."""
        if self._remote is not None and not (self._closing or self._vanished):
            error = ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
            self._context.copy().run(self._protocol.error_received, error)

    def _keep(self, payload: bytes, source: Address) -> None:
        taken_bytes = next(taken for up_to, taken in _BUFFERED_BYTES if len(payload) <= up_to)
        if taken_bytes <= self._free_bytes:
            self._free_bytes -= taken_bytes
            # A copy, since a context that runs cannot be run in.
            context = self._context.copy()
            self._network.call_soon(self._receive_late, taken_bytes, payload, source, context=context)

    def _receive_late(self, taken_bytes: int, payload: bytes, source: Address) -> None:
        self._free_bytes += taken_bytes
        if self._remote is None or self._remote == source:
            self._receive(payload, source)

    def _receive(self, payload: bytes, source: Address) -> None:
        if self._closing or self._vanished:
            return
        try:
            self._context.run(self._protocol.datagram_received, payload, source)
        except Exception as error:  # as asyncio does for a callback of its own
            message = f"Exception in datagram_received at {self._address[0]}, from {source[0]}"
            self._network.call_exception_handler({"message": message, "exception": error})

    def sendto(self, data: Any, addr: Any = None) -> None:
        """Send a datagram; without an address, to the one that the port is connected to."""
        if not self._vanished:
            payload = data if type(data) is bytes else bytes(data)
            to = self._remote if addr is None else addr[:2]
            assert to is not None
            self._network.route(payload, self._address, to)

    def vanish(self) -> None:
        """Neither send nor receive any more, and tell nobody."""
        self._vanished = True
        self._network.unbind(self._address)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return the port's own address as ``sockname``; ``socket`` takes options, which do nothing."""
        known = {"sockname": self._address, "socket": self._socket}
        return known.get(name, default)

    def is_closing(self) -> bool:
        """Tell whether ``close`` was called."""
        return self._closing

    def close(self) -> None:
        """Free the port."""
        if not self._closing:
            self._closing = True
            self._network.unbind(self._address)
            self._network.call_soon(self._protocol.connection_lost, None)

    abort = close


class VirtualNetworkLoop(TcpLoop):
    """A virtual loop whose endpoints live on virtual hosts.

    ``way_out`` takes a datagram on its way, or returns False: then it is there at once.

    A host is called by its first address, and may have another later, or none.
    """

    __slots__ = ("_dead", "_endpoints", "_moved", "_ports", "way_out")

    def __init__(self) -> None:
        super().__init__()
        self.way_out: Callable[[bytes, Way], bool] = lambda _payload, _way: False
        self._endpoints: dict[Address, DatagramEndpoint] = {}
        self._ports: dict[str, int] = {}
        self._moved: dict[str, str | None] = {}
        self._dead: set[str] = set()

    def address_of(self, host: str) -> str | None:
        """Return a host's present address."""
        return self._moved.get(host, host)

    def addresses_here(self, use_ipv4: bool, use_ipv6: bool) -> list[str]:
        """Return the addresses of the current host, as aioice asks for them."""
        address = self.address_of(current_host.get())
        return [address] if use_ipv4 and address is not None else []

    def move(self, host: str, address: str | None) -> None:
        """Give a host another address, or none. What is bound to the old one neither sends nor receives."""
        old = self.address_of(host)
        if old is not None:
            self._dead.add(old)
        self._moved[host] = address

    async def create_datagram_endpoint(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], Any],
        local_addr: Address | None = None,
        remote_addr: Address | None = None,
        **_: Any,
    ) -> tuple[asyncio.DatagramTransport, Any]:
        """Open a UDP port on the host of ``local_addr``, or on the current host.

        Connected to ``remote_addr``, it sends there and receives nothing from elsewhere.

        Raises
        ------
        OSError
            If the port is in use, or the host has no address.
        """
        here = self.address_of(current_host.get()) if local_addr is None else local_addr[0]
        if here is None or here in self._dead:
            raise OSError("network is unreachable")
        host, port = here, local_addr[1] if local_addr is not None else 0
        address = (host, port or self._free_port(host))
        if address in self._endpoints:
            raise OSError(f"address already in use: {address}")
        protocol = protocol_factory()
        endpoint = DatagramEndpoint(self, protocol, address, remote_addr)
        self._endpoints[address] = endpoint
        protocol.connection_made(endpoint)
        return endpoint, protocol

    def _free_port(self, host: str) -> int:
        self._ports[host] = self._ports.get(host, _FIRST_PORT - 1) + 1
        return self._ports[host]

    def kill(self, process: Process) -> None:
        """End a process as a SIGKILL does: it does nothing more, and its sockets are gone."""
        self.halt(process)
        for endpoint in list(self._endpoints.values()):
            if endpoint.process is process:
                endpoint.vanish()
        self.close_streams(process)

    def unbind(self, address: Address) -> None:
        """Forget a UDP port."""
        self._endpoints.pop(address, None)

    def route(self, payload: bytes, source: Address, destination: Address) -> None:
        """Send a datagram on its way."""
        if source[0] in self._dead:
            return
        way = _new_way((source, destination, len(payload)))
        padded = payload + bytes(missing_bytes(payload)) if payload[:1] in MAY_LACK else payload
        if not self.way_out(padded, way):
            self.hand_over_soon(payload, source, destination)

    def arrive(self, packet: Delivered) -> None:
        """Take a datagram from its way to the port that it is meant for, if there is one."""
        way: Way = packet.tag  # type: ignore[assignment]
        source, destination, _ = way
        endpoint = self._endpoints.get(destination)
        if endpoint is not None and destination[0] not in self._dead:
            if getattr(packet.payload, "injected", None) == UNREACHABLE:
                endpoint.refuse()
            else:
                endpoint.deliver(true_payload(packet.payload, way), source)

    def hand_over_soon(self, payload: bytes, source: Address, destination: Address) -> None:
        """Take a datagram to the port that it is meant for, over nothing at all."""
        self.call_soon(self._hand_over, payload, source, destination)

    def _hand_over(self, payload: bytes, source: Address, destination: Address) -> None:
        endpoint = self._endpoints.get(destination)
        if endpoint is not None and destination[0] not in self._dead:
            endpoint.deliver(payload, source)
