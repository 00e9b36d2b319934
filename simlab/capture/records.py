"""What a capture holds of each packet, and how the two ends of a link become that."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from simlab.core.link import Delivered, Dropped
from simlab.core.packet import Direction

Address = tuple[str, int]

INTERFACES = (
    ("client side", "what the client sends and receives"),
    ("server side", "what the server sends and receives"),
    ("inside up", "what was dropped on its way to the server, after it had come in"),
    ("inside down", "what was dropped on its way to the client, after it had come in"),
)
"""The interfaces of a capture, by number: name and description."""

CLIENT_SIDE, SERVER_SIDE, INSIDE_UP, INSIDE_DOWN = range(4)
WAYS = tuple(Direction)
MOST_PACKETS = 2**40
"""How many packets of a link can be told from those of others."""
DROPPED = "dropped: "
INJECTED = "injected: "

_ENTRANCE = {Direction.UP: CLIENT_SIDE, Direction.DOWN: SERVER_SIDE}
_EXIT = {Direction.UP: SERVER_SIDE, Direction.DOWN: CLIENT_SIDE}
_INSIDE = {Direction.UP: INSIDE_UP, Direction.DOWN: INSIDE_DOWN}


class Record(NamedTuple):
    """A packet at an interface.

    Parameters
    ----------
    interface
        Its number in ``INTERFACES``.
    inbound
        Whether it comes from that side; else it goes there, or would have.
    t_s
        Seconds since the session began.
    comments
        What is said of it.
    packet
        Which packet it is: the same number at each interface where it is seen; None if it came to no link.
        It is the packet's own in its link, and ``MOST_PACKETS`` more for each link before that: those of the
        first client up and down, then those of the second.
    """

    interface: int
    inbound: bool
    t_s: float
    source: Address
    destination: Address
    payload: bytes
    comments: tuple[str, ...] = ()
    packet: int | None = None


Ends = tuple[Address, Address]
"""Source and destination of a packet, as one side sees it."""


class Seen(NamedTuple):
    """A packet as one side sees it."""

    source: Address
    destination: Address
    payload: bytes


class Tap:
    """Turn what happens to the packets of a link into records.

    A packet that is dropped when it comes in has the cause in the comment of its record there; one that is
    dropped later has another record, at the interface ``inside up`` or ``inside down``. So the packets at the
    entrance are those offered, the packets at the exit are those delivered, and the comments are the drops.

    Parameters
    ----------
    put
        Called with each record.
    client
        Whose link it is.
    """

    def __init__(self, direction: Direction, put: Callable[[Record], None], client: int = 1) -> None:
        self._first = (2 * (client - 1) + WAYS.index(direction)) * MOST_PACKETS
        self._entrance, self._exit = _ENTRANCE[direction], _EXIT[direction]
        self._inside = _INSIDE[direction]
        self._put = put

    def entered(
        self, at_s: float, seen: Seen, seq: int, drops: Iterable[Dropped], as_seen: Callable[[Dropped], Seen]
    ) -> None:
        """Take in a packet that came to the link, and what the link said of it.

        Parameters
        ----------
        seq
            Its number in the link.
        drops
            What was dropped of it, and of packets that came before.
        as_seen
            Returns how a packet looked that came before.
        """
        causes: tuple[str, ...] = ()
        for drop in drops:
            if drop.seq == seq:
                causes += (DROPPED + drop.cause,)
            else:
                self.lost(drop.at_s, as_seen(drop), drop.cause, drop.seq)
        self._put(Record(self._entrance, True, at_s, *seen, causes, self._first + seq))

    def refused(self, at_s: float, seen: Seen, cause: str) -> None:
        """Take in a packet that a side has sent, and that never came to the link."""
        self._put(Record(self._entrance, True, at_s, *seen, (DROPPED + cause,)))

    def left(self, at_s: float, seen: Seen, packet: Delivered) -> None:
        """Take in a packet that left the link, as the other side sees it."""
        what = getattr(packet.payload, "injected", None)
        comments = () if what is None else (INJECTED + what,)
        self._put(Record(self._exit, False, at_s, *seen, comments, self._first + packet.seq))

    def lost(self, at_s: float, seen: Seen, cause: str, seq: int) -> None:
        """Take in a packet that was dropped after it had come in."""
        self._put(Record(self._inside, False, at_s, *seen, (DROPPED + cause,), self._first + seq))
