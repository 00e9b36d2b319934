"""What comes again and again: spikes of delay, and pauses in which packets are held."""

import math
from bisect import insort
from collections.abc import Iterable
from dataclasses import dataclass

from simlab.core.impair.select import Selection
from simlab.core.packet import Direction, Transit


@dataclass(frozen=True, slots=True)
class SpikeSpec:
    """From ``first_s`` on, every ``every_s``, packets that enter within ``for_s`` are delayed by ``extra_s``.

    Parameters
    ----------
    reorder
        Whether packets that enter after a spike may overtake those of the spike.
    """

    every_s: float
    for_s: float
    extra_s: float
    first_s: float = 0.0
    reorder: bool = False


class SpikeStage:
    """Delay packets in spikes. Nothing is random here."""

    name = "spike"

    def __init__(self, spec: SpikeSpec, seed: int, direction: Direction) -> None:
        self.spec = spec
        self._last_due_s = -math.inf

    def apply(self, transit: Transit) -> tuple[Transit, ...]:
        """Put the transit's due time off, if it came in a spike."""
        spec = self.spec
        since_s = transit.packet.arrived_s - spec.first_s
        if since_s >= 0 and since_s % spec.every_s < spec.for_s:
            transit.due_s += spec.extra_s
        if not spec.reorder:
            self._last_due_s = transit.due_s = max(transit.due_s, self._last_due_s)
        return (transit,)


@dataclass(frozen=True, slots=True)
class PeriodicPauseSpec:
    """From ``first_s`` on, every ``every_s``, what is due within ``for_s`` is held until that is over."""

    every_s: float
    for_s: float
    first_s: float = 0.0


class PeriodicPauseStage:
    """Hold packets, and let them go in a burst, as a radio that sleeps does. Nothing is random here."""

    name = "pause"

    def __init__(self, spec: PeriodicPauseSpec, seed: int, direction: Direction) -> None:
        self.spec = spec

    def apply(self, transit: Transit) -> tuple[Transit, ...]:
        """Put the transit's due time off to the end of the pause."""
        spec = self.spec
        since_s = transit.due_s - spec.first_s
        if since_s >= 0:
            periods = since_s // spec.every_s
            if since_s < periods * spec.every_s + spec.for_s:
                transit.due_s = spec.first_s + periods * spec.every_s + spec.for_s
        return (transit,)


@dataclass(frozen=True, slots=True)
class PauseSpec:
    """What is due in ``[at_s, until_s)`` is held until ``until_s``.

    Parameters
    ----------
    selection
        Which packets; None for all of them.
    """

    at_s: float
    until_s: float
    selection: Selection | None = None


class PauseStage:
    """Hold packets while any of the specs says so, and let them go in a burst. Nothing is random here."""

    name = "pause"

    def __init__(self, specs: Iterable[PauseSpec]) -> None:
        self.specs = sorted(specs, key=lambda spec: spec.at_s)

    def add(self, spec: PauseSpec) -> None:
        """Hold packets by another spec, too."""
        insort(self.specs, spec, key=lambda one: one.at_s)

    def remove(self, spec: PauseSpec) -> None:
        """Hold no more packets by a spec; those that it holds stay held."""
        self.specs = [one for one in self.specs if one != spec]

    def apply(self, transit: Transit) -> tuple[Transit, ...]:
        """Put the transit's due time off to the end of every pause that it meets."""
        for spec in self.specs:  # in order of time, since the end of one may lie in the next
            if spec.at_s <= transit.due_s < spec.until_s and _chosen(spec, transit):
                transit.due_s = spec.until_s
        return (transit,)


def _chosen(spec: PauseSpec, transit: Transit) -> bool:
    return spec.selection is None or spec.selection.covers(transit.packet)
