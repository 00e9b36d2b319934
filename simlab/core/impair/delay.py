"""One-way delay: constant, uniform and normal.

Where ``reorder`` is false a packet never leaves before one that came earlier: it waits for it, as in
libwebrtc's simulated network and RFC 8868's NR-BPDV. That makes large jitters longer on average than
their mean; with ``reorder`` each packet has its own delay and may overtake.
"""

import math
from dataclasses import dataclass

from simlab.core.impair.draws import normal_draws, uniform_draws
from simlab.core.packet import Direction, Transit


@dataclass(frozen=True, slots=True)
class ConstantDelaySpec:
    """The same delay for every packet."""

    mean_s: float


@dataclass(frozen=True, slots=True)
class UniformDelaySpec:
    """Uniform on ``mean_s ± jitter_s``; a delay that would be negative is 0."""

    mean_s: float
    jitter_s: float
    reorder: bool = False


@dataclass(frozen=True, slots=True)
class NormalDelaySpec:
    """Normal; a delay that would be negative is 0, as in libwebrtc."""

    mean_s: float
    deviation_s: float
    reorder: bool = False


DelaySpec = ConstantDelaySpec | UniformDelaySpec | NormalDelaySpec


class ConstantDelayStage:
    """Delay every packet by the same time. No draws; the order stays as it is."""

    name = "delay"

    def __init__(self, spec: ConstantDelaySpec) -> None:
        self.spec = spec

    def apply(self, transit: Transit) -> tuple[Transit, ...]:
        """Put the transit's due time off."""
        transit.due_s += self.spec.mean_s
        return (transit,)


class UniformDelayStage:
    """Delay packets by uniform times. One draw for each packet."""

    name = "delay"

    def __init__(self, spec: UniformDelaySpec, seed: int, direction: Direction) -> None:
        self.spec = spec
        self._low_s = spec.mean_s - spec.jitter_s
        self._width_s = 2 * spec.jitter_s
        self._last_due_s = -math.inf
        self._draws = uniform_draws(seed, direction, self.name)

    def apply(self, transit: Transit) -> tuple[Transit, ...]:
        """Put the transit's due time off."""
        delay_s = self._low_s + self._width_s * self._draws.of(transit.packet.seq)
        if delay_s > 0:
            transit.due_s += delay_s
        if not self.spec.reorder:
            self._last_due_s = transit.due_s = max(transit.due_s, self._last_due_s)
        return (transit,)


class NormalDelayStage:
    """Delay packets by normal times. One draw for each packet."""

    name = "delay"

    def __init__(self, spec: NormalDelaySpec, seed: int, direction: Direction) -> None:
        self.spec = spec
        self._last_due_s = -math.inf
        self._draws = normal_draws(seed, direction, self.name)

    def apply(self, transit: Transit) -> tuple[Transit, ...]:
        """Put the transit's due time off."""
        delay_s = self.spec.mean_s + self.spec.deviation_s * self._draws.of(transit.packet.seq)
        if delay_s > 0:
            transit.due_s += delay_s
        if not self.spec.reorder:
            self._last_due_s = transit.due_s = max(transit.due_s, self._last_due_s)
        return (transit,)
