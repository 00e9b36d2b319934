"""What the sessions of a cell say about an expectation: for it, against it, or too little."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from simlab.study.expect import OPERATORS, Expectation
from simlab.study.rows import Row
from simlab.study.survival import recovery_curve

SHARE_OF_TIMES = 0.95
"""An expectation of a time is one of the time within which this share is over: of its 95th percentile."""

_TINY = 1e-12


@dataclass(frozen=True)
class Evidence:
    """How sure one may be.

    Parameters
    ----------
    measured
        The estimate; infinite where something never happened, nan where there is nothing to estimate.
    against
        The p-value of the hypothesis that the expectation is true: small speaks against it.
    speaks_for
        The p-value of the hypothesis that it is false: small speaks for it.
    """

    measured: float
    against: float
    speaks_for: float


def evidence(expectation: Expectation, sessions: Sequence[Row], outages: Sequence[Row]) -> Evidence:
    """Weigh an expectation by the sessions of a cell.

    ``success_rate`` is a share of all sessions there could be (exact binomial test). ``recovery_p95`` and
    ``connect_s`` are 95th percentiles (a binomial test of the share within the bound; the outages of one
    session count as one together, since they are not independent). ``usable_fraction``, ``outages`` and
    ``attempts`` are means per session (Student's t). ``violations`` are those of these sessions, so that one
    is certain.

    Raises
    ------
    InvalidInputError
        If the metric is unknown.
    """
    bound, sign = expectation.bound, expectation.operator
    match expectation.metric:
        case "violations":
            return _certain(sum(row["violations"] for row in sessions), bound, sign)
        case "success_rate":
            succeeded = sum(row["succeeded"] for row in sessions)
            return _share(succeeded, succeeded, len(sessions), bound, sign, succeeded / len(sessions))
        case "recovery_p95":
            return _recovery(sessions, outages, bound, sign)
        case "connect_s":
            times_s = [row["connect_bot_ready_s"] for row in sessions]
            waits_s = sorted(math.inf if time_s is None else time_s for time_s in times_s)
            within = sum(wait_s <= bound for wait_s in waits_s)
            measured_s = waits_s[math.ceil(SHARE_OF_TIMES * len(waits_s)) - 1]
            return _quantile(within, within, len(waits_s), sign, measured_s)
    return _mean([_PER_SESSION[expectation.metric](row) for row in sessions], bound, sign)


_PER_SESSION = {
    "usable_fraction": lambda row: float(row["usable_fraction"]),
    "outages": lambda row: float(row["outages"]),
    "attempts": lambda row: float(row["attempts_ice_restarts"] + row["attempts_recreations"]),
}


def _certain(measured: float, bound: float, sign: str) -> Evidence:
    held = OPERATORS[sign](measured, bound)
    return Evidence(measured, float(held), float(not held))


def _share(most: float, least: float, number: int, bound: float, sign: str, measured: float) -> Evidence:
    """Weigh a bound on a share: ``most`` and ``least`` are how many of ``number`` at most, and at least."""
    too_low = float(stats.binom.cdf(math.ceil(most - 1e-9), number, bound))
    too_high = float(stats.binom.sf(math.floor(least + 1e-9) - 1, number, bound))
    match sign[0]:
        case ">":
            return Evidence(measured, too_low, too_high)
        case "<":
            return Evidence(measured, too_high, too_low)
    return _equal(measured, min(1.0, 2 * min(too_low, too_high)), sign)


def _equal(measured: float, differs: float, sign: str) -> Evidence:
    """No number of sessions shows that a share or a mean is one number exactly, or that it is not another."""
    return Evidence(measured, differs, 1.0) if sign == "==" else Evidence(measured, 1.0, differs)


def _quantile(most: float, least: float, number: int, sign: str, measured: float) -> Evidence:
    """Weigh a bound on a quantile by how many lie within it: it is low if the share within is high."""
    turned = {"<": ">", ">": "<"}.get(sign[0], sign)
    return _share(most, least, number, SHARE_OF_TIMES, turned, measured)


def _recovery(sessions: Sequence[Row], outages: Sequence[Row], bound_s: float, sign: str) -> Evidence:
    if not outages:
        return Evidence(math.nan, 1.0, 1.0)
    waits_s, ended = [row["waited_s"] for row in outages], [row["recovered"] for row in outages]
    within = sum(wait_s <= bound_s and over for wait_s, over in zip(waits_s, ended, strict=True))
    unknown = sum(wait_s < bound_s and not over for wait_s, over in zip(waits_s, ended, strict=True))
    number = len({row["session"] for row in outages})
    scale = number / len(outages)
    measured_s = recovery_curve(waits_s, ended).quantile_s(SHARE_OF_TIMES)
    return _quantile((within + unknown) * scale, within * scale, number, sign, measured_s)


def _mean(values: Sequence[float], bound: float, sign: str) -> Evidence:
    sample = np.asarray(values)
    measured = float(sample.mean())
    if np.ptp(sample) < _TINY:
        # Without any spread there is no t; the chance that a fair coin always falls on one side is cautious.
        held, chance = OPERATORS[sign](measured, bound), 0.5 ** len(sample)
        return Evidence(measured, 1.0, chance) if held else Evidence(measured, chance, 1.0)
    t = (measured - bound) / (sample.std(ddof=1) / math.sqrt(len(sample)))
    low, high = float(stats.t.cdf(t, len(sample) - 1)), float(stats.t.sf(t, len(sample) - 1))
    match sign[0]:
        case ">":
            return Evidence(measured, low, high)
        case "<":
            return Evidence(measured, high, low)
    return _equal(measured, min(1.0, 2 * min(low, high)), sign)
