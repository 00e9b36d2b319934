"""Intervals of quantiles of recovery times: with censoring, and where outages of a session are alike."""

import math

import numpy as np
import numpy.typing as npt
from scipy import stats

from simlab.study.restricted import Waits

Floats = npt.NDArray[np.float64]

_TAIL = 0.025


def quantile_interval_s(waits: Waits, share: float) -> tuple[float, float]:
    """Return a 95 % interval of the time after which that share of the outages is over.

    Parameters
    ----------
    waits
        The outages; those of one unit (a session, or a seed) need not be independent.
    share
        Of the quantile.

    Returns
    -------
    tuple
        The times at which the share that is still open may be what it is at the quantile. Infinite where it
        may never be reached, or where too few outages were seen to say; nan without any outage.

    Source: the inverted band of Brookmeyer and Crowley (1982), Biometrics 38(1), 29-41; the band at each time
    by Korn and Graubard (1998), Survey Methodology 24(2), 193-201: the exact interval of a share, with as
    many trials as would give the jackknife's variance over units.
    """
    if not len(waits.waited_s):
        return math.nan, math.nan
    times_s, low, high = _band(waits)
    return _first_s(times_s, low <= 1 - share), _first_s(times_s, high < 1 - share)


def _first_s(times_s: Floats, reached: npt.NDArray[np.bool_]) -> float:
    found = np.nonzero(reached)[0]
    return float(times_s[found[0]]) if len(found) else math.inf


def _band(waits: Waits) -> tuple[Floats, Floats, Floats]:
    """Return the times at which outages were over, and the band of the share that is open from then on."""
    times_s = np.unique(waits.waited_s[waits.recovered])
    units = int(waits.units.max()) + 1
    with_all = open_shares(waits, np.ones((1, units)), times_s)[0]
    without = open_shares(waits, 1 - np.eye(units), times_s)
    spread = (units - 1) / units * np.sum((without - without.mean(axis=0)) ** 2, axis=0)
    # No more trials than outages; where nothing is open any more, as many as units, which all agree.
    trials = np.where(with_all > 1e-12, with_all * (1 - with_all) / np.maximum(spread, 1e-12), units)
    trials = np.clip(trials, 1.0, np.where(with_all > 1e-12, len(waits.waited_s), units))
    still = trials * with_all
    low = np.where(still > 1e-9, stats.beta.ppf(_TAIL, np.maximum(still, 1e-9), trials - still + 1), 0.0)
    high = stats.beta.ppf(1 - _TAIL, still + 1, np.maximum(trials - still, 1e-9))
    # What is open can only become less, and so can what may be.
    return times_s, np.minimum.accumulate(low), np.minimum.accumulate(high)


def open_shares(waits: Waits, weights: Floats, times_s: Floats) -> Floats:
    """Return the share still open from each of the times on, a row for each weighting of the units."""
    order = np.lexsort((~waits.recovered, waits.waited_s))  # of equal times, those that ended come first
    ended, taken = waits.recovered[order], weights[:, waits.units[order]]
    at_risk = np.cumsum(taken[:, ::-1], axis=1)[:, ::-1]
    lost = np.where(ended, taken, 0.0) / np.where(at_risk > 0, at_risk, 1.0)
    open_share = np.hstack([np.ones((len(weights), 1)), np.cumprod(1 - lost, axis=1)])
    found: Floats = open_share[:, np.searchsorted(waits.waited_s[order], times_s, side="right")]
    return found
