"""Shares: their intervals, their differences, and how many pairs tell two of them apart."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

Interval = tuple[float, float]

LEVEL = 0.95


@dataclass(frozen=True)
class Pairs:
    """How sessions of the same seed ended on two sides.

    Parameters
    ----------
    both, first, second, neither
        How many pairs succeeded on both sides, on the first alone, on the second alone, on neither.
    """

    both: int
    first: int
    second: int
    neither: int

    @staticmethod
    def of(first: npt.ArrayLike, second: npt.ArrayLike) -> "Pairs":
        """Count pairs of 1 (succeeded) and 0."""
        one, other = np.asarray(first, dtype=bool), np.asarray(second, dtype=bool)
        return Pairs(
            *(int(np.sum(found)) for found in (one & other, one & ~other, ~one & other, ~(one | other)))
        )

    @property
    def count(self) -> int:
        """How many pairs there are."""
        return self.both + self.first + self.second + self.neither

    @property
    def shares(self) -> tuple[float, float]:
        """The share that succeeded on each side."""
        return (self.both + self.first) / self.count, (self.both + self.second) / self.count


def wilson_interval(succeeded: int, count: int) -> Interval:
    """Return Wilson's 95 % interval of a share; nothing is known of no trials: 0 to 1.

    Raises
    ------
    ValueError
        If there are more successes than trials, or fewer than none.

    Source: Wilson (1927), J. Am. Stat. Assoc. 22(158), 209-212; scipy.stats.binomtest.
    """
    if count == 0 and succeeded == 0:
        return 0.0, 1.0
    found = stats.binomtest(succeeded, count).proportion_ci(LEVEL, method="wilson")
    return float(found.low), float(found.high)


def most_where_none(count: int) -> float:
    """Return below which share what never happened in so many trials happens, with 95 % confidence.

    Source: Clopper and Pearson (1934), Biometrika 26(4), 404-413, one-sided; scipy.stats.binomtest.
    """
    found = stats.binomtest(0, count, alternative="less").proportion_ci(LEVEL, method="exact")
    return float(found.high)


def paired_interval(pairs: Pairs) -> Interval:
    """Return Newcombe's 95 % interval of the difference of two paired shares, the first minus the second.

    Source: Newcombe (1998), Stat. Med. 17(22), 2635-2650, method 10: Wilson's intervals of both shares, put
    together with the correlation of the pairs, which is corrected for continuity where it is positive.
    """
    (one, other), correlation = pairs.shares, _correlation(pairs)
    below_1, above_1 = _reach(pairs.both + pairs.first, pairs.count)
    below_2, above_2 = _reach(pairs.both + pairs.second, pairs.count)
    return (
        one - other - _joined(below_1, above_2, correlation),
        one - other + _joined(above_1, below_2, correlation),
    )


def _reach(succeeded: int, count: int) -> Interval:
    """Return how far below and above a share its interval reaches."""
    low, high = wilson_interval(succeeded, count)
    return succeeded / count - low, high - succeeded / count


def _joined(one: float, other: float, correlation: float) -> float:
    return math.sqrt(max(0.0, one**2 - 2 * correlation * one * other + other**2))


def _correlation(pairs: Pairs) -> float:
    both, first, second, neither = pairs.both, pairs.first, pairs.second, pairs.neither
    margins = (both + first) * (second + neither) * (both + second) * (first + neither)
    if margins == 0:
        return 0.0
    excess = float(both * neither - first * second)
    if excess > 0:
        excess = max(0.0, excess - pairs.count / 2)
    return excess / math.sqrt(margins)


def unpaired_interval(one: tuple[int, int], other: tuple[int, int]) -> Interval:
    """Return Newcombe's 95 % interval of the difference of two independent shares.

    Parameters
    ----------
    one, other
        The successes and the trials of each side.

    Source: Newcombe (1998), Stat. Med. 17(8), 873-890, method 10, without correction for continuity.
    """
    difference = one[0] / one[1] - other[0] / other[1]
    (below_1, above_1), (below_2, above_2) = _reach(*one), _reach(*other)
    return difference - math.hypot(below_1, above_2), difference + math.hypot(above_1, below_2)


def mcnemar_p(pairs: Pairs) -> float:
    """Return the two-sided p of the exact McNemar test: that pairs which differ go either way alike.

    Source: McNemar (1947), Psychometrika 12(2), 153-157, with the binomial distribution.
    """
    differ = pairs.first + pairs.second
    return float(stats.binomtest(pairs.first, differ).pvalue) if differ else 1.0


def unpaired_p(one: tuple[int, int], other: tuple[int, int]) -> float:
    """Return the two-sided p of Fisher's exact test for two independent shares."""
    table = [[one[0], one[1] - one[0]], [other[0], other[1] - other[0]]]
    return float(stats.fisher_exact(table).pvalue)


def mcnemar_power(first: float, second: float, pairs: int, level: float) -> float:
    """Return how often the exact McNemar test tells two sides apart.

    Parameters
    ----------
    first, second
        The shares of the pairs that succeed on one side alone.
    level
        Of the test, two-sided.

    Source: the exact sum over how many pairs differ, and over which way they go.
    """
    differ = first + second
    if differ == 0:
        return 0.0
    spread = stats.binom(pairs, differ)
    number = np.arange(int(spread.ppf(1e-9)), int(spread.ppf(1 - 1e-9)) + 1)
    # The largest tail of the number that differ that is still below half the level; -1 where there is none.
    tail = stats.binom.ppf(level / 2, number, 0.5).astype(int)
    tail -= stats.binom.cdf(tail, number, 0.5) > level / 2
    way = stats.binom(number, first / differ)
    return float(np.sum(spread.pmf(number) * (way.cdf(tail) + way.sf(number - tail - 1))))


def pairs_needed(first: float, second: float, level: float, power: float, most: int = 100_000) -> int | None:
    """Return how many pairs the exact McNemar test needs to tell two sides apart; None if more than ``most``.

    Parameters
    ----------
    first, second
        The shares of the pairs that succeed on one side alone.
    level, power
        Of the test.

    Source: bisection between half and twice what Connor (1987), Biometrics 43(1), 207-211, says.
    """
    if first == second:
        return None
    differ, gap = first + second, abs(first - second)
    z_level, z_power = stats.norm.isf(level / 2), stats.norm.ppf(power)
    about = (z_level * math.sqrt(differ) + z_power * math.sqrt(max(0.0, differ - gap**2))) ** 2 / gap**2
    if about > most:
        return None
    low, high = max(1, int(about / 2)), max(8, int(2 * about) + 8)
    while low < high:
        middle = (low + high) // 2
        if mcnemar_power(first, second, middle, level) >= power:
            high = middle
        else:
            low = middle + 1
    return low
