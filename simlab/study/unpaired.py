"""Two independent samples: how far they are apart."""

import math

import numpy as np
import numpy.typing as npt
from scipy import stats

from simlab.study.signs import NEVER_S, real

Floats = npt.NDArray[np.float64]


def _differences(first: npt.ArrayLike, second: npt.ArrayLike) -> Floats:
    one, other = (np.clip(np.asarray(side, dtype=float), -NEVER_S, NEVER_S) for side in (first, second))
    return np.sort(np.subtract.outer(one, other), axis=None)


def cliffs_delta(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """Return how much more often one of the first is above one of the second than below, -1 to 1.

    Source: Cliff (1993), Psychological Bulletin 114(3), 494-509.
    """
    return float(np.mean(np.sign(_differences(first, second))))


def rank_p(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """Return the two-sided p of the Mann-Whitney test.

    Source: Mann and Whitney (1947), Ann. Math. Stat. 18(1), 50-60; scipy.stats.mannwhitneyu.
    """
    one, other = (np.clip(np.asarray(side, dtype=float), -NEVER_S, NEVER_S) for side in (first, second))
    if np.ptp(np.concatenate([one, other])) == 0:
        return 1.0
    return float(stats.mannwhitneyu(one, other).pvalue)


def shift(first: npt.ArrayLike, second: npt.ArrayLike) -> tuple[float, tuple[float, float]]:
    """Return how much higher the first sample lies than the second, and a 95 % interval of that.

    Returns
    -------
    tuple
        The median of all differences, and the shifts that the Mann-Whitney test would not rule out, by the
        normal distribution without correction for ties. Infinite where too little is known.

    Source: Hodges and Lehmann (1963), Ann. Math. Stat. 34(2), 598-611; Hollander, Wolfe and Chicken (2014),
    Nonparametric Statistical Methods, section 4.3.
    """
    found = _differences(first, second)
    one, other = np.size(first), np.size(second)
    spread = math.sqrt(one * other * (one + other + 1) / 12)
    low = round(len(found) / 2 - float(stats.norm.isf(0.025)) * spread)
    middle = real(float(np.median(found)))
    if low < 1:
        return middle, (-math.inf, math.inf)
    return middle, (real(float(found[low - 1])), real(float(found[-low])))
