"""What a STUN or TURN server wants done. It does no I/O itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Send:
    """Send a datagram.

    Parameters
    ----------
    via
        The relayed address that it leaves from; None for the one that the server listens on.
    """

    payload: bytes
    to: Address
    via: Address | None = None


@dataclass(frozen=True, slots=True)
class Open:
    """Open a port for a client's allocation, and say so by ``opened``, or ``not_opened``."""

    client: Address


@dataclass(frozen=True, slots=True)
class Close:
    """Close the port of an allocation that is no more."""

    relayed: Address


@dataclass(frozen=True, slots=True)
class Happened:
    """Something for the timeline, with its fields."""

    kind: str
    data: Mapping[str, Any] = field(default_factory=dict)


Output = Send | Open | Close | Happened


def text(address: Address) -> str:
    """Return an address as the timeline has it: ``"10.0.3.3:3478"``."""
    return f"{address[0]}:{address[1]}"
