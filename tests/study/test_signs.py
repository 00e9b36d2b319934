"""Differences of pairs: exact counts, scipy, and how often the intervals are right."""

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from simlab.study import unpaired
from simlab.study.signs import flip_p, holm, rank_biserial, shift, signed_ranks, sums_by, units_needed

SMALL = st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=9)


@given(SMALL)
def test_the_p_is_the_share_of_all_signs_with_a_sum_as_large(units):
    seen = abs(sum(units))
    sums = [
        abs(sum(s * u for s, u in zip(each, units, strict=True)))
        for each in product((1, -1), repeat=len(units))
    ]
    assert flip_p(units) == pytest.approx(np.mean([one >= seen for one in sums]))


def test_of_signed_ranks_it_is_wilcoxons_test():
    differences = np.random.default_rng(1).normal(0.4, 1.0, 15)
    exact = stats.wilcoxon(differences, method="exact").pvalue
    assert flip_p(signed_ranks(differences)) == pytest.approx(exact)
    many = np.random.default_rng(1).normal(0.1, 1.0, 150)
    about = stats.wilcoxon(many, method="approx", correction=False).pvalue
    assert flip_p(signed_ranks(many)) == pytest.approx(about)


def test_of_signs_it_is_mcnemars_test():
    assert flip_p([1.0] * 9 + [-1.0] * 2) == pytest.approx(stats.binomtest(9, 11).pvalue)


def test_the_published_shift():
    # The example of R's wilcox.test, from Hollander and Wolfe (1973), p. 29: depression scores of 9 patients,
    # before and after. R gives p = 0.01953 for one tail.
    before = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30]
    after = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29]
    differences = np.subtract(after, before)
    middle, interval = shift(differences, np.arange(9))
    # Of the 45 averages of two, the one in the middle, and the sixth from either end: the chance that 5 or
    # fewer are on one side is 1.95 % (10 of the 512 ways to give signs to the ranks).
    averages = sorted((a + b) / 2 for n, a in enumerate(differences) for b in differences[n:])
    assert middle == pytest.approx(averages[22])
    assert interval == pytest.approx((averages[5], averages[-6]))
    assert flip_p(signed_ranks(differences)) == pytest.approx(2 * 0.01953, abs=1e-5)


@given(st.lists(st.integers(-50, 50).map(float), min_size=1, max_size=15))
def test_the_shift_is_the_median_of_all_averages(differences):
    averages = [(a + b) / 2 for n, a in enumerate(differences) for b in differences[n:]]
    assert shift(differences, np.arange(len(differences)))[0] == pytest.approx(np.median(averages))


def test_what_is_never_over_is_longest():
    gap = [math.inf] * 8 + [1.0, -2.0]
    # Of 55 averages -2, -0.5 and 1 are finite. From the 9th smallest on they are not ruled out: 39 of 55 is
    # the first signed-rank sum beyond 5 %.
    assert shift(gap, np.arange(10)) == (math.inf, (math.inf, math.inf))
    assert shift([math.inf, 1.0, 2.0, 3.0, 4.0, 5.0], np.arange(6)) == (3.5, (1.0, math.inf))
    assert rank_biserial(gap) == pytest.approx((8 * 6.5 + 1 - 2) / 55)
    with pytest.raises(ValueError, match="at least one"):
        shift([], [])


@pytest.mark.parametrize(("seeds", "each"), [(8, 1), (30, 1), (10, 5), (40, 3)])
def test_the_interval_of_a_shift_covers(seeds, each):
    # 600 studies have an SD of 0.9 % at 95 %: 92 % is 3.4 SD below. With few seeds it covers more.
    draws, units, covered = np.random.default_rng(2), np.repeat(np.arange(seeds), each), 0
    for _ in range(600):
        shared = np.repeat(draws.normal(0.0, 1.0, seeds), each) if each > 1 else 0.0
        low, high = shift(2.0 + shared + draws.standard_t(3, seeds * each), units)[1]
        covered += low <= 2.0 <= high
    assert covered / 600 >= 0.92


@pytest.mark.parametrize(("seeds", "each"), [(10, 5), (30, 2)])
def test_clusters_do_not_raise_false_alarms(seeds, each):
    # 1000 studies have an SD of 0.7 % at 5 %: 7.3 % is 3.3 SD above.
    draws, units = np.random.default_rng(4), np.repeat(np.arange(seeds), each)
    alarms = 0
    for _ in range(1000):
        gap = np.repeat(draws.normal(0.0, 2.0, seeds), each) + draws.normal(0.0, 1.0, seeds * each)
        alarms += flip_p(sums_by(signed_ranks(gap), units)) <= 0.05
    assert alarms / 1000 <= 0.073


def test_holms_correction_by_hand():
    # By hand: the smallest times how many there are, the next times one less, and never less than before.
    assert holm([0.01, 0.04, 0.03, 0.005]).tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_holms_correction_is_that_of_statsmodels(values):
    assert holm(values).tolist() == pytest.approx(multipletests(values, method="holm")[1].tolist())


@pytest.mark.parametrize("mean", [0.3, 0.8])
def test_with_so_many_units_it_is_told_as_often_as_wanted(mean):
    # 1500 studies have an SD of 1.0 % at 80 %: 77 % is 3 SD below. By the normal distribution too many are
    # asked for where few are needed.
    draws = np.random.default_rng(6)
    needed = units_needed(draws.normal(mean, 1.0, 20_000), 0.01, 0.8)
    told = np.mean([flip_p(draws.normal(mean, 1.0, needed)) <= 0.01 for _ in range(1500)])
    assert 0.77 <= told <= {0.3: 0.85, 0.8: 0.95}[mean]


def test_where_no_number_of_units_helps():
    assert units_needed([1.0, -1.0, 0.0], 0.05, 0.8) is None
    assert units_needed([0.0], 0.05, 0.8) is None
    assert units_needed([2.0] * 3, 0.05, 0.8) == 6


@given(SMALL, SMALL)
def test_two_samples_by_counting(one, other):
    gaps = sorted(a - b for a in one for b in other)
    above, below = sum(gap > 0 for gap in gaps), sum(gap < 0 for gap in gaps)
    assert unpaired.cliffs_delta(one, other) == pytest.approx((above - below) / len(gaps))
    assert unpaired.shift(one, other)[0] == pytest.approx(np.median(gaps))


def test_the_published_shift_of_two_samples():
    # The example of R's wilcox.test, from Hollander and Wolfe (1973), p. 69; in the edition of 1999 it is
    # table 4.1 on p. 110, as R's package coin says: permeability of membranes, at term and early.
    term = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46]
    early = [1.15, 0.88, 0.90, 0.74, 1.21]
    middle, interval = unpaired.shift(early, term)
    # Of the 50 differences, the middle, and the ninth from either end: Mann and Whitney's count is 8 or less
    # with a chance of 2.0 %, and 9 or less with 2.8 %.
    gaps = sorted(a - b for a in early for b in term)
    assert middle == pytest.approx((gaps[24] + gaps[25]) / 2)
    assert interval == pytest.approx((gaps[8], gaps[-9]))


def test_the_interval_of_two_samples_covers():
    # 600 studies: as above.
    draws, covered = np.random.default_rng(8), 0
    for _ in range(600):
        low, high = unpaired.shift(draws.exponential(1.0, 14) + 1.0, draws.exponential(1.0, 10))[1]
        covered += low <= 1.0 <= high
    assert covered / 600 >= 0.92
