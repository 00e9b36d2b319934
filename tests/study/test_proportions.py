"""Shares and their differences: published tables, second methods, and how often the intervals are right."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats

from simlab.study.proportions import (
    Pairs,
    mcnemar_p,
    mcnemar_power,
    paired_interval,
    pairs_needed,
    unpaired_interval,
    unpaired_p,
    wilson_interval,
)


@pytest.mark.parametrize(
    ("succeeded", "count", "low", "high"),
    # Newcombe (1998), Stat. Med. 17(8), 857-872, table I, method 3: not seen there, but so quoted by
    # the tests of many packages.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilsons_interval_as_published(succeeded, count, low, high):
    assert wilson_interval(succeeded, count) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilsons_interval_holds_the_shares_that_a_score_test_would_not_rule_out(case):
    succeeded, count = case
    seen = succeeded / count

    def excess(share):
        return (seen - share) ** 2 - 1.959963984540054**2 * share * (1 - share) / count

    low, high = wilson_interval(succeeded, count)
    for end, beyond in ((low, 0.0), (high, 1.0)):
        if 0 < end < 1:
            assert end == pytest.approx(
                optimize.brentq(excess, seen + math.copysign(1e-9, beyond - 0.5), beyond), abs=1e-6
            )


@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    # Newcombe (1998), Stat. Med. 17(8), 873-890, table II, method 10: not seen there, but so quoted by the
    # tests of many packages, where SAS agrees on the first, the second and the seventh.
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_the_interval_of_independent_shares_as_published(one, other, low, high):
    assert unpaired_interval(one, other) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("pairs", "low", "high"),
    # Newcombe (1998), Stat. Med. 17(22), 2635-2650, table III, method 10: not seen there, but so quoted by
    # the tests of many packages. One row is left out: 1, 97, 1, 1 differs by one in the last digit.
    [
        (Pairs(36, 12, 2, 0), 0.0569, 0.3404),
        (Pairs(20, 12, 2, 16), 0.0562, 0.3292),
        (Pairs(18, 12, 2, 18), 0.0562, 0.3290),
        (Pairs(36, 14, 0, 0), 0.1528, 0.4167),
        (Pairs(35, 14, 0, 1), 0.1461, 0.4175),
        (Pairs(18, 14, 0, 18), 0.1441, 0.3963),
        (Pairs(2, 97, 1, 0), 0.8721, 0.9854),
        (Pairs(0, 30, 0, 0), 0.8395, 1.0),
        (Pairs(54, 0, 0, 0), -0.0664, 0.0664),
        (Pairs(30, 0, 0, 24), -0.0358, 0.0358),
    ],
)
def test_the_interval_of_paired_shares_as_published(pairs, low, high):
    assert paired_interval(pairs) == pytest.approx((low, high), abs=5e-5)


def test_without_correlation_pairs_have_the_interval_of_independent_shares():
    assert paired_interval(Pairs(20, 20, 5, 5)) == pytest.approx(unpaired_interval((40, 50), (25, 50)))


CELLS = [(0.8, 0.15, 0.03, 0.02), (0.5, 0.1, 0.1, 0.3), (0.3, 0.35, 0.05, 0.3), (0.94, 0.03, 0.02, 0.01)]


@pytest.mark.parametrize("shares", CELLS)
@pytest.mark.parametrize("count", [20, 60])
def test_the_paired_interval_covers(shares, count):
    # Of 4000 studies the coverage has an SD of 0.35 % at 95 %. Newcombe found 95 % in the mean, and single
    # cells down to 93 %: 92 % is that less 3 SD.
    draws = np.random.default_rng(7).multinomial(count, shares, 4000)
    truth = shares[1] - shares[2]
    found, times = np.unique(draws, axis=0, return_counts=True)
    ends = [paired_interval(Pairs(*map(int, row))) for row in found]
    covered = sum(n for (low, high), n in zip(ends, times, strict=True) if low <= truth <= high)
    assert covered / 4000 >= 0.92


def test_mcnemars_test_as_published():
    # The example of R's mcnemar.test, from Agresti (1990), Categorical Data Analysis, p. 350: approval in two
    # surveys of 1600, of whom 150 and 86 changed their mind.
    approval = Pairs(794, 150, 86, 570)
    assert mcnemar_p(approval) == pytest.approx(stats.binomtest(86, 150 + 86).pvalue)
    # Its p is near that of the chi-squared statistic, 64 ** 2 / 236 = 17.36; with so many it must be.
    assert mcnemar_p(approval) == pytest.approx(stats.chi2.sf(17.36, 1), rel=0.25)
    assert mcnemar_p(Pairs(5, 0, 0, 5)) == 1.0


def test_fishers_test_as_published():
    # The example of R's fisher.test, from Agresti (1990), p. 61: the lady who tasted tea put 3 of 4 right. R
    # gives 0.2429 for one tail, and both are alike.
    assert unpaired_p((3, 4), (1, 4)) == pytest.approx(0.4857, abs=1e-4)


@pytest.mark.parametrize(("first", "second", "pairs"), [(0.3, 0.1, 25), (0.5, 0.0, 12), (0.02, 0.2, 30)])
def test_the_power_is_that_of_all_tables(first, second, pairs):
    power = sum(
        stats.multinomial.pmf([one, other, pairs - one - other], pairs, [first, second, 1 - first - second])
        for one in range(pairs + 1)
        for other in range(pairs - one + 1)
        if mcnemar_p(Pairs(pairs - one - other, one, other, 0)) <= 0.05
    )
    assert mcnemar_power(first, second, pairs, 0.05) == pytest.approx(power, abs=1e-6)


def test_the_number_of_pairs_is_the_first_with_the_power():
    needed = pairs_needed(0.3, 0.1, 0.05, 0.8)
    assert mcnemar_power(0.3, 0.1, needed, 0.05) >= 0.8 > mcnemar_power(0.3, 0.1, needed - 1, 0.05)
    # By simulation: 3000 studies have an SD of 0.73 %.
    draws = np.random.default_rng(3).multinomial(needed, [0.3, 0.1, 0.6], 3000)
    told = np.mean(
        [mcnemar_p(Pairs(0, int(one), int(other), int(rest))) <= 0.05 for one, other, rest in draws]
    )
    assert told == pytest.approx(0.8, abs=0.03)


def test_where_no_number_of_pairs_helps():
    assert pairs_needed(0.1, 0.1, 0.05, 0.8) is None
    assert pairs_needed(0.1001, 0.1, 0.05, 0.8) is None
    # All differ in the same way: so many pairs must be there for 2^(1 - n) to be below the level.
    assert pairs_needed(1.0, 0.0, 0.05, 0.8) == 6


@pytest.mark.parametrize("count", [10, 40, 200])
def test_wilsons_interval_covers(count):
    # Exact: the chance of each number of successes, where the interval of that number holds the share. In
    # the mean over shares it covers 95 %. A share just below 0.1765 / n, where the interval of one success
    # begins, is held by that of none alone: exp(-0.1765) = 83.8 % of the time.
    shares = np.linspace(0.005, 0.995, 199)
    ends = [wilson_interval(succeeded, count) for succeeded in range(count + 1)]
    held = np.array([[low <= share <= high for low, high in ends] for share in shares])
    covered = (stats.binom.pmf(np.arange(count + 1), count, shares[:, None]) * held).sum(axis=1)
    assert covered.mean() == pytest.approx(0.95, abs=0.01)
    assert covered.min() >= 0.83
