"""The two models of jitter of RFC 8868 section 4.5: random bounded packet delay variation."""

import math
from dataclasses import dataclass

from simlab.core.impair.delay import STANDARD_NORMAL
from simlab.core.impair.draws import uniform_draws
from simlab.core.impair.rate import HEADER_BYTES
from simlab.core.packet import Direction, Transit

_BOUND = 3.0
_TAIL = STANDARD_NORMAL.cdf(-_BOUND)


@dataclass(frozen=True, slots=True)
class Rfc8868DelaySpec:
    """A mean and a normal variation around it that is truncated at three deviations.

    Parameters
    ----------
    deviation_s
        Of the normal distribution before it is truncated; the RFC has 5 ms. After it, the deviation is
        0.9866 of that.
    reorder
        True is RBPDV; false is NR-BPDV, where a packet leaves no sooner than the one before it has been sent:
        j(n) = max(j(n), j(n-1) + serialisation(n-1)).
    rate_bytes_per_s
        For that serialisation; None if it takes no time, as behind a bottleneck that has spaced packets.

    Raises
    ------
    ValueError
        If the mean is less than three deviations: a delay would be negative.
    """

    mean_s: float
    deviation_s: float = 0.005
    reorder: bool = False
    rate_bytes_per_s: float | None = None

    def __post_init__(self) -> None:
        if not self.mean_s >= _BOUND * self.deviation_s:
            raise ValueError("want a mean of 3 deviations or more, so that no delay is negative")

    def quantile_s(self, share: float) -> float:
        """Return the delay that a share of the packets stays below."""
        return self.mean_s + self.deviation_s * STANDARD_NORMAL.inv_cdf(_TAIL + share * (1 - 2 * _TAIL))


class Rfc8868DelayStage:
    """Delay packets as RFC 8868 does. One draw for each packet."""

    name = "delay"

    def __init__(self, spec: Rfc8868DelaySpec, seed: int, direction: Direction) -> None:
        self.spec = spec
        self._free_s = -math.inf
        self._draws = uniform_draws(seed, direction, self.name)

    def apply(self, transit: Transit) -> tuple[Transit, ...]:
        """Put the transit's due time off."""
        spec = self.spec
        transit.due_s += max(spec.quantile_s(self._draws.of(transit.packet)), 0.0)
        if not spec.reorder:
            transit.due_s = max(transit.due_s, self._free_s)
            size_bytes = len(transit.payload) + HEADER_BYTES
            sending_s = size_bytes / spec.rate_bytes_per_s if spec.rate_bytes_per_s else 0.0
            self._free_s = transit.due_s + sending_s
        return (transit,)
