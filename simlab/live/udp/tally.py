"""Delays and errors of the packets of one direction, summed up where that holds up no packet."""

from typing import Any

import numpy as np

_BINS_PER_OCTAVE = 32
_LEAST_S = 1e-7
_BINS = 32 * _BINS_PER_OCTAVE


class Tally:
    """Take in what the packet process tells, in ``array("f")``s of seconds."""

    def __init__(self) -> None:
        self._errors = np.zeros(_BINS, dtype=np.int64)
        self._latest: dict[str, float] = {}

    def take(self, delays: bytes, errors: bytes) -> None:
        """Take in the delays and errors of some packets."""
        self._latest = {}
        if not delays:
            return
        delays_s, errors_s = (np.frombuffer(data, dtype=np.float32) for data in (delays, errors))
        self._latest = _quantiles("delay", delays_s) | _quantiles("error", errors_s)
        bins = np.log2(np.maximum(errors_s, _LEAST_S) / _LEAST_S) * _BINS_PER_OCTAVE
        self._errors += np.bincount(np.minimum(bins.astype(np.int64), _BINS - 1), minlength=_BINS)

    @property
    def latest(self) -> dict[str, float]:
        """The median and the 99th percentile of what was taken in last, in seconds."""
        return self._latest

    @property
    def all(self) -> dict[str, float]:
        """How late packets left, of all so far, to 2 %: the median and the 99th percentile."""
        number = int(self._errors.sum())
        if not number:
            return {}
        ranks = np.searchsorted(np.cumsum(self._errors), [0.50 * number, 0.99 * number])
        p50_s, p99_s = (_LEAST_S * 2.0 ** ((ranks + 1) / _BINS_PER_OCTAVE)).tolist()
        return {"error_p50_s": round(p50_s, 7), "error_p99_s": round(p99_s, 7)}


def _quantiles(name: str, values_s: Any) -> dict[str, float]:
    p50_s, p99_s = np.quantile(values_s, [0.50, 0.99]).tolist()
    return {f"{name}_p50_s": round(p50_s, 6), f"{name}_p99_s": round(p99_s, 6)}
