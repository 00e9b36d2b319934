"""Whether the outages of one side are over sooner than those of another: the log-rank test, by units."""

import math

import numpy as np
from scipy import stats

from simlab.study.restricted import Floats, Waits


def residuals(first: Waits, second: Waits) -> Floats:
    """Return what each outage, the first side's before the second's, adds to the log-rank statistic.

    Returns
    -------
    array, shape (n,)
        Their sum is how many more of the first side's outages were over than were to be expected if both
        sides had the same curve.

    Source: Lee, Wei and Amato (1992), in Survival Analysis: State of the Art, 237-247; the score residuals
    of Cox's model with one covariate, at no effect.
    """
    waited_s = np.concatenate([first.waited_s, second.waited_s])
    ended = np.concatenate([first.recovered, second.recovered])
    is_first = np.repeat([1.0, 0.0], [len(first.waited_s), len(second.waited_s)])
    times_s = np.unique(waited_s[ended])
    if not len(times_s):
        return np.zeros(len(waited_s))
    sorted_s, sorted_first_s = np.sort(waited_s), np.sort(first.waited_s)
    at_risk = len(sorted_s) - np.searchsorted(sorted_s, times_s, side="left")
    share = (len(sorted_first_s) - np.searchsorted(sorted_first_s, times_s, side="left")) / at_risk
    over = np.searchsorted(np.sort(waited_s[ended]), times_s, side="right")
    hazard = np.diff(over, prepend=0) / at_risk
    seen = np.searchsorted(times_s, waited_s, side="right")  # how many of the times each was there for
    hazard_sum, share_sum = (np.concatenate([[0.0], np.cumsum(one)]) for one in (hazard, share * hazard))
    own = np.where(ended, is_first - np.concatenate([[0.0], share])[seen], 0.0)
    found: Floats = own - (is_first * hazard_sum[seen] - share_sum[seen])
    return found


def logrank(first: Waits, second: Waits) -> tuple[float, float]:
    """Compare two recovery curves, where outages of one unit may be alike.

    Parameters
    ----------
    first, second
        A unit of the same number on both sides is one unit; give them numbers of their own where the sides
        are independent.

    Returns
    -------
    tuple
        How many more of the first side's outages were over than expected, and the two-sided p of that, by
        the normal distribution with the variance of the units' sums.

    Source: as ``residuals``; Jung (1999), Lifetime Data Anal. 5(1), 67-79, for pairs.
    """
    parts = residuals(first, second)
    units = np.concatenate([first.units, second.units])
    _, number = np.unique(units, return_inverse=True)
    sums = np.bincount(number, weights=parts) if len(parts) else np.zeros(1)
    total, spread = float(sums.sum()), math.sqrt(float(np.sum(sums**2)))
    if spread < 1e-9:
        return total, 1.0
    return total, float(2 * stats.norm.sf(abs(total) / spread))
