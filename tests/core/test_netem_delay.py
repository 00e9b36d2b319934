"""netem's delays, against what was measured of its arithmetic."""

import numpy as np
import pytest
from scipy.stats import skew

from simlab.core.impair import NetemDelaySpec, NetemDelayStage
from simlab.core.impair.netem_delay import table
from simlab.core.packet import Direction
from tests.core.passing import transit

# Mean, deviation, skew, least, 95 % and 99 % quantile and largest of the tables, in deviations asked for:
# read off a bit-exact copy of the kernel's arithmetic on iproute2's own tables, to the digits given.
PUBLISHED = {
    "normal": (-0.0008, 1.0001, None, None, None, None, 3.523),
    "pareto": (-0.0335, 0.8197, 2.67, -0.667, 1.614, 4.0, None),
    "pareto-normal": (-0.0253, 0.8339, 1.94, None, 1.621, 3.579, None),
}


GOLDEN_US = [99976, 96160, 93423, 97366, 101619, 95409, 127782, 94106]


def delays_s(spec, count=200_000, seed=1):
    stage = NetemDelayStage(spec, seed, Direction.UP)
    return np.array([stage.apply(transit(number, 0.0))[0].due_s for number in range(count)])


def lag_1(values):
    return float(np.corrcoef(values[:-1], values[1:])[0, 1])


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_tables_are_netems(name):
    values = np.array(table(name)) / 8192
    high = np.quantile(values, [0.95, 0.99])
    found = (values.mean(), values.std(), skew(values), values.min(), *high, values.max())
    digits = (4, 4, 2, 3, 3, 3, 3)
    for got, want, places in zip(found, PUBLISHED[name], digits, strict=True):
        if want is not None:
            assert got == pytest.approx(want, abs=2 * 10**-places)


def test_golden():
    stage = NetemDelayStage(NetemDelaySpec("pareto", 0.1, 0.01, 0.25), 1, Direction.UP)
    found_us = [round(stage.apply(transit(number, 0.0))[0].due_s * 1e6) for number in range(8)]
    assert found_us == GOLDEN_US


def test_without_a_table_it_is_uniform_with_a_third_of_the_square_of_the_jitter():
    found_s = delays_s(NetemDelaySpec("uniform", 0.1, 0.01))
    assert found_s.min() >= 0.09
    assert found_s.max() < 0.11
    # A sample's SD has a relative SD of √((kurtosis - 1) / 4n), with a kurtosis of 1.8; five of them.
    deviation_s = 0.01 / np.sqrt(3)
    assert found_s.std() == pytest.approx(deviation_s, rel=5 * np.sqrt(0.8 / 4 / found_s.size))


@pytest.mark.parametrize("correlation", [0.25, 0.5, 0.9])
def test_the_modulo_destroys_the_correlation_of_small_jitters(correlation):
    # What is left is at most .003; five SDs of a correlation that is 0 are 5 / √n = .011.
    found_s = delays_s(NetemDelaySpec("normal", 0.1, 0.01, correlation))
    assert abs(lag_1(found_s)) < 0.003 + 0.011


def test_a_large_jitter_shrinks_as_the_correlation_grows():
    # Here the number is not wrapped, so X(n) = (1 - c) U + c X(n-1) is seen as it is: a deviation of
    # √((1 - c) / (1 + c)) = .23 of a uniform one's, and a correlation of c.
    found_s = delays_s(NetemDelaySpec("uniform", 3.0, 2.147, 0.9))
    assert found_s.std() == pytest.approx(0.229 * 2.147 / np.sqrt(3), rel=0.05)
    assert lag_1(found_s) == pytest.approx(0.9, abs=0.01)


def test_more_than_it_can_hold():
    with pytest.raises(ValueError, match=r"2\.147 s"):
        NetemDelaySpec("normal", 1.0, 2.15)
