"""A mapping for each client: the socket by which the target knows it."""

import socket
from dataclasses import dataclass, field
from typing import NamedTuple

Address = tuple[str, int]


class Paths(NamedTuple):
    """The two ends of a packet from a client, as each side sees them.

    Parameters
    ----------
    near
        The client, and where it sends to.
    far
        The mapping, and the target.
    """

    near: tuple[Address, Address]
    far: tuple[Address, Address]


_STEADY = 4
_MOST_AT_ONCE = 8  # the first of them waits until the last has been taken in


class Pace:
    """How many packets to take from a socket before others have their turn.

    Where one comes at a time, asking for another that is not there takes as long as taking it.
    """

    __slots__ = ("_steady", "most")

    def __init__(self) -> None:
        self.most = 1
        self._steady = 0

    def faster(self) -> None:
        """There were as many: soon ask for more."""
        self._steady += 1
        if self._steady >= _STEADY:
            self.most = min(2 * self.most, _MOST_AT_ONCE)
            self._steady = 0

    def slower(self) -> None:
        """There were fewer."""
        self.most = max(self.most // 2, 1)
        self._steady = 0


@dataclass(slots=True, eq=False)
class Flow:
    """A client and its mapping.

    Parameters
    ----------
    client
        None when the mapping leads to it no more.
    upstream
        Connected to the target, so that nobody else is let in.
    listening
        Where the client sends to.
    used_s
        When it was last refreshed.
    paths
        What its packets look like in a capture.
    up, down
        Packets that came from the client, and from the target.
    """

    client: Address | None
    upstream: socket.socket
    listening: socket.socket
    used_s: float
    since_s: float
    paths: Paths
    up: int = 0
    down: int = 0
    closed: bool = False
    pace: Pace = field(default_factory=Pace)

    @property
    def flow(self) -> object:
        """What its packets have in common: see ``simlab.core.impair.select.OnFlow``."""
        return self

    def send_up(self, payload: bytes) -> str | None:
        """Send a packet to the target; return the cause if it is lost."""
        try:
            self.upstream.send(payload)
        except ConnectionRefusedError:
            return self._again(payload)
        except OSError:
            return "nat" if self.closed else "relay"
        return None

    def _again(self, payload: bytes) -> str | None:
        # That error was about an earlier packet, which had left the relay in order.
        try:
            self.upstream.send(payload)
        except OSError:
            return "relay"
        return None

    def send_down(self, payload: bytes) -> str | None:
        """Send a packet to the client; return the cause if it is lost."""
        if self.client is None:
            return "nat"
        try:
            self.listening.sendto(payload, self.client)
        except OSError:
            return "relay"
        return None

    def close(self) -> None:
        """Give the socket back."""
        self.closed = True
        self.client = None
        self.upstream.close()
