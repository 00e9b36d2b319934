"""A rate that changes over time, known beforehand."""

import math
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RateStep:
    """At ``at_s`` the rate begins to change, evenly, and ``ramp_s`` later it is ``rate_bytes_per_s``."""

    at_s: float
    rate_bytes_per_s: float
    ramp_s: float = 0.0


class Capacity:
    """How many bytes pass by when.

    Parameters
    ----------
    rate_bytes_per_s
        At first; more than 0, infinity for no limit.
    steps
        In order of time, none before 0. One that begins while another is under way starts from what that
        has reached.

    Raises
    ------
    ValueError
        If a step would ramp from or to infinity.
    """

    def __init__(self, rate_bytes_per_s: float, steps: Iterable[RateStep] = ()) -> None:
        self._from_s = [-math.inf]
        self._rates = [rate_bytes_per_s]  # at each start, and how much more it is each second from there
        self._slopes = [0.0]
        for step in steps:
            self._add(step)

    def _add(self, step: RateStep) -> None:
        before = self.rate_bytes_per_s(step.at_s)
        keep = bisect_right(self._from_s, step.at_s)
        if step.at_s == self._from_s[keep - 1]:
            keep -= 1
        del self._from_s[keep:], self._rates[keep:], self._slopes[keep:]
        if step.at_s + step.ramp_s > step.at_s:  # shorter than a float can tell is no ramp
            if math.inf in (before, step.rate_bytes_per_s):
                raise ValueError("want no ramp from or to a link without a rate")
            self._append(step.at_s, before, (step.rate_bytes_per_s - before) / step.ramp_s)
        self._append(step.at_s + step.ramp_s, step.rate_bytes_per_s, 0.0)

    def _append(self, from_s: float, rate_bytes_per_s: float, slope: float) -> None:
        self._from_s.append(from_s)
        self._rates.append(rate_bytes_per_s)
        self._slopes.append(slope)

    @property
    def is_constant(self) -> bool:
        """Whether the rate never changes."""
        return len(self._rates) == 1

    def rate_bytes_per_s(self, at_s: float) -> float:
        """Return the rate at a time."""
        part = bisect_right(self._from_s, at_s) - 1
        slope = self._slopes[part]
        return self._rates[part] + (slope * (at_s - self._from_s[part]) if slope else 0.0)

    def passed_bytes(self, start_s: float, end_s: float) -> float:
        """Return how many bytes pass between two times."""
        part, passed, now_s = bisect_right(self._from_s, start_s) - 1, 0.0, start_s
        while now_s < end_s:
            until_s = min(end_s, self._from_s[part + 1]) if part + 1 < len(self._rates) else end_s
            half_s = (until_s - now_s) / 2
            slope = self._slopes[part]
            rate = self._rates[part] + (slope * (now_s + half_s - self._from_s[part]) if slope else 0.0)
            passed += rate * (until_s - now_s)
            part, now_s = part + 1, until_s
        return passed

    def sent_s(self, start_s: float, size_bytes: float) -> float:
        """Return when so many bytes have passed, if their sending starts at ``start_s``.

        What is being sent when the rate changes goes on at the new rate.
        """
        if len(self._rates) == 1:
            return start_s + size_bytes / self._rates[0]
        part = bisect_right(self._from_s, start_s) - 1
        now_s, left_bytes = start_s, float(size_bytes)
        while True:
            slope = self._slopes[part]
            rate = self._rates[part] + (slope * (now_s - self._from_s[part]) if slope else 0.0)
            end_s = now_s + _takes_s(left_bytes, rate, slope)
            if part + 1 == len(self._rates) or end_s <= self._from_s[part + 1]:
                return end_s
            part += 1
            lasts_s = self._from_s[part] - now_s
            left_bytes = max(left_bytes - (rate + slope * lasts_s / 2) * lasts_s, 0.0)
            now_s = self._from_s[part]


def _takes_s(size_bytes: float, rate_bytes_per_s: float, slope: float) -> float:
    """Solve ``rate t + slope t²/2 = size`` for t; infinity if a falling rate never gets there."""
    if not slope:
        return size_bytes / rate_bytes_per_s
    square = rate_bytes_per_s**2 + 2 * slope * size_bytes
    return 2 * size_bytes / (rate_bytes_per_s + math.sqrt(square)) if square >= 0 else math.inf
