"""What two sides are compared by: each measure's difference, interval, effect and p."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import stats

from simlab.study import proportions, signs, unpaired
from simlab.study.logrank import logrank
from simlab.study.proportions import Interval, Pairs
from simlab.study.restricted import mean_difference
from simlab.study.sides import Side, units_of

Floats = npt.NDArray[np.float64]

DECIDING = ("success_rate", "usable_fraction", "longest_outage_s")
"""The measures that every session has."""

_HIGHER_IS_BETTER = frozenset({"success_rate", "usable_fraction", "recovery_curve"})


@dataclass(frozen=True)
class Measured:
    """One measure of two sides.

    Parameters
    ----------
    name
        ``success_rate``, ``usable_fraction``, ``longest_outage_s``, ``mean_outage_s`` or ``recovery_curve``.
    first, second
        Its value on each side: a mean; the median for ``longest_outage_s``; for ``recovery_curve`` how many
        of the first's outages were over, and how many would be if both sides had the same curve.
    difference, interval
        The first's minus the second's, and its 95 % interval, not corrected; for ``longest_outage_s`` the
        shift of Hodges and Lehmann. Infinite where the data allow any value; for ``recovery_curve`` there is
        no interval (nan).
    effect
        From -1 to 1: for pairs the rank-biserial correlation of their differences, else Cliff's delta; nan
        for ``mean_outage_s`` and ``recovery_curve``.
    p, p_corrected
        Two-sided; the second after the correction for all comparisons of the study.
    differs
        Whether anything differs at all, without which there is no test.
    units
        The differences of the seeds that the test is made of; empty for sides that are not paired.
    verdict
        Whether the first is better or worse, at a corrected level of 5 %.
    seeds_needed
        How many seeds would tell it in 80 % of the studies, if the difference is as seen; None if there is
        none, or it is not known how to say.
    """

    name: str
    first: float
    second: float
    difference: float
    interval: Interval
    effect: float
    p: float
    differs: bool
    units: tuple[float, ...] = ()
    p_corrected: float = 1.0
    verdict: Literal["better", "worse", "can't be told"] = "can't be told"
    seeds_needed: int | None = None

    def decided(self, p_corrected: float, level: float, alone: float, power: float) -> "Measured":
        """Return the measure with its verdict.

        Parameters
        ----------
        level
            What the corrected p has to stay within.
        alone
            What is left of it for one test, for the number of seeds needed.
        """
        # A difference of ranks may be 0 where the ranks are not: then the effect says which way.
        way = self.effect if math.isfinite(self.effect) and self.effect else self.difference
        better = (way > 0) == (self.name in _HIGHER_IS_BETTER)
        told = p_corrected <= level and way != 0
        verdict: Literal["better", "worse", "can't be told"] = (
            "can't be told" if not told else "better" if better else "worse"
        )
        needed = self._needed(alone, power) if self.units else None
        return replace(self, p_corrected=p_corrected, verdict=verdict, seeds_needed=needed)

    def _needed(self, level: float, power: float) -> int | None:
        if not set(self.units) <= {-1.0, 0.0, 1.0}:
            return signs.units_needed(self.units, level, power)
        first, second = (self.units.count(way) / len(self.units) for way in (1.0, -1.0))
        return proportions.pairs_needed(first, second, level, power)


def measured(one: Side, other: Side, key: Sequence[str], *, paired: bool) -> Mapping[str, Measured]:
    """Return all measures of two sides, by name.

    Parameters
    ----------
    one, other
        Where they are paired, each session of the one has its counterpart on the other.
    key
        The columns that sessions are paired by, the seed first.
    """
    if paired:
        one, other = one.sorted_by(key), other.sorted_by(key)
    seeds = one.seed_of_each
    found = [
        _success(one, other, seeds, paired=paired),
        _usable(one, other, seeds, paired=paired),
        _longest(one, other, seeds, paired=paired),
        *_of_outages(one, other, paired=paired),
    ]
    return {measure.name: measure for measure in found}


def _success(one: Side, other: Side, seeds: Sequence[int], *, paired: bool) -> Measured:
    name, ends = "success_rate", (one.column("succeeded"), other.column("succeeded"))
    count, other_count = ((int(side.sum()), len(side)) for side in ends)
    if not paired:
        return _independent_shares(name, count, other_count)
    if len(set(seeds)) < len(seeds):
        return _with_width(_means(name, *ends, seeds), *ends, seeds)
    pairs = Pairs.of(*ends)
    gap = ends[0] - ends[1]
    first, second = pairs.shares
    return Measured(
        name,
        first,
        second,
        first - second,
        proportions.paired_interval(pairs),
        signs.rank_biserial(gap),
        proportions.mcnemar_p(pairs),
        bool(gap.any()),
        tuple(gap.tolist()),
    )


def _with_width(one: Measured, first: Floats, second: Floats, seeds: Sequence[int]) -> Measured:
    """Give a share of several sessions a seed an interval where Student's has none.

    Where the pairs of all seeds differ alike - by nothing, or by all - the seeds are as one pair each.
    """
    gap = first - second
    if np.ptp(gap) > 0 or abs(one.difference) not in (0.0, 1.0):
        return one
    numbers = signs.sums_by(np.ones_like(first), seeds)
    saved = [signs.sums_by(side, seeds) == numbers for side in (first, second)]
    return replace(one, interval=proportions.paired_interval(Pairs.of(*saved)))


def _independent_shares(name: str, one: tuple[int, int], other: tuple[int, int]) -> Measured:
    first, second = one[0] / one[1], other[0] / other[1]
    interval, p = proportions.unpaired_interval(one, other), proportions.unpaired_p(one, other)
    differs = 0 < one[0] + other[0] < one[1] + other[1]
    # Of outcomes that are 0 or 1, Cliff's delta is the difference of the shares.
    return Measured(name, first, second, first - second, interval, first - second, p, differs)


def _usable(one: Side, other: Side, seeds: Sequence[int], *, paired: bool) -> Measured:
    name, shares = "usable_fraction", (one.column("usable_fraction"), other.column("usable_fraction"))
    if paired:
        return _means(name, *shares, seeds)
    first, second = (float(side.mean()) for side in shares)
    effect, differs = unpaired.cliffs_delta(*shares), bool(np.ptp(np.concatenate(shares)) > 0)
    if not differs or min(map(len, shares)) < 2:
        return Measured(name, first, second, first - second, (-1.0, 1.0), effect, 1.0, differs)
    found = stats.ttest_ind(*shares, equal_var=False)
    ends = found.confidence_interval()
    interval = _of_shares(ends.low, ends.high)
    return Measured(name, first, second, first - second, interval, effect, float(found.pvalue), differs)


def _means(name: str, one: Floats, other: Floats, seeds: Sequence[int]) -> Measured:
    """Compare means of shares of pairs: Student's over the seeds' sums, and p from turning their signs."""
    gap = one - other
    sums = signs.sums_by(gap, seeds)
    interval = (-1.0, 1.0)
    if len(sums) > 1:
        reach = stats.t.ppf(0.975, len(sums) - 1) * sums.std(ddof=1) * math.sqrt(len(sums)) / len(gap)
        interval = _of_shares(gap.mean() - reach, gap.mean() + reach)
    first, second, mean = float(one.mean()), float(other.mean()), float(gap.mean())
    effect = signs.rank_biserial(gap)
    units = tuple(sums.tolist())
    return Measured(name, first, second, mean, interval, effect, signs.flip_p(sums), bool(gap.any()), units)


def _of_shares(low: float, high: float) -> Interval:
    """Return an interval without what no difference of two shares can be."""
    return max(-1.0, float(low)), min(1.0, float(high))


def _longest(one: Side, other: Side, seeds: Sequence[int], *, paired: bool) -> Measured:
    name, times = "longest_outage_s", (one.longest_s, other.longest_s)
    middle = [float(np.median(np.minimum(side, signs.NEVER_S))) for side in times]
    first, second = (signs.real(value) for value in middle)
    if not paired:
        difference, interval = unpaired.shift(*times)
        differs = len(set(np.concatenate(times).tolist())) > 1
        effect, p = unpaired.cliffs_delta(*times), unpaired.rank_p(*times)
        return Measured(name, first, second, difference, interval, effect, p, differs)
    gap = np.minimum(times[0], signs.NEVER_S) - np.minimum(times[1], signs.NEVER_S)
    difference, interval = signs.shift(gap, seeds)
    sums = signs.sums_by(signs.signed_ranks(gap), seeds)
    effect, p = signs.rank_biserial(gap), signs.flip_p(sums)
    return Measured(
        name, first, second, difference, interval, effect, p, bool(gap.any()), tuple(sums.tolist())
    )


def _of_outages(one: Side, other: Side, *, paired: bool) -> list[Measured]:
    number = units_of(one, other, paired=paired)
    first, second = one.waits(number[0]), other.waits(number[1])
    some = bool(first.recovered.any() or second.recovered.any())
    counts = (len(number[0]), len(number[1]))
    if not some or not len(first.waited_s) or not len(second.waited_s) or min(counts) < 2:
        return []
    means = mean_difference(first, second, counts, paired=paired)
    # The two sides' numbers must not meet where the sides are independent.
    apart = second if paired else other.waits({seed: n + counts[0] for seed, n in number[1].items()})
    more, p = logrank(first, apart)
    over = float(first.recovered.sum())
    unknown = (math.nan, math.nan)
    return [
        Measured(
            "mean_outage_s",
            means.first_s,
            means.second_s,
            means.difference_s,
            means.interval_s,
            math.nan,
            means.p,
            means.p < 1.0,
        ),
        Measured("recovery_curve", over, over - more, more, unknown, math.nan, p, p < 1.0),
    ]
