"""Differences of pairs: are they as often above 0 as below, and by how much do they differ."""

import math

import numpy as np
import numpy.typing as npt
from scipy import stats

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LEVEL = 0.05
_MOST_UNITS = 1_000_000
_MOST_EXACT = 18  # units: all 2^17 ways to turn the signs are looked at
NEVER_S = 1e12  # stands for infinity where averages are taken: longer than anything, and finite


def flip_p(sums: npt.ArrayLike) -> float:
    """Return the two-sided p of a sum whose summands might have come with either sign.

    Of signed ranks this is Wilcoxon's test; of the sums of each seed's signed ranks it is that of Rosner and
    others, for pairs that come in clusters.

    Parameters
    ----------
    sums : array_like, shape (n,)
        One number for each independent unit.

    Returns
    -------
    float
        Exact for up to 18 units that are not 0, by the normal distribution for more.

    Source: Fisher (1935), The Design of Experiments, section 21; Rosner, Glynn and Lee (2006), Biometrics
    62(1), 185-192.
    """
    units = np.asarray(sums, dtype=float)
    units = units[units != 0]
    seen = abs(float(units.sum()))
    if not len(units):
        return 1.0
    if len(units) > _MOST_EXACT:
        return float(2 * stats.norm.sf(seen / np.linalg.norm(units)))
    return float(np.mean(_all_sums(units) >= seen * (1 - 1e-12)))


def _all_sums(units: Floats) -> Floats:
    """Return the size of the sum for every choice of signs; turning all of them changes no size."""
    found = units[:1]
    for unit in units[1:]:
        found = np.concatenate([found + unit, found - unit])
    return np.abs(found)


def signed_ranks(differences: npt.ArrayLike) -> Floats:
    """Return the ranks of the sizes of differences, with the signs of these; 0 has no rank.

    Parameters
    ----------
    differences : array_like, shape (n,)
        Infinite ones share the highest rank.

    Source: Wilcoxon (1945), Biometrics Bulletin 1(6), 80-83.
    """
    found = np.asarray(differences, dtype=float)
    ranks = np.zeros(len(found))
    some = found != 0
    ranks[some] = stats.rankdata(np.abs(found[some])) * np.sign(found[some])
    return ranks


def rank_biserial(differences: npt.ArrayLike) -> float:
    """Return the rank-biserial correlation of matched pairs: 1 if all differences are above 0, -1 if below.

    Source: Kerby (2014), Comprehensive Psychology 3, 11.IT.3.1: the share of the ranks that speaks for one
    side less the share that speaks for the other.
    """
    ranks = signed_ranks(differences)
    total = float(np.abs(ranks).sum())
    return float(ranks.sum()) / total if total else 0.0


def sums_by(values: npt.ArrayLike, units: npt.ArrayLike) -> Floats:
    """Return the sum of the values of each unit, in the order of the units' names."""
    _, number = np.unique(np.asarray(units), return_inverse=True)
    found: Floats = np.bincount(number, weights=np.asarray(values, dtype=float)).astype(float)
    return found


def shift(differences: npt.ArrayLike, units: npt.ArrayLike) -> tuple[float, tuple[float, float]]:
    """Return by how much pairs differ, and a 95 % interval of it.

    Parameters
    ----------
    differences : array_like, shape (n,)
        May be infinite.
    units : array_like, shape (n,)
        What each pair belongs to; pairs of different units are independent.

    Returns
    -------
    tuple
        The median of the averages of any two differences, and the values that ``flip_p`` of their signed
        ranks would not rule out at a level of 5 %. Infinite where too little is known.

    Raises
    ------
    ValueError
        If there are no differences.

    Source: Hodges and Lehmann (1963), Ann. Math. Stat. 34(2), 598-611; Hollander, Wolfe and Chicken (2014),
    Nonparametric Statistical Methods, section 3.3.
    """
    if not np.size(differences):
        raise ValueError("want at least one difference")
    found = np.sort(np.clip(np.asarray(differences, dtype=float), -NEVER_S, NEVER_S))
    number = len(found) * (len(found) + 1) // 2
    middle = (_average(found, (number + 1) // 2) + _average(found, number // 2 + 1)) / 2
    moved = np.clip(np.asarray(differences, dtype=float), -NEVER_S, NEVER_S) - middle
    ranks = stats.rankdata(np.abs(moved)) * np.where(moved >= 0, 1.0, -1.0)
    reach = _critical(sums_by(ranks, units))
    low = 0 if math.isinf(reach) else math.floor((number - reach) / 2) + 1
    if low < 1:
        return real(middle), (-math.inf, math.inf)
    return real(middle), (real(_average(found, low)), real(_average(found, number + 1 - low)))


def _critical(sums: Floats) -> float:
    """Return the smallest sum that is ruled out at a level of 5 %, more than all of them if none is."""
    units = np.abs(sums[sums != 0])
    if not len(units):
        return 0.0
    if len(units) > _MOST_EXACT:
        return float(stats.norm.isf(LEVEL / 2) * np.linalg.norm(units))
    sizes = np.sort(_all_sums(units))
    highest = int(LEVEL * len(sizes))  # so many of the sizes may be ruled out
    above = sizes[len(sizes) - highest :]
    below = sizes[len(sizes) - highest - 1]
    told = above[above > below * (1 + 1e-12)]
    return float(told[0]) if len(told) else math.inf


def _average(found: Floats, rank: int) -> float:
    """Return the ``rank``-th smallest of the averages of any two sorted numbers, by bisection."""
    low, high = float(found[0]), float(found[-1])
    for _ in range(200):
        middle = (low + high) / 2
        if not low < middle < high:
            break
        low, high = (low, middle) if _below(found, middle) >= rank else (middle, high)
    return low if _below(found, low) >= rank else high


def _below(found: Floats, value: float) -> int:
    """Count the pairs, each number with itself and with each later one, whose average is at most a value."""
    later = np.searchsorted(found, 2 * value - found, side="right")
    return int(np.maximum(later - np.arange(len(found)), 0).sum())


def real(value: float) -> float:
    """Return a number in which ``NEVER_S`` stood for infinity."""
    return math.copysign(math.inf, value) if abs(value) > NEVER_S / 4 else round(value, 9)


def holm(p_values: npt.ArrayLike) -> Floats:
    """Return p-values corrected for how many there are: their smallest tells at that family-wise level.

    Source: Holm (1979), Scand. J. Stat. 6(2), 65-70.
    """
    given = np.asarray(p_values, dtype=float)
    order = np.argsort(given, kind="stable")
    stepped = np.maximum.accumulate(given[order] * np.arange(len(given), 0, -1))
    found = np.empty(len(given))
    found[order] = np.minimum(stepped, 1.0)
    return found


def units_needed(sums: npt.ArrayLike, level: float, power: float) -> int | None:
    """Return how many units ``flip_p`` needs to tell such sums from none.

    Parameters
    ----------
    sums : array_like, shape (n,)
        Those seen; the same shares of them are taken to come again.
    level, power
        Of the test, two-sided.

    Returns
    -------
    int or None
        None if they come to 0, or more than a million would be needed.

    Source: the normal distribution of the sum, with the variance of the null hypothesis for the level, and
    the units' own for the power; with -1, 0 and 1 this is Connor (1987), Biometrics 43(1), 207-211.
    """
    units = np.asarray(sums, dtype=float)
    mean, size = abs(float(units.mean())), float(np.sqrt(np.mean(units**2)))
    if mean <= 1e-6 * size or not size:
        return None
    reach = stats.norm.isf(level / 2) * size + stats.norm.ppf(power) * float(units.std())
    found = max(_fewest(level), math.ceil((reach / mean) ** 2))
    return found if found <= _MOST_UNITS else None


def _fewest(level: float) -> int:
    """Return how many pairs must all go one way for the exact test to tell anything."""
    return math.ceil(1 - math.log2(level))
