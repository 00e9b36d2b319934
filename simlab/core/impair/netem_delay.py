"""Delay as Linux's netem has it, its errors included.

netem looks a number up in a table of 4096 values that stands for the distribution, and takes the number
modulo the size of the table (or of the jitter, where there is no table). So a correlation that it gives to
its random numbers is all but lost on the way, and with a large jitter the spread shrinks instead. Its Pareto
tables have 82 % of the deviation that is asked for, and a mean a little below 0. For comparison with netem.

Source: ``tabledist`` and ``get_crandom`` in Linux ``net/sched/sch_netem.c``; the tables are computed as in
iproute2 (``netem/normal.c``, ``pareto.c``, ``paretonormal.c``).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist
from typing import Literal

from simlab.core.impair.draws import chain_uniforms
from simlab.core.packet import Direction, Transit

Distribution = Literal["uniform", "normal", "pareto", "pareto-normal"]

_SCALE = 8192
_ENTRIES = 4096
_U32 = 2**32
_LARGEST = 32767  # an entry is a signed 16-bit number
_NORMAL_STEPS = 4 * _ENTRIES


@dataclass(frozen=True, slots=True)
class NetemDelaySpec:
    """``tc qdisc … netem delay MEAN JITTER CORRELATION distribution NAME``. Packets may overtake.

    Raises
    ------
    ValueError
        If the jitter is 2.147 s or more, which is all that netem can hold.
    """

    distribution: Distribution
    mean_s: float
    jitter_s: float
    correlation: float = 0.0

    def __post_init__(self) -> None:
        if round(self.jitter_s * 1e9) >= 2**31:
            raise ValueError("want less than 2.147 s, which is all that netem can hold")


@cache
def table(distribution: Distribution) -> Sequence[int]:
    """Return netem's 4096 values of a distribution, in units of 1/8192 of its deviation."""
    makers = {"normal": _normal, "pareto": _pareto, "pareto-normal": _pareto_normal}
    return tuple(max(-_LARGEST - 1, min(_LARGEST, round(_SCALE * value))) for value in makers[distribution]())


def _normal() -> list[float]:
    # The last x whose cumulative chance still rounds to i of 16384, for every fourth i; the ends are open.
    inverse = NormalDist().inv_cdf
    return [inverse((number + 0.5) / _NORMAL_STEPS) for number in range(0, _NORMAL_STEPS, 4)]


def _pareto() -> list[float]:
    steps = 65536
    return [((number / steps) ** (-1 / 3) - 1.5) * 4 / 3 for number in range(steps, 0, -16)]


def _pareto_normal() -> list[float]:
    # Clipped each by itself, before they are mixed.
    most = _LARGEST / _SCALE
    return [0.25 * n + 0.75 * min(p, most) for n, p in zip(_normal(), _pareto(), strict=True)]


class NetemDelayStage:
    """Delay packets as netem does. One draw for each packet of the link, and one before the first."""

    name = "delay"

    def __init__(self, spec: NetemDelaySpec, seed: int, direction: Direction) -> None:
        self._next_seq = 0
        self._values = chain_uniforms(seed, direction, self.name, "netem")
        self._last = self._draw()
        self._number = 0
        self.change(spec)

    def change(self, spec: NetemDelaySpec) -> None:
        """Go on with another spec, from the state as it is."""
        self.spec = spec
        self._mean_ns, self._jitter_ns = round(spec.mean_s * 1e9), round(spec.jitter_s * 1e9)
        self._rho_u32 = round(spec.correlation * (_U32 - 1))

    def apply(self, transit: Transit) -> tuple[Transit, ...]:
        """Put the transit's due time off."""
        while self._next_seq <= transit.packet.seq:
            self._number = self._correlated()
            self._next_seq += 1
        transit.due_s += max(0, self._delay_ns(self._number)) / 1e9
        return (transit,)

    def _draw(self) -> int:
        return int(next(self._values) * _U32)

    def _correlated(self) -> int:
        value = self._draw()
        if self._rho_u32:
            rho = self._rho_u32 + 1
            value = self._last = (value * (_U32 - rho) + self._last * rho) >> 32
        return value

    def _delay_ns(self, number: int) -> int:
        mean, jitter = self._mean_ns, self._jitter_ns
        if jitter == 0:
            return mean
        if self.spec.distribution == "uniform":
            return number % (2 * jitter) + mean - jitter
        entry = table(self.spec.distribution)[number % _ENTRIES]
        fine = jitter % _SCALE * entry
        fine += _SCALE // 2 if fine >= 0 else -(_SCALE // 2)
        # C divides towards 0.
        return math.trunc(fine / _SCALE) + jitter // _SCALE * entry + mean
