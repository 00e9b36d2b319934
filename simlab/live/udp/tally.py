"""Delays and errors of the packets of one direction, as counts in bins that are as wide as they are high.

Tens of thousands of times a second are counted in the process of the packets. To sort them in the one that it
tells took 20 ms of a core each second, in which whoever sends and receives waited for the processor.
"""

from typing import Any

import numpy as np

BINS_PER_OCTAVE = 128
LEAST_S = 1e-7
BINS = 32 * BINS_PER_OCTAVE
"""Up to seven minutes; what is more counts as that."""

Counts = Any
"""An array of ``BINS`` numbers of packets, int64."""
Packed = tuple[bytes, bytes]
"""The bins that are not empty, uint16, and their numbers, uint32."""


def counted(values_s: Any) -> Counts:
    """Count times, in seconds."""
    bins = np.log2(np.maximum(values_s, LEAST_S) / LEAST_S) * BINS_PER_OCTAVE
    return np.bincount(np.minimum(bins.astype(np.int64), BINS - 1), minlength=BINS)


def packed(counts: Counts) -> Packed:
    """Leave out the bins that are empty."""
    bins = np.flatnonzero(counts)
    return bins.astype(np.uint16).tobytes(), counts[bins].astype(np.uint32).tobytes()


class Tally:
    """Take in what the packet process tells."""

    def __init__(self) -> None:
        self._errors = np.zeros(BINS, dtype=np.int64)
        self._latest: dict[str, float] = {}

    def take(self, delays: Packed, errors: Packed) -> None:
        """Take in the delays and errors of some packets."""
        latest = [_unpacked(one) for one in (delays, errors)]
        self._errors += latest[1]
        self._latest = _quantiles("delay", latest[0]) | _quantiles("error", latest[1])

    @property
    def latest(self) -> dict[str, float]:
        """The median and the 99th percentile of what was taken in last, in seconds, to 0.3 %."""
        return self._latest

    @property
    def all(self) -> dict[str, float]:
        """How late packets left, of all so far, to 0.3 %: the median and the 99th percentile."""
        return _quantiles("error", self._errors)


def _unpacked(one: Packed) -> Counts:
    counts = np.zeros(BINS, dtype=np.int64)
    counts[np.frombuffer(one[0], np.uint16)] = np.frombuffer(one[1], np.uint32)
    return counts


def _quantiles(name: str, counts: Counts) -> dict[str, float]:
    number = int(counts.sum())
    if not number:
        return {}
    ranks = np.searchsorted(np.cumsum(counts), [0.50 * number, 0.99 * number])
    p50_s, p99_s = (LEAST_S * 2.0 ** ((ranks + 0.5) / BINS_PER_OCTAVE)).tolist()
    return {f"{name}_p50_s": round(p50_s, 7), f"{name}_p99_s": round(p99_s, 7)}
