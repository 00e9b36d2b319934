"""Delays with a tail: Pareto, Pareto-normal, and whatever was measured."""

import math
from dataclasses import dataclass

from simlab.core.impair.draws import normal_draws, uniform_draws
from simlab.core.packet import Direction, Transit


@dataclass(frozen=True, slots=True)
class ParetoDelaySpec:
    """Pareto, moved so that mean and standard deviation are exactly those asked for.

    With x = s (a - 1) √((a - 2) / a), the delay is m - x a / (a - 1) + x u^(-1/a).

    Parameters
    ----------
    shape
        ``a``, more than 2, or there is no standard deviation. netem's table has 3 (and 82 % of the
        spread asked for, since it is cut off at 4 deviations).

    Raises
    ------
    ValueError
        If the shape is 2 or less, or the shortest delay, m - s √((a - 2) / a), would be negative.
    """

    mean_s: float
    deviation_s: float
    shape: float = 3.0
    reorder: bool = False

    def __post_init__(self) -> None:
        if not self.shape > 2:
            raise ValueError("want a shape of more than 2")
        below_s = self.deviation_s * math.sqrt((self.shape - 2) / self.shape)
        if not self.mean_s >= below_s:
            share = math.sqrt((self.shape - 2) / self.shape)
            raise ValueError(f"want a mean of {share:.4g} deviations or more, so that no delay is negative")

    def quantile_s(self, share: float) -> float:
        """Return the delay that a share of the packets stays below."""
        return self.mean_s + self.deviation_s * _standard_pareto(share, self.shape)


def _standard_pareto(share: float, shape: float) -> float:
    """Return a quantile of the Pareto distribution that is moved to mean 0 and scaled to deviation 1."""
    scale = (shape - 1) * math.sqrt((shape - 2) / shape)
    return scale * (math.pow(1 - share, -1 / shape) - shape / (shape - 1))


@dataclass(frozen=True, slots=True)
class ParetoNormalDelaySpec:
    """One part normal to three parts Pareto of shape 3, as in netem, but with the true mean and deviation.

    m + s (N + 3 P) / √10, where N and P have mean 0 and deviation 1. A delay that would be negative is 0.
    """

    mean_s: float
    deviation_s: float
    reorder: bool = False


class ParetoNormalDelayStage:
    """Delay packets by Pareto-normal times. Two draws for each packet."""

    name = "delay"

    def __init__(self, spec: ParetoNormalDelaySpec, seed: int, direction: Direction) -> None:
        self.spec = spec
        self._last_due_s = -math.inf
        self._normals = normal_draws(seed, direction, "delay/normal")
        self._uniforms = uniform_draws(seed, direction, "delay/pareto")

    def apply(self, transit: Transit) -> tuple[Transit, ...]:
        """Put the transit's due time off."""
        normal = self._normals.of(transit.packet)
        pareto = _standard_pareto(self._uniforms.of(transit.packet), 3.0)
        delay_s = self.spec.mean_s + self.spec.deviation_s * (normal + 3 * pareto) / math.sqrt(10)
        transit.due_s += max(delay_s, 0.0)
        if not self.spec.reorder:
            self._last_due_s = transit.due_s = max(transit.due_s, self._last_due_s)
        return (transit,)


@dataclass(frozen=True, slots=True)
class EmpiricalDelaySpec:
    """Delays drawn from measured ones, each as likely as any other.

    Parameters
    ----------
    samples_s
        At least one; in ascending order, so that a share finds its quantile.
    """

    samples_s: tuple[float, ...]
    reorder: bool = False

    @property
    def mean_s(self) -> float:
        """The mean of the samples."""
        return math.fsum(self.samples_s) / len(self.samples_s)

    def quantile_s(self, share: float) -> float:
        """Return the delay that a share of the packets stays below."""
        return self.samples_s[min(int(share * len(self.samples_s)), len(self.samples_s) - 1)]
