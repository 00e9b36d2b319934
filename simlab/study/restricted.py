"""The mean time in an outage, as far as it was watched, and how far two of them are apart."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

Floats = npt.NDArray[np.float64]

_NOTHING_S = 1e-9


@dataclass(frozen=True)
class Waits:
    """The outages of one side.

    Parameters
    ----------
    waited_s : shape (n,)
        Seconds until each was over, or until it was last watched.
    recovered : shape (n,)
        Whether it was over.
    units : shape (n,)
        The number of the unit that it belongs to; outages of different units are independent.
    """

    waited_s: Floats
    recovered: npt.NDArray[np.bool_]
    units: npt.NDArray[np.int64]

    @staticmethod
    def of(waited_s: npt.ArrayLike, recovered: npt.ArrayLike, units: npt.ArrayLike) -> "Waits":
        """Take anything that numpy takes."""
        return Waits(
            np.asarray(waited_s, dtype=float),
            np.asarray(recovered, dtype=bool),
            np.asarray(units, dtype=np.int64),
        )

    @property
    def longest_s(self) -> float:
        """The longest time that any was watched; 0 where there is none."""
        return float(self.waited_s.max(initial=0.0))


def restricted_means_s(waits: Waits, weights: Floats, until_s: float) -> Floats:
    """Return the mean time in an outage within ``until_s``, for several weightings of the units.

    Parameters
    ----------
    weights : shape (k, units)
        A row for each weighting: how often a unit is taken.
    until_s
        Longer outages count as this long.

    Returns
    -------
    array, shape (k,)
        The areas below the Kaplan-Meier curves; 0 where there is no outage.

    Source: Royston and Parmar (2013), BMC Med. Res. Methodol. 13, 152.
    """
    order = np.lexsort((~waits.recovered, waits.waited_s))  # of equal times, those that ended come first
    ended, taken = waits.recovered[order], weights[:, waits.units[order]]
    at_risk = np.cumsum(taken[:, ::-1], axis=1)[:, ::-1]
    lost = np.where(ended, taken, 0.0) / np.where(at_risk > 0, at_risk, 1.0)
    open_share = np.cumprod(1 - lost, axis=1)
    before = np.hstack([np.ones((len(weights), 1)), open_share])
    edges_s = np.concatenate([[0.0], np.minimum(waits.waited_s[order], until_s), [until_s]])
    means: Floats = before @ np.diff(edges_s)
    return np.where(taken.sum(axis=1) > 0, means, 0.0)


@dataclass(frozen=True)
class MeanDifference:
    """The difference of two restricted means, the first minus the second, in seconds."""

    first_s: float
    second_s: float
    until_s: float
    interval_s: tuple[float, float]
    p: float

    @property
    def difference_s(self) -> float:
        """How much longer the first is."""
        return self.first_s - self.second_s


def mean_difference(first: Waits, second: Waits, units: Sequence[int], *, paired: bool) -> MeanDifference:
    """Compare the mean time in an outage of two sides, within the time that both were watched.

    Parameters
    ----------
    units
        How many units there are on each side: those without an outage count too.
    paired
        Whether a unit of the same number is the same on both sides; then it is left out of both at once.

    Returns
    -------
    MeanDifference
        The 95 % interval and p of Student's t, with the jackknife's standard error over whole units. With
        few units it covers better than the bootstrap's percentiles: docs/statistics.md.

    Source: Efron and Tibshirani (1993), An Introduction to the Bootstrap, chapter 11; for two independent
    sides Welch (1947), Biometrika 34, 28-35.
    """
    until_s = min(first.longest_s, second.longest_s)
    without = [
        restricted_means_s(side, 1 - np.eye(number), until_s)
        for side, number in zip((first, second), units, strict=True)
    ]
    one, other = (
        float(restricted_means_s(side, np.ones((1, number)), until_s)[0])
        for side, number in zip((first, second), units, strict=True)
    )
    if paired:
        variance, freedom = _jackknife(without[0] - without[1]), units[0] - 1.0
    else:
        variance, freedom = _welch([(_jackknife(found), len(found)) for found in without])
    interval_s, p = _student(one - other, variance, freedom)
    return MeanDifference(one, other, until_s, interval_s, p)


def _jackknife(without: Floats) -> float:
    """Return the variance of an estimate from what it is without each unit."""
    number = len(without)
    return float((number - 1) / number * np.sum((without - without.mean()) ** 2))


def _welch(sides: Sequence[tuple[float, int]]) -> tuple[float, float]:
    variance = sum(own for own, _ in sides)
    shares = sum(own**2 / (number - 1) for own, number in sides if number > 1)
    return variance, variance**2 / shares if shares else 0.0


def _student(difference: float, variance: float, freedom: float) -> tuple[tuple[float, float], float]:
    # The area below a curve is exact to about this; what is smaller is no difference at all.
    if variance < _NOTHING_S**2:
        known = freedom > 0 and abs(difference) < _NOTHING_S
        return (difference, difference) if known else (-math.inf, math.inf), 1.0
    if freedom <= 0:
        return (-math.inf, math.inf), 1.0
    error, spread = math.sqrt(variance), stats.t(freedom)
    reach = error * float(spread.ppf(0.975))
    return (difference - reach, difference + reach), float(2 * spread.sf(abs(difference) / error))
