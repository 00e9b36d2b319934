"""Pass UDP between two sides that know each other only by aliases."""

import socket
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
_TOWARDS: dict[Side, Direction] = {"server": Direction.UP, "client": Direction.DOWN}
_OTHER: dict[Side, Side] = {"server": "client", "client": "server"}


@dataclass(frozen=True, slots=True)
class Route:
    """How a packet leaves the relay."""

    through: socket.socket
    to: Address

    @property
    def flow(self) -> object:
        """What datagrams of one source to one destination have in common."""
        return self.through, self.to


def send(packet: Delivered) -> None:
    """Send a packet that comes out of a link.

    Raises
    ------
    OSError
        If the system does not take it.
    """
    route = packet.tag
    assert isinstance(route, Route)
    route.through.sendto(packet.payload, route.to)


class Relay:
    """Stand for the endpoints of each side at the other.

    For each endpoint of one side there is a UDP socket that the other side sees: its *alias*. What
    arrives at the alias of S from C goes through the link, and leaves for S from the alias of C. An
    alias is made when it is first asked for or when its endpoint first sends, whichever comes first
    (a client's first check overtakes the announcement of its candidate), and stays for the session.
    ICE takes the relay for a NAT, since STUN's integrity does not cover addresses.

    Parameters
    ----------
    nursery
        Runs a task for each alias.
    shells
        The links.
    """

    def __init__(self, nursery: trio.Nursery, shells: Mapping[Direction, LinkShell]) -> None:
        self._nursery = nursery
        self._shells = shells
        self._aliases: dict[tuple[Side, Address], socket.socket] = {}

    def alias(self, side: Side, endpoint: Address) -> Address:
        """Return the address at which the other side finds an endpoint of ``side``.

        Raises
        ------
        OSError
            If no socket can be had.
        """
        host, port = self._socket(side, endpoint).getsockname()
        return host, port

    def close(self) -> None:
        """Close the sockets."""
        for alias in self._aliases.values():
            alias.close()

    def _socket(self, side: Side, endpoint: Address) -> socket.socket:
        alias = self._aliases.get((side, endpoint))
        if alias is None:
            alias = _open(RELAY_HOSTS[_OTHER[side]])
            self._aliases[side, endpoint] = alias
            self._nursery.start_soon(self._listen, alias, side, endpoint)
        return alias

    async def _listen(self, alias: socket.socket, side: Side, endpoint: Address) -> None:
        """Take what the other side sends to an endpoint of ``side``."""
        shell = self._shells[_TOWARDS[side]]
        while True:
            await trio.lowlevel.wait_readable(alias.fileno())
            for payload, source in _waiting(alias):
                shell.receive(payload, Route(self._socket(_OTHER[side], source), endpoint))


def _open(host: str) -> socket.socket:
    alias = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    alias.setblocking(False)
    for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
        alias.setsockopt(socket.SOL_SOCKET, option, _BUFFER_BYTES)
    alias.bind((host, 0))
    return alias


def _waiting(alias: socket.socket) -> Iterator[tuple[bytes, Address]]:
    with suppress(BlockingIOError):
        while True:
            yield alias.recvfrom(_LARGEST_DATAGRAM_BYTES)
