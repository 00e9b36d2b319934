"""How soon outages are over, where some never are: right-censored times."""

import math
import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class RecoveryCurve:
    """The share of outages that are not over yet, as a step function of the time since they began.

    Parameters
    ----------
    at_s : shape (k,)
        Where it steps down.
    open_share : shape (k,)
        From there on; 1 before.
    low, high : shape (k,)
        A pointwise 95 % band by Greenwood's formula on the log-log scale; nan where nothing can be said.
    outages, recovered
        How many there were, and how many of them were seen to end.
    longest_s
        The longest time that any outage was watched.
    waits_s : shape (outages,)
        How long each was watched, in rising order.
    """

    at_s: Floats
    open_share: Floats
    low: Floats
    high: Floats
    outages: int
    recovered: int
    longest_s: float
    waits_s: Floats

    def at_risk(self, at_s: float) -> int:
        """Return how many outages were watched for that long, and not over before."""
        return len(self.waits_s) - int(np.searchsorted(self.waits_s, at_s, side="left"))

    def quantile_s(self, share: float) -> float:
        """Return after how long that share of the outages is over; infinity if it never is."""
        reached = np.nonzero(self.open_share <= 1 - share + 1e-12)[0]
        return float(self.at_s[reached[0]]) if len(reached) else math.inf


def recovery_curve(waited_s: npt.ArrayLike, recovered: npt.ArrayLike) -> RecoveryCurve:
    """Estimate the share of outages not yet over, against time.

    Parameters
    ----------
    waited_s : array_like, shape (n,)
        Seconds from the start of each outage to recovery, or to the end of the session where the call never
        came back.
    recovered : array_like of bool, shape (n,)

    Raises
    ------
    ValueError
        If the shapes differ, or a wait is negative, infinite or NaN.

    Source: Kaplan and Meier (1958), J. Am. Stat. Assoc. 53(282), 457-481; scipy.stats.ecdf.
    """
    waits_s, ended = _checked(waited_s, recovered)
    if not ended.any():
        nothing: Floats = np.array([])
        longest_s = float(waits_s.max(initial=0.0))
        return RecoveryCurve(nothing, nothing, nothing, nothing, len(waits_s), 0, longest_s, np.sort(waits_s))
    sample = stats.CensoredData(uncensored=waits_s[ended], right=waits_s[~ended])
    found = stats.ecdf(sample).sf
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # where the share is 0 or 1 there is no band
        band = found.confidence_interval(method="log-log")
    steps = np.isin(found.quantiles, waits_s[ended])
    return RecoveryCurve(
        found.quantiles[steps],
        found.probabilities[steps],
        band.low.probabilities[steps],
        band.high.probabilities[steps],
        len(waits_s),
        int(ended.sum()),
        float(waits_s.max()),
        np.sort(waits_s),
    )


def _checked(waited_s: npt.ArrayLike, recovered: npt.ArrayLike) -> tuple[Floats, npt.NDArray[np.bool_]]:
    waits_s, ended = np.asarray(waited_s, dtype=float), np.asarray(recovered, dtype=bool)
    if waits_s.shape != ended.shape or waits_s.ndim != 1:
        raise ValueError("want as many waits as outcomes, in one dimension")
    if not np.isfinite(waits_s).all() or (waits_s < 0).any():
        raise ValueError("want waits of 0 or more, and finite")
    return waits_s, ended
