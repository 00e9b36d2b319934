"""What two sides are compared by: how often the interval of the usable share is right."""

import numpy as np
import pytest

from simlab.study.measures import measured
from simlab.study.proportions import Pairs, paired_interval
from simlab.study.sides import Side


def side(shares):
    """Sessions of seeds 0, 0, 1, 1..., without any outage."""
    same = {"succeeded": True, "connect_bot_ready_s": 0.5}
    own = [
        {"session": number, "seed": number // 2, "value": number % 2, "usable_fraction": share}
        for number, share in enumerate(shares)
    ]
    return Side([{**same, **one} for one in own], [])


@pytest.mark.parametrize("seeds", [8, 30])
def test_the_interval_of_the_usable_share_covers(seeds):
    # Two values of a key for each seed, whose weather both sides share, and whose skew they do not. 400
    # studies have an SD of 1.1 % at 95 %: 91.5 % is 3.2 SD below.
    draws, covered, truth = np.random.default_rng(7), 0, 0.05
    for _ in range(400):
        weather = np.repeat(draws.beta(2.0, 2.0, seeds), 2) / 4
        own, other = (np.repeat(draws.beta(2.0, 5.0, seeds), 2) / 4 for _ in range(2))
        one = 0.3 + truth + weather + own
        found = measured(side(one), side(0.3 + weather + other), ["seed", "value"], paired=True)
        low, high = found["usable_fraction"].interval
        covered += low <= truth <= high
    assert covered / 400 >= 0.915


@pytest.mark.parametrize("paired", [True, False])
def test_no_interval_of_a_difference_of_shares_is_beyond_all_of_it(paired):
    # By Student's alone it is 0.92 +- 0.21, of six seeds with two values each.
    one, other = side([1.0] * 11 + [0.0]), side([0.0] * 12)
    found = measured(one, other, ["seed", "value"], paired=paired)["usable_fraction"]
    assert found.difference == pytest.approx(11 / 12)
    assert found.interval[1] == 1.0
    assert found.interval[0] < found.difference


@pytest.mark.parametrize(("lost", "pairs"), [(False, Pairs(6, 0, 0, 0)), (True, Pairs(0, 6, 0, 0))])
def test_seeds_that_all_end_alike_leave_an_interval(lost, pairs):
    # Student's has no width where every seed has the same difference, as if six seeds were all there are.
    one, other = side([1.0] * 12), side([1.0] * 12)
    other = Side([row | {"succeeded": not lost} for row in other.sessions], [])
    found = measured(one, other, ["seed", "value"], paired=True)["success_rate"]
    assert found.difference == float(lost)
    assert found.interval == paired_interval(pairs)
    assert found.interval[1] - found.interval[0] > 0.3


@pytest.mark.parametrize("paired", [True, False])
def test_one_seed_says_nothing_but_that_it_is_a_share(paired):
    one, other = (Side(side([share]).sessions, []) for share in (0.9, 0.5))
    found = measured(one, other, ["seed", "value"], paired=paired)["usable_fraction"]
    assert found.interval == (-1.0, 1.0)
