"""The tests of a night: exact where that can be, valid always, and one false alarm rate for all of them."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from simlab.study.alarms import draws_for, holm, p_worse, p_worse_paired, sampled_p, share_of_look


def rng(seed=1):
    return np.random.default_rng(seed)


@pytest.mark.parametrize(
    ("differences", "p"),
    [([2.0] * 12, 2**-12), ([0.0] * 20, 1.0), ([1.0, -1.0], 0.75), ([-3.0, 1.0, 1.0], 5 / 8), ([5.0], 0.5)],
)
def test_pairs_are_enumerated(differences, p):
    assert p_worse_paired(differences, rng(), 10) == p


def test_pairs_against_scipy():
    more = rng(3).normal(0.3, 1, 11)
    second = stats.permutation_test(
        (more,), np.sum, permutation_type="samples", alternative="greater", n_resamples=np.inf
    )
    assert p_worse_paired(more, rng(), 10) == pytest.approx(second.pvalue)


def test_shares_of_two_groups_are_fishers_exact_test():
    # 14 of 20 saved tonight, 57 of 60 before; one is not saved, so higher is worse.
    tonight, before = [1.0] * 6 + [0.0] * 14, [1.0] * 3 + [0.0] * 57
    exact = stats.hypergeom.sf(5, 80, 9, 20)
    # At least 50 arrangements were counted, so p is right to 1/sqrt(50) = 14 %, three times over.
    assert p_worse(tonight, before, rng(), 200_000) == pytest.approx(exact, rel=0.42)


def test_means_of_two_groups_by_enumeration():
    new, old = np.array([3.0, 9.0, 4.0]), np.array([1.0, 2.0, 5.0, 0.5])
    every = np.concatenate([new, old])
    sums = [sum(chosen) for chosen in itertools.combinations(every, 3)]
    exact = np.mean([one >= new.sum() - 1e-9 for one in sums])
    assert p_worse(new, old, rng(), 100_000) == pytest.approx(exact, rel=0.42)


def test_what_is_tolerated_is_not_worse():
    tonight, before = np.arange(20) + 1.0, np.arange(20) * 1.0
    assert p_worse(tonight, before, rng(), 10_000, tolerated=1.0) > 0.4
    assert p_worse([3.0] * 20, [1.0] * 20, rng(), 10_000, tolerated=2.5) > 0.99


def test_nothing_to_tell_apart():
    assert p_worse([1.0, 1.0], [1.0] * 9, rng(), 100) == 1.0
    assert p_worse([], [1.0], rng(), 100) == 1.0


def test_a_sampled_p_value_is_valid():
    # Under the null hypothesis the true p is uniform, and 5 % of the found ones may be 5 % or less: of 400
    # these are 20, and three standard deviations more are 33.
    uniform, draws = rng(7).random(400), rng(8)
    values = [sampled_p(lambda number, true=true: draws.random(number) < true, 1, 5_000) for true in uniform]
    assert sum(value <= 0.05 for value in values) <= 20 + 13
    assert np.corrcoef(uniform, values)[0, 1] > 0.98


def test_it_stops_when_nothing_is_to_be_found():
    asked = []

    def exceeds(number):
        asked.append(number)
        return np.ones(number, dtype=bool)

    assert sampled_p(exceeds, 1, 10**6) == 1.0
    assert sum(asked) == 200
    assert sampled_p(lambda number: np.zeros(number, dtype=bool), 1, 9_999) == 1 / 10_000


def test_holm_by_its_definition():
    def by_definition(p_values, alpha):
        ordered = sorted(p_values)
        adjusted = [
            max(min(1.0, (len(ordered) - at) * ordered[at]) for at in range(rank + 1))
            for rank in range(len(ordered))
        ]
        return [adjusted[ordered.index(p)] <= alpha for p in p_values]

    for seed in range(50):
        p_values = list(rng(seed).random(8) ** 3)
        assert holm(p_values, 0.1) == by_definition(p_values, 0.1)
    assert holm([], 0.01) == []
    assert holm([0.004, 0.006], 0.01) == [True, True]
    assert holm([0.006, 0.006], 0.01) == [False, False]


@pytest.mark.parametrize("looks", [1, 2, 5])
def test_all_looks_share_alpha(looks):
    shares = [share_of_look(look, looks) for look in range(1, looks + 1)]
    assert math.fsum(shares) == pytest.approx(1.0)
    assert shares == sorted(shares)


def test_enough_draws_for_the_strictest_level():
    assert draws_for(30, 0.01) * 0.01 / 30 >= 20
