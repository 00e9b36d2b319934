"""How packets come to a relay between two sides, and leave it."""

import socket
from dataclasses import dataclass

from simlab.core.packet import Direction
from simlab.live.addresses import Address, Side

TOWARDS: dict[Side, Direction] = {"server": Direction.UP, "client": Direction.DOWN}
"""The direction of what goes to a side."""

OTHER: dict[Side, Side] = {"server": "client", "client": "server"}


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


@dataclass(slots=True, eq=False)
class Alias:
    """A socket that stands for an endpoint at the other side, which sees its ``address``.

    What comes there goes ``towards`` the endpoint.
    """

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


def refuse(sender: Address, receiver: Address) -> None:
    """Tell who sends to an alias that nobody is there.

    Raises
    ------
    LostError
        If the system does not let this process send ICMP.
    """
    from simlab.forge.unreachable import port_unreachable

    try:
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as icmp:
            icmp.bind((receiver[0], 0))
            icmp.sendto(port_unreachable(sender, receiver), (sender[0], 0))
    except PermissionError:
        raise LostError("icmp-not-permitted") from None
