"""Slots: packets leave in bunches, as from Wi-Fi aggregation or the transmission intervals of LTE."""

import math
from dataclasses import dataclass

from simlab.core.impair.draws import chain_uniforms
from simlab.core.impair.rate import HEADER_BYTES
from simlab.core.packet import Direction, Transit


@dataclass(frozen=True, slots=True)
class SlotSpec:
    """When the next slot opens, and how much may leave in it.

    Parameters
    ----------
    min_s, max_s
        The next slot opens uniformly so long after the last was used up, or after a packet that found it
        open for long.
    packets
        At most so many in a slot; None for any number.
    size_bytes
        A slot is used up by so many bytes, payloads and ``HEADER_BYTES``; the packet that exceeds it still
        leaves, as in netem. None for any number.

    Source: ``get_slot_next`` and ``netem_dequeue`` in Linux ``net/sched/sch_netem.c``.
    """

    min_s: float
    max_s: float
    packets: int | None = None
    size_bytes: int | None = None


class SlotStage:
    """Let packets wait for their slot. One draw for each slot.

    Packets have to come in the order of their due times, as they do behind a bottleneck.
    """

    name = "slot"

    def __init__(self, spec: SlotSpec, seed: int, direction: Direction) -> None:
        self.spec = spec
        self.opens_s = -math.inf
        self._packets_left = 0.0
        self._bytes_left = 0.0
        self._values = chain_uniforms(seed, direction, self.name)

    def apply(self, transit: Transit) -> tuple[Transit, ...]:
        """Put the transit's due time off until its slot opens."""
        if self.opens_s < transit.due_s:
            self._next_slot(transit.due_s)
        transit.due_s = self.opens_s
        self._packets_left -= 1
        self._bytes_left -= len(transit.payload) + HEADER_BYTES
        if self._packets_left <= 0 or self._bytes_left <= 0:
            self._next_slot(self.opens_s)
        return (transit,)

    def _next_slot(self, now_s: float) -> None:
        spec = self.spec
        self.opens_s = now_s + spec.min_s + (spec.max_s - spec.min_s) * next(self._values)
        self._packets_left = math.inf if spec.packets is None else spec.packets
        self._bytes_left = math.inf if spec.size_bytes is None else spec.size_bytes
