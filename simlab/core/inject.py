"""Packets that nobody has sent: forged ones, and those sent again.

An injected packet goes with one that gets through the link, its *carrier*: just before it, from the same
address to the same one. So who injects sits next to the receiver, sees all that comes, and is faster.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from simlab.core.impair.select import flow_of
from simlab.core.packet import Packet, PacketClass, Transit, classify

UNREACHABLE = "unreachable"
"""What is no packet of its own, but the word of ICMP that nobody is where its receiver has sent to."""

_REMEMBERED = 50


class Injected(bytes):
    """The payload of an injected packet.

    Parameters
    ----------
    injected
        What it is, by the name in the profile.
    """

    injected: str

    def __new__(cls, payload: bytes, injected: str) -> "Injected":
        """Make a payload that says what it is."""
        made = super().__new__(cls, payload)
        made.injected = injected
        return made


Forge = Callable[[Packet, bytes], bytes | None]
"""Makes a payload of a carrier, given as it came into the link and as it leaves; None if it can't."""


@dataclass(frozen=True, slots=True)
class InjectSpec:
    """What is injected, and when.

    Parameters
    ----------
    what
        What it is called.
    at_s, every_s, count
        The first one goes with the first carrier that leaves the link at ``at_s`` or later, the next one with
        the first carrier ``every_s`` after that, until there have been ``count``.
    carriers
        The classes of the packets that one goes with; None for all.
    forge
        Makes the payload.
    """

    what: str
    at_s: float
    every_s: float
    count: int
    carriers: frozenset[PacketClass] | None
    forge: Forge


@dataclass(slots=True)
class _Due:
    """When the next one may go, and how many there are still to be."""

    spec: InjectSpec
    next_s: float
    left: int


class InjectStage:
    """Put packets in front of others. The last stage of a link: nothing is done to what it puts there."""

    name = "inject"

    def __init__(self, specs: Iterable[InjectSpec]) -> None:
        self._due = [_Due(spec, spec.at_s, spec.count) for spec in specs]

    def apply(self, transit: Transit) -> tuple[Transit, ...]:
        """Pass the transit on, behind what is injected."""
        out: list[Transit] = []
        for due in self._due:
            spec = due.spec
            if spec.carriers is not None and transit.packet.kind not in spec.carriers:
                continue
            payload = spec.forge(transit.packet, transit.payload)
            if payload is None or not due.left or transit.due_s < due.next_s:
                continue
            due.next_s, due.left = transit.due_s + spec.every_s, due.left - 1
            packet = replace(transit.packet, payload=payload, kind=classify(payload))
            out.append(Transit(packet, transit.due_s, Injected(payload, spec.what)))
        return (*out, transit)


class Replay:
    """Send again what went the same way some packets before: the oldest of the last fifty."""

    def __init__(self) -> None:
        self._passed: dict[object, deque[bytes]] = {}

    def __call__(self, packet: Packet, payload: bytes) -> bytes | None:
        """Return an earlier packet of the flow, and remember this one."""
        passed = self._passed.setdefault(flow_of(packet), deque(maxlen=_REMEMBERED))
        earlier = passed[0] if passed else None
        passed.append(payload)
        return earlier
