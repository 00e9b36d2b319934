"""Delays and errors of the packets of one direction, as counts in bins that are as wide as they are high.

Tens of thousands of times a second are counted in the process of the packets. To sort them took 20 ms of a
core each second, in which whoever sends and receives waited for the processor.
"""

from typing import Any

import numpy as np

BINS_PER_OCTAVE = 128
LEAST_S = 1e-7
BINS = 32 * BINS_PER_OCTAVE
"""Up to seven minutes; what is more counts as that."""

Counts = Any
"""An array of ``BINS`` numbers of packets, int64."""


def counted(values_s: Any) -> Counts:
    """Count times, in seconds."""
    bins = np.log2(np.maximum(values_s, LEAST_S) / LEAST_S) * BINS_PER_OCTAVE
    return np.bincount(np.minimum(bins.astype(np.int64), BINS - 1), minlength=BINS)


class Tally:
    """Keep the delays and errors of the last second, and the errors of all."""

    def __init__(self) -> None:
        self._errors = np.zeros(BINS, dtype=np.int64)
        self._latest = np.zeros((2, BINS), dtype=np.int64)

    def take(self, delays: Counts, errors: Counts) -> None:
        """Take in the delays and errors of the packets of a second."""
        self._errors += errors
        self._latest = np.array((delays, errors))

    @property
    def latest(self) -> dict[str, float]:
        """The median and the 99th percentile of what was taken in last, in seconds, to 0.3 %."""
        delays, errors = self._latest
        return _quantiles("delay", delays) | _quantiles("error", errors)

    @property
    def all(self) -> dict[str, float]:
        """How late packets left, of all so far, to 0.3 %: the median and the 99th percentile."""
        return _quantiles("error", self._errors)


def _quantiles(name: str, counts: Counts) -> dict[str, float]:
    number = int(counts.sum())
    if not number:
        return {}
    ranks = np.searchsorted(np.cumsum(counts), [0.50 * number, 0.99 * number])
    p50_s, p99_s = (LEAST_S * 2.0 ** ((ranks + 0.5) / BINS_PER_OCTAVE)).tolist()
    return {f"{name}_p50_s": round(p50_s, 7), f"{name}_p99_s": round(p99_s, 7)}
