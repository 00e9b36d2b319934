"""The interval of a night in the picture of a trend."""

import numpy as np
import pytest
from scipy import stats

from simlab.study.trend_plot import mean_interval


def test_it_is_students():
    values = np.random.default_rng(1).normal(3.0, 2.0, 12)
    found = stats.ttest_1samp(values, 0.0).confidence_interval(0.95)
    assert mean_interval(values) == pytest.approx((found.low, found.high))
    assert mean_interval(np.array([4.0])) == (4.0, 4.0)


@pytest.mark.parametrize("count", [10, 40])
def test_it_covers(count):
    # Times in outages are skewed: a gamma distribution of shape 4. 2000 nights have an SD of 0.5 % at 95 %;
    # of that skew, 1 / sqrt(count), Student's interval loses 1.5 % at 10. 92 % is 3 SD below the rest.
    draws = np.random.default_rng(2)
    ends = np.array([mean_interval(draws.gamma(4.0, 2.5, count)) for _ in range(2000)])
    covered = np.mean((ends[:, 0] <= 10.0) & (ends[:, 1] >= 10.0))
    assert covered >= 0.92
