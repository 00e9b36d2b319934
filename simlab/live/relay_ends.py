"""How packets come to the relay and leave it."""

import socket
from dataclasses import dataclass

from simlab.core.packet import Direction
from simlab.live.addresses import Address


@dataclass(slots=True)
class Alias:
    """A socket that stands for an endpoint at the other side; what comes there goes ``towards`` it."""

    socket: socket.socket
    towards: Direction
    address: Address


@dataclass(frozen=True, slots=True)
class Route:
    """How a packet leaves the relay, and the alias at which it came and from where."""

    through: Alias
    to: Address
    came_to: Alias
    came_from: Address

    @property
    def flow(self) -> object:
        """What datagrams of one source to one destination have in common."""
        return self.through.address, self.to
