"""Reordering as netem does it: some packets skip the delay and so overtake those that do not."""

from dataclasses import dataclass
from typing import Protocol

from simlab.core.impair.draws import chain_uniforms
from simlab.core.packet import Direction, Transit


@dataclass(frozen=True, slots=True)
class ReorderSpec:
    """After ``gap - 1`` delayed packets or more, each skips the delay with that chance.

    With a gap of 1 every packet is a candidate. In the long run, 1 packet in ``gap - 1 + 1/chance`` skips.

    Source: Linux ``net/sched/sch_netem.c``.
    """

    reorder_chance: float
    gap_packets: int = 1

    @property
    def skipping_fraction(self) -> float:
        """Share of packets that skip the delay, in the long run."""
        return 1 / (self.gap_packets - 1 + 1 / self.reorder_chance) if self.reorder_chance else 0.0


class _Delay(Protocol):
    def apply(self, transit: Transit) -> tuple[Transit, ...]: ...


class ReorderStage:
    """Let some packets skip a stage. One draw for each packet of the link, those too that never came here.

    Parameters
    ----------
    delay
        The stage that the others go through.
    """

    name = "delay"

    def __init__(self, spec: ReorderSpec, delay: _Delay, seed: int, direction: Direction) -> None:
        self.spec = spec
        self.delay = delay
        self._values = chain_uniforms(seed, direction, "reorder")
        self._next_seq = 0
        self._delayed = 0
        self._skips = False

    def apply(self, transit: Transit) -> tuple[Transit, ...]:
        """Pass the transit on at once, or through the delay."""
        seq = transit.packet.seq
        while self._next_seq <= seq:
            self._skips = self._step()
            self._next_seq += 1
        return (transit,) if self._skips else self.delay.apply(transit)

    def _step(self) -> bool:
        luck = next(self._values)
        if self._delayed < self.spec.gap_packets - 1 or luck >= self.spec.reorder_chance:
            self._delayed += 1
            return False
        self._delayed = 0
        return True
