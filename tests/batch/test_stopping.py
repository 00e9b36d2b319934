"""When a cell stops early: the interval by scipy, the looks, and what looking costs, counted exactly."""

from functools import cache

import numpy as np
import pytest
from scipy.stats import binom, binomtest

from simlab.batch.stopping import looks, width


@pytest.mark.parametrize(
    ("succeeded", "sessions"), [(0, 1), (1, 1), (20, 20), (28, 30), (297, 300), (5, 9604)]
)
def test_the_width_is_that_of_scipy_s_interval(succeeded, sessions):
    low, high = binomtest(succeeded, sessions).proportion_ci(method="wilson")
    assert width(succeeded, sessions) == pytest.approx(high - low, abs=1e-12)


def test_nothing_is_known_without_a_session():
    assert width(0, 0) == 1.0


def test_without_a_width_the_end_is_the_only_look():
    assert looks(250, None) == [250]


@pytest.mark.parametrize("until_width", [0.02, 0.05, 0.1, 0.3, 0.9])
def test_the_first_look_is_the_first_that_could_be_enough(until_width):
    first = looks(1_000_000, until_width)[0]
    assert width(first, first) <= until_width
    assert first == 1 or width(first - 1, first - 1) > until_width


def test_looks_grow_by_an_eighth_and_end_with_the_last_seed():
    assert looks(300, 0.02) == [189, 212, 238, 267, 300]
    assert looks(100, 0.02) == [100]
    assert looks(10, 0.5) == [4, 5, 6, 7, 8, 9, 10]


@cache
def interval(succeeded, sessions):
    """Return scipy's interval, which is the same whatever the share."""
    low, high = binomtest(succeeded, sessions).proportion_ci(method="wilson")
    return low, high


def covered_and_mean(share, until_width, most):
    """Count every path: how often the interval holds the truth at the end, and the mean estimate."""
    alive, before = np.array([1.0]), 0
    covered = mean = 0.0
    points = looks(most, until_width)
    for look in points:
        alive = np.convolve(alive, binom.pmf(np.arange(look - before + 1), look - before, share))
        before = look
        for succeeded in range(look + 1):
            if look == points[-1] or width(succeeded, look) <= until_width:
                low, high = interval(succeeded, look)
                covered += alive[succeeded] * (low <= share <= high)
                mean += alive[succeeded] * succeeded / look
                alive[succeeded] = 0.0
    assert alive.sum() == pytest.approx(0.0, abs=1e-12)
    return covered, mean


@pytest.mark.parametrize("share", [0.5, 0.7, 0.8, 0.9, 0.95, 0.98])
def test_what_docs_say_of_the_interval_after_an_early_stop(share):
    """docs/studies.md: the truth is inside in 92 of 100 cells or more, and the rate off by less than 0.01."""
    covered, mean = covered_and_mean(share, 0.1, 500)
    assert covered >= 0.92
    assert abs(mean - share) < 0.01
