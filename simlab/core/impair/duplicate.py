"""Duplication: some packets arrive twice."""

from dataclasses import dataclass

from simlab.core.impair.draws import uniform_draws
from simlab.core.packet import Direction, Transit


@dataclass(frozen=True, slots=True)
class DuplicateSpec:
    """Each packet is followed by a copy of itself with that chance."""

    duplicate_chance: float


class DuplicateStage:
    """Send a copy right behind some packets. One draw for each packet.

    Later stages treat the copy as a packet of its own: it may be delayed otherwise, or corrupted alone.
    """

    name = "duplicate"

    def __init__(self, spec: DuplicateSpec, seed: int, direction: Direction) -> None:
        self.spec = spec
        self._draws = uniform_draws(seed, direction, self.name)

    def apply(self, transit: Transit) -> tuple[Transit, ...]:
        """Pass the transit on, alone or with a copy behind it."""
        if self._draws.of(transit.packet) >= self.spec.duplicate_chance:
            return (transit,)
        return (transit, Transit(transit.packet, transit.due_s, transit.payload))
