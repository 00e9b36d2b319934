"""Loss by chains that every packet of a link moves: four states, correlated, netem's and libwebrtc's.

Each moves for the packets, too, that an earlier stage dropped, so that other stages do not shift it; a copy
shares the fate of its packet.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

from simlab.core.impair.draws import chain_normals, chain_uniforms
from simlab.core.packet import Direction, Transit

_U32_MAX = 2**32 - 1


class _Chain:
    """Decide packet by packet, in the order of their numbers."""

    name = "loss"

    def __init__(self) -> None:
        self._next_seq = 0
        self._lost = False

    def apply(self, transit: Transit) -> tuple[Transit, ...]:
        """Lose the transit, or pass it on."""
        seq = transit.packet.seq
        while self._next_seq <= seq:
            self._lost = self._step()
            self._next_seq += 1
        return () if self._lost else (transit,)

    def _step(self) -> bool:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class FourStateSpec:
    """A chain of gap (1), received in a burst (2), lost in a burst (3) and lost alone (4).

    Parameters
    ----------
    p13, p31, p32, p23, p14
        Chances of the moves; 4 always returns to 1.

    Raises
    ------
    ValueError
        If the chances of the moves out of a state are more than 1 together.

    Source: Salsano, Ludovici and Ordine (2009), as in Linux netem's ``loss state``, without the errors that
    kernels had until 2026 at the boundaries of its intervals.
    """

    p13: float
    p31: float
    p32: float = 0.0
    p23: float = 1.0
    p14: float = 0.0

    def __post_init__(self) -> None:
        if self.p13 + self.p14 > 1 or self.p31 + self.p32 > 1:
            raise ValueError("want p13 + p14 and p31 + p32 of 1 or less")

    @property
    def state_shares(self) -> tuple[float, float, float, float]:
        """Share of packets that meet each state, in the long run.

        π1 = 1 / (1 + p14 + (p13/p31)(1 + p32/p23)), π3 = π1 p13/p31, π2 = π3 p32/p23, π4 = p14 π1. Where p31
        or p23 is 0 the burst never ends, and its states share everything.
        """
        p13, p31, p32, p23, p14 = self.p13, self.p31, self.p32, self.p23, self.p14
        if p13 and not (p31 and (p23 or not p32)):
            lost = p23 / (p23 + p32) if p32 else 1.0
            return 0.0, 1 - lost, lost, 0.0
        lost = p13 / p31 if p13 else 0.0
        between = lost * p32 / p23 if lost and p32 else 0.0
        gap = 1 / (1 + p14 + lost + between)
        return gap, gap * between, gap * lost, gap * p14

    @property
    def loss_chance(self) -> float:
        """Share of packets lost in the long run: π3 + π4."""
        _, _, in_burst, alone = self.state_shares
        return in_burst + alone


class FourStateStage(_Chain):
    """Lose packets by four states. One draw for each packet; the state before the first is the gap."""

    def __init__(self, spec: FourStateSpec, seed: int, direction: Direction) -> None:
        super().__init__()
        self.spec = spec
        self.state = 1
        self._values = chain_uniforms(seed, direction, self.name, "four-state")

    def _step(self) -> bool:
        luck, spec = next(self._values), self.spec
        if self.state == 1:
            self.state = 3 if luck < spec.p13 else 4 if luck < spec.p13 + spec.p14 else 1
        elif self.state == 2:
            self.state = 3 if luck < spec.p23 else 2
        elif self.state == 3:
            self.state = 1 if luck < spec.p31 else 2 if luck < spec.p31 + spec.p32 else 3
        else:
            self.state = 1
        return self.state >= 3


@dataclass(frozen=True, slots=True)
class CorrelatedLossSpec:
    """Loss with a memory: exactly ``loss_chance`` in the long run, at any correlation below 1.

    Z(n) = c Z(n-1) + √(1 - c²) N(0, 1), and a packet is lost if Φ(Z) < p: a Gaussian copula, whose
    margin is uniform where netem's is not.
    """

    loss_chance: float
    correlation: float


class CorrelatedLossStage(_Chain):
    """Lose packets by a Gaussian copula. One draw for each packet."""

    def __init__(self, spec: CorrelatedLossSpec, seed: int, direction: Direction) -> None:
        super().__init__()
        self._values = chain_normals(seed, direction, self.name, "correlated")
        self._state = next(self._values)
        self.change(spec)

    def change(self, spec: CorrelatedLossSpec) -> None:
        """Go on with another spec, from the state as it is."""
        self.spec = spec
        self._rest = math.sqrt(1 - spec.correlation**2)
        self._below = _quantile(spec.loss_chance)

    def _step(self) -> bool:
        self._state = self.spec.correlation * self._state + self._rest * next(self._values)
        return self._state < self._below


def _quantile(chance: float) -> float:
    if 0 < chance < 1:
        return NormalDist().inv_cdf(chance)
    return math.inf if chance else -math.inf


@dataclass(frozen=True, slots=True)
class NetemLossSpec:
    """``tc qdisc … netem loss P CORRELATION``, with netem's own arithmetic.

    X(n) = (1 - c) U + c X(n-1) in 32-bit fixed point, and a packet is lost if X <= p. X is not uniform, so
    small losses all but vanish: 5 % at a correlation of 50 % loses 0.003 %. It is for comparison with netem.

    Source: ``get_crandom`` and ``loss_event`` in Linux ``net/sched/sch_netem.c``.
    """

    loss_chance: float
    correlation: float = 0.0


class NetemLossStage(_Chain):
    """Lose packets as netem does. One draw for each packet, and one for the state before the first."""

    def __init__(self, spec: NetemLossSpec, seed: int, direction: Direction) -> None:
        super().__init__()
        self._values = chain_uniforms(seed, direction, self.name, "netem")
        self._last = self._draw()
        self.change(spec)

    def change(self, spec: NetemLossSpec) -> None:
        """Go on with another spec, from the state as it is."""
        self.spec = spec
        self._loss_u32 = round(spec.loss_chance * _U32_MAX)
        self._rho_u32 = round(spec.correlation * _U32_MAX)

    def _draw(self) -> int:
        return int(next(self._values) * 2**32)

    def _step(self) -> bool:
        value = self._draw()
        if self._rho_u32:
            rho = self._rho_u32 + 1
            value = self._last = (value * (2**32 - rho) + self._last * rho) >> 32
        return 0 < self._loss_u32 >= value


@dataclass(frozen=True, slots=True)
class LibwebrtcLossSpec:
    """libwebrtc's ``loss_percent`` and ``avg_burst_loss_length``.

    A packet is lost with the chance 1 - 1/B after a lost one, and with (L / (1 - L)) / B after another.

    Raises
    ------
    ValueError
        If the loss is not in [0, 1) or not ``B > ceil(L / (1 - L))``, which is libwebrtc's own rule, and
        stricter than what the chain needs.

    Source: ``SimulatedNetwork::SetConfig`` in libwebrtc's ``test/network/simulated_network.cc``.
    """

    loss_chance: float
    burst_packets: float

    def __post_init__(self) -> None:
        if not 0 <= self.loss_chance < 1:
            raise ValueError("want a loss of 0 or more and less than 1")
        least = math.ceil(self.loss_chance / (1 - self.loss_chance))
        if not self.burst_packets > least:
            raise ValueError(
                f"want a mean burst of more than {least} packets with a loss of {self.loss_chance:g}"
            )


class LibwebrtcLossStage(_Chain):
    """Lose packets as libwebrtc's simulated network does. One draw for each packet."""

    def __init__(self, spec: LibwebrtcLossSpec, seed: int, direction: Direction) -> None:
        super().__init__()
        self.spec = spec
        self._values = chain_uniforms(seed, direction, self.name, "libwebrtc")

    def _step(self) -> bool:
        loss, burst = self.spec.loss_chance, self.spec.burst_packets
        chance = 1 - 1 / burst if self._lost else loss / (1 - loss) / burst
        return next(self._values) < chance
