"""Pass UDP between two sides that know each other only by aliases."""

import socket
import struct
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

import trio

from simlab.core.link import Delivered
from simlab.core.packet import Direction
from simlab.live.addresses import RELAY_HOSTS, Address, Side
from simlab.live.shell import LinkShell

_BUFFER_BYTES = 4 * 2**20
_LARGEST_DATAGRAM_BYTES = 65535
# Linux's SO_MEMINFO (since 4.12), which Python does not name; the last of its numbers counts dropped packets.
_SO_MEMINFO, _MEMINFO = 55, "9I"
_TOWARDS: dict[Side, Direction] = {"server": Direction.UP, "client": Direction.DOWN}
_OTHER: dict[Side, Side] = {"server": "client", "client": "server"}


class LostError(OSError):
    """A packet that has come out of a link reaches nobody.

    Parameters
    ----------
    cause
        What the drop is called in the timeline.
    """

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


@dataclass(slots=True)
class Alias:
    """A socket that stands for an endpoint at the other side; what comes there goes ``towards`` it."""

    socket: socket.socket
    towards: Direction
    retired: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """How a packet leaves the relay, and the alias at which it came."""

    through: socket.socket
    to: Address
    came_to: Alias

    @property
    def flow(self) -> object:
        """What datagrams of one source to one destination have in common."""
        return self.through, self.to


class Relay:
    """Stand for the endpoints of each side at the other.

    For each endpoint of one side there is a UDP socket that the other side sees: its *alias*. What
    arrives at the alias of S from C goes through the link, and leaves for S from the alias of C. An
    alias is made when it is first asked for or when its endpoint first sends, whichever comes first
    (a client's first check overtakes the announcement of its candidate), and stays for the session, or
    until ``rebind``. ICE takes the relay for a NAT, since STUN's integrity does not cover addresses.

    Parameters
    ----------
    nursery
        Runs a task for each alias.
    shells
        The links; they are to send by ``send``.
    """

    def __init__(self, nursery: trio.Nursery, shells: Mapping[Direction, LinkShell]) -> None:
        self._nursery = nursery
        self._shells = shells
        self._aliases: dict[tuple[Side, Address], Alias] = {}
        self._retired: list[Alias] = []
        self._hosts = dict(RELAY_HOSTS)
        self._dead_hosts: set[str] = set()

    def alias(self, side: Side, endpoint: Address) -> Address:
        """Return the address at which the other side finds an endpoint of ``side``.

        Raises
        ------
        OSError
            If no socket can be had.
        """
        host, port = self._alias(side, endpoint).socket.getsockname()
        return host, port

    def rebind(self, host: str | None) -> None:
        """Let the server see every endpoint of the client from a new port, and forget the old ones.

        Parameters
        ----------
        host
            The address of the new ports; None leaves it.
        """
        if host is not None:
            self._hosts["server"] = host
        for key in [key for key in self._aliases if key[0] == "client"]:
            alias = self._aliases.pop(key)
            alias.retired = True
            self._retired.append(alias)

    def cut_off(self, host: str) -> None:
        """Take nothing from an address of the client any more, and send nothing there."""
        self._dead_hosts.add(host)

    def send(self, packet: Delivered) -> None:
        """Send a packet that comes out of a link.

        Raises
        ------
        OSError
            If the system does not take it, or nobody is there: see ``LostError``.
        """
        route = packet.tag
        assert isinstance(route, Route)
        if route.to[0] in self._dead_hosts:
            raise LostError("handover")
        if route.came_to.retired:
            raise LostError("nat")
        route.through.sendto(packet.payload, route.to)

    def kernel_drops(self) -> dict[Direction, int]:
        """Return how many packets of each direction the kernel dropped before they could be read."""
        drops = dict.fromkeys(Direction, 0)
        for alias in self._all():
            drops[alias.towards] += _kernel_drops(alias.socket)
        return drops

    def close(self) -> None:
        """Close the sockets."""
        for alias in self._all():
            alias.socket.close()

    def _all(self) -> Iterator[Alias]:
        yield from self._aliases.values()
        yield from self._retired

    def _alias(self, side: Side, endpoint: Address) -> Alias:
        alias = self._aliases.get((side, endpoint))
        if alias is None:
            alias = Alias(_open(self._hosts[_OTHER[side]]), _TOWARDS[side])
            self._aliases[side, endpoint] = alias
            self._nursery.start_soon(self._listen, alias, side, endpoint)
        return alias

    async def _listen(self, alias: Alias, side: Side, endpoint: Address) -> None:
        """Take what the other side sends to an endpoint of ``side``."""
        shell = self._shells[alias.towards]
        while True:
            await trio.lowlevel.wait_readable(alias.socket.fileno())
            for payload, source in _waiting(alias.socket):
                if source[0] not in self._dead_hosts:
                    through = self._alias(_OTHER[side], source).socket
                    shell.receive(payload, Route(through, endpoint, alias))


def _open(host: str) -> socket.socket:
    alias = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    alias.setblocking(False)
    for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
        alias.setsockopt(socket.SOL_SOCKET, option, _BUFFER_BYTES)
    alias.bind((host, 0))
    return alias


def _kernel_drops(alias: socket.socket) -> int:
    values = struct.unpack(
        _MEMINFO, alias.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, struct.calcsize(_MEMINFO))
    )
    return int(values[-1])


def _waiting(alias: socket.socket) -> Iterator[tuple[bytes, Address]]:
    with suppress(BlockingIOError):
        while True:
            yield alias.recvfrom(_LARGEST_DATAGRAM_BYTES)
