"""Impairments for some packets only: by class, by size, by flow, by number."""

from dataclasses import dataclass
from typing import Protocol

from simlab.core.packet import Packet, PacketClass, Transit

# The key of a packet's mark that says which flow it belongs to.
_FLOW = "flow"


class OnFlow(Protocol):
    """What a packet's tag may be, if it says which flow the packet belongs to."""

    @property
    def flow(self) -> object:
        """Something hashable, the same for all packets of one source to one destination."""


def flow_of(packet: Packet) -> object:
    """Return what a packet has in common with the others of its flow; those without a tag are one flow."""
    return getattr(packet.tag, "flow", None)


class FlowStage:
    """Number the flows as they come, for the stages behind it that select by flow. It drops nothing."""

    name = "flow"

    def __init__(self) -> None:
        self._numbers: dict[object, int] = {}

    def note(self, packet: Packet) -> None:
        """Mark a packet that enters the link with the number of its flow."""
        number = self._numbers.setdefault(flow_of(packet), len(self._numbers) + 1)
        if packet.marks is None:
            packet.marks = {}
        packet.marks[_FLOW] = number

    def apply(self, transit: Transit) -> tuple[Transit, ...]:
        """Pass the transit on."""
        return (transit,)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which packets are meant; what is None does not matter.

    Parameters
    ----------
    classes
        Any of these.
    larger_bytes, smaller_bytes
        Payloads of more, and of fewer, bytes than that.
    nth
        Their numbers, from 1, among the packets that the rest of the selection covers.
    flows
        Their flows, numbered from 1 in the order in which they came to the link; it needs a ``FlowStage``.
    """

    classes: frozenset[PacketClass] | None = None
    larger_bytes: int | None = None
    smaller_bytes: int | None = None
    nth: frozenset[int] | None = None
    flows: frozenset[int] | None = None

    def covers(self, packet: Packet) -> bool:
        """Tell whether a packet is meant, its number aside."""
        if self.classes is not None and packet.kind not in self.classes:
            return False
        if self.flows is not None and (packet.marks or {}).get(_FLOW) not in self.flows:
            return False
        size = len(packet.payload)
        if self.larger_bytes is not None and size <= self.larger_bytes:
            return False
        return self.smaller_bytes is None or size < self.smaller_bytes


@dataclass(frozen=True, slots=True)
class SelectedSpec:
    """A spec that is for a selection of packets; the others pass as if the stage were not there."""

    spec: object
    selection: Selection

    @property
    def mean_s(self) -> float:
        """The mean delay of the selected packets, where the spec is a delay."""
        mean_s = getattr(self.spec, "mean_s", 0.0)
        return mean_s if isinstance(mean_s, float) else 0.0


class _Inner(Protocol):
    @property
    def name(self) -> str: ...

    def apply(self, transit: Transit) -> tuple[Transit, ...]: ...


class SelectedStage:
    """Put a stage in the way of a selection of packets.

    To the stage, the selected packets are all that there are: it sees them numbered from 0. They are counted
    as they enter the link, so that what earlier stages drop shifts nothing.
    """

    def __init__(self, selection: Selection, stage: _Inner) -> None:
        self.selection = selection
        self.stage = stage
        self._count = 0

    @property
    def name(self) -> str:
        """The cause of its drops."""
        return self.stage.name

    def note(self, packet: Packet) -> None:
        """Count a packet that enters the link."""
        if not self.selection.covers(packet):
            return
        if packet.marks is None:
            packet.marks = {}
        packet.marks[self] = self._count
        self._count += 1

    def apply(self, transit: Transit) -> tuple[Transit, ...]:
        """Give the transit to the stage, if it is selected."""
        packet = transit.packet
        number = None if packet.marks is None else packet.marks.get(self)
        nth = self.selection.nth
        if number is None or (nth is not None and number + 1 not in nth):
            return (transit,)
        transit.packet = Packet(
            number, packet.arrived_s, packet.payload, packet.kind, packet.tag, packet.nth, packet.marks
        )
        out = self.stage.apply(transit)
        transit.packet = packet
        for one in out:
            one.packet = packet
        return out
