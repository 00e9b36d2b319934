"""One-way delay: constant, uniform and normal, and correlated delays of any distribution.

Where ``reorder`` is false a packet never leaves before one that came earlier: it waits for it, as in
libwebrtc's simulated network and RFC 8868's NR-BPDV. That makes large jitters longer on average than
their mean; with ``reorder`` each packet has its own delay and may overtake.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Protocol

from simlab.core.impair.draws import chain_normals, normal_draws, uniform_draws
from simlab.core.packet import Direction, Transit

STANDARD_NORMAL = NormalDist()


class DelayDistribution(Protocol):
    """A distribution of delays that has an inverse."""

    @property
    def mean_s(self) -> float:
        """The mean, before a delay that would be negative becomes 0."""

    @property
    def reorder(self) -> bool:
        """Whether packets may overtake."""

    def quantile_s(self, share: float) -> float:
        """Return the delay that a share of the packets, in (0, 1), stays below."""


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

    def quantile_s(self, share: float) -> float:
        """Return the delay that a share of the packets stays below."""
        return self.mean_s + self.jitter_s * (2 * share - 1)


@dataclass(frozen=True, slots=True)
class NormalDelaySpec:
    """Normal; a delay that would be negative is 0, as in libwebrtc."""

    mean_s: float
    deviation_s: float
    reorder: bool = False

    def quantile_s(self, share: float) -> float:
        """Return the delay that a share of the packets stays below."""
        return self.mean_s + self.deviation_s * STANDARD_NORMAL.inv_cdf(share)


@dataclass(frozen=True, slots=True)
class CorrelatedDelaySpec:
    """A distribution of delays, each correlated with the one before.

    Z(n) = c Z(n-1) + √(1 - c²) N(0, 1), and the delay is the distribution's quantile at Φ(Z): a Gaussian
    copula, which leaves the distribution as it is at any c. (netem's correlation does not: its modulo
    destroys it for small jitters, and its spread shrinks for large ones.)
    """

    spec: DelayDistribution
    correlation: float

    @property
    def mean_s(self) -> float:
        """The mean of the distribution."""
        return self.spec.mean_s


class ConstantDelayStage:
    """Delay every packet by the same time. No draws; the order stays as it is."""

    name = "delay"

    def __init__(self, spec: ConstantDelaySpec, seed: int = 0, direction: Direction = Direction.UP) -> None:
        self.spec = spec

    def apply(self, transit: Transit) -> tuple[Transit, ...]:
        """Put the transit's due time off."""
        transit.due_s += self.spec.mean_s
        return (transit,)


class UniformDelayStage:
    """Delay packets by uniform times. One draw for each packet."""

    name = "delay"

    def __init__(self, spec: UniformDelaySpec, seed: int, direction: Direction) -> None:
        self._last_due_s = -math.inf
        self._draws = uniform_draws(seed, direction, self.name)
        self.change(spec)

    def change(self, spec: UniformDelaySpec) -> None:
        """Go on with another spec."""
        self.spec = spec
        self._low_s = spec.mean_s - spec.jitter_s
        self._width_s = 2 * spec.jitter_s

    def apply(self, transit: Transit) -> tuple[Transit, ...]:
        """Put the transit's due time off."""
        delay_s = self._low_s + self._width_s * self._draws.of(transit.packet)
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
        delay_s = self.spec.mean_s + self.spec.deviation_s * self._draws.of(transit.packet)
        if delay_s > 0:
            transit.due_s += delay_s
        if not self.spec.reorder:
            self._last_due_s = transit.due_s = max(transit.due_s, self._last_due_s)
        return (transit,)


class QuantileDelayStage:
    """Delay packets by any distribution that has an inverse. One draw for each packet."""

    name = "delay"

    def __init__(self, spec: DelayDistribution, seed: int, direction: Direction) -> None:
        self.spec = spec
        self._last_due_s = -math.inf
        self._draws = uniform_draws(seed, direction, self.name)

    def apply(self, transit: Transit) -> tuple[Transit, ...]:
        """Put the transit's due time off."""
        # A draw may be 0, where a distribution without a lower end has no quantile.
        transit.due_s += max(self.spec.quantile_s(self._draws.of(transit.packet) or 2**-54), 0.0)
        if not self.spec.reorder:
            self._last_due_s = transit.due_s = max(transit.due_s, self._last_due_s)
        return (transit,)


class CorrelatedDelayStage:
    """Delay packets by a Gaussian copula. One draw for each packet of the link.

    All packets of the link move one chain, those too that an earlier stage dropped; a copy has the delay of
    its packet.
    """

    name = "delay"

    def __init__(self, spec: CorrelatedDelaySpec, seed: int, direction: Direction) -> None:
        self._next_seq = 0
        self._last_due_s = -math.inf
        self._values = chain_normals(seed, direction, self.name)
        self._state = next(self._values)
        self.change(spec)

    def change(self, spec: CorrelatedDelaySpec) -> None:
        """Go on with another spec, from the state as it is."""
        self.spec = spec
        self._rest = math.sqrt(1 - spec.correlation**2)

    def apply(self, transit: Transit) -> tuple[Transit, ...]:
        """Put the transit's due time off."""
        seq, spec = transit.packet.seq, self.spec.spec
        while self._next_seq <= seq:
            self._state = self.spec.correlation * self._state + self._rest * next(self._values)
            self._next_seq += 1
        # Φ rounds to 0 or 1 from eight or so deviations on.
        share = min(max(STANDARD_NORMAL.cdf(self._state), 2**-54), 1 - 2**-53)
        transit.due_s += max(spec.quantile_s(share), 0.0)
        if not spec.reorder:
            self._last_due_s = transit.due_s = max(transit.due_s, self._last_due_s)
        return (transit,)
