"""Faults that take packets away for a while: all of them (a blackout), or some classes (a block)."""

import math
from bisect import insort
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from simlab.core.impair.select import Selection
from simlab.core.packet import Packet, PacketClass, Transit


@dataclass(frozen=True, slots=True)
class BlockSpec:
    """What enters the link in ``[at_s, until_s)`` is dropped; what entered before still arrives.

    Parameters
    ----------
    at_s, until_s
        Seconds since the session began.
    classes
        Which packets are dropped; None for all of them.
    selection
        What else is asked of them; their numbers count from ``at_s`` on. None for nothing.
    """

    at_s: float
    until_s: float
    classes: frozenset[PacketClass] | None = None
    selection: Selection | None = None


class BlockStage:
    """Drop packets while any of the specs says so. Nothing is random here.

    Parameters
    ----------
    name
        The cause of its drops: ``"blackout"`` or ``"block"``.
    specs
        In any order; they may overlap.
    """

    def __init__(self, name: str, specs: Iterable[BlockSpec]) -> None:
        self._name = name
        self._pending = sorted(specs, key=lambda spec: spec.at_s, reverse=True)
        self._active: list[BlockSpec] = []
        self._counts: Counter[BlockSpec] = Counter()
        self._changes_s = self._pending[-1].at_s if self._pending else math.inf

    @property
    def name(self) -> str:
        """The cause of its drops."""
        return self._name

    def add(self, spec: BlockSpec) -> None:
        """Drop by another spec, too."""
        insort(self._pending, spec, key=lambda one: -one.at_s)
        self._changes_s = min(self._changes_s, spec.at_s)

    def remove(self, spec: BlockSpec) -> None:
        """Drop no more by a spec."""
        self._pending = [one for one in self._pending if one != spec]
        self._active = [one for one in self._active if one != spec]

    def apply(self, transit: Transit) -> tuple[Transit, ...]:
        """Drop the transit, or pass it on."""
        packet = transit.packet
        if packet.arrived_s >= self._changes_s:
            self._update(packet.arrived_s)
        for spec in self._active:
            if spec.classes is not None and packet.kind not in spec.classes:
                continue
            if spec.selection is None or self._selected(spec, spec.selection, packet):
                return ()
        return (transit,)

    def _selected(self, spec: BlockSpec, selection: Selection, packet: Packet) -> bool:
        if not selection.covers(packet):
            return False
        if selection.nth is None:
            return True
        self._counts[spec] += 1
        return self._counts[spec] in selection.nth

    def _update(self, now_s: float) -> None:
        while self._pending and self._pending[-1].at_s <= now_s:
            self._active.append(self._pending.pop())
        self._active = [spec for spec in self._active if now_s < spec.until_s]
        starts_s = self._pending[-1].at_s if self._pending else math.inf
        self._changes_s = min([starts_s, *(spec.until_s for spec in self._active)])
