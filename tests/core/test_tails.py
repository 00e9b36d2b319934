"""Delays with tails, measured ones, correlated ones, and RFC 8868's."""

import math

import numpy as np
import pytest
from scipy.stats import kstest, norm, pareto, truncnorm

from simlab.core.impair import (
    CorrelatedDelaySpec,
    EmpiricalDelaySpec,
    NormalDelaySpec,
    ParetoDelaySpec,
    ParetoNormalDelaySpec,
    Rfc8868DelaySpec,
    UniformDelaySpec,
    make_stage,
)
from simlab.core.packet import Direction
from tests.core.passing import pass_through, transit

UP = Direction.UP
DEVIATIONS = 5


def delays_s(spec, count, every_s=10.0, seed=1):
    """Return delays of packets so far apart that none waits for another."""
    out = pass_through(make_stage(spec, seed, UP), count, every_s)
    return np.array([kept[0].due_s - n * every_s for n, kept in enumerate(out)])


SPECS = {
    "pareto": ParetoDelaySpec(0.04, 0.01),
    "pareto-normal": ParetoNormalDelaySpec(0.04, 0.01),
    "empirical": EmpiricalDelaySpec((0.01, 0.02, 0.05)),
    "correlated": CorrelatedDelaySpec(NormalDelaySpec(0.04, 0.01), 0.8),
    "rfc8868": Rfc8868DelaySpec(0.05),
}


GOLDEN = {
    "pareto": [0.037362, 0.039638, 0.035764, 0.034464, 0.035651],
    "pareto-normal": [0.033892, 0.03789, 0.046305, 0.034579, 0.046135],
    "empirical": [0.02, 0.05, 0.01, 0.01, 0.01],
    "correlated": [0.046728, 0.043344, 0.045088, 0.052385, 0.054018],
    "rfc8868": [0.05017, 0.052392, 0.047566, 0.042244, 0.047308],
}


@pytest.mark.parametrize("name", SPECS)
def test_golden(name):
    assert [round(float(d), 6) for d in delays_s(SPECS[name], 5)] == GOLDEN[name]


@pytest.mark.parametrize("shape", [2.5, 3.0, 6.0])
def test_pareto(shape):
    mean_s, deviation_s, count = 0.04, 0.01, 20_000
    sample_s = delays_s(ParetoDelaySpec(mean_s, deviation_s, shape), count)
    # scipy's own Pareto, moved and scaled to that mean and deviation.
    standard = pareto(shape)
    scale_s = deviation_s / standard.std()
    assert kstest(sample_s, pareto(shape, mean_s - scale_s * standard.mean(), scale_s).cdf).pvalue > 1e-6
    assert np.mean(sample_s) == pytest.approx(mean_s, abs=DEVIATIONS * deviation_s / math.sqrt(count))
    assert min(sample_s) >= mean_s - deviation_s * math.sqrt((shape - 2) / shape) - 1e-9


def test_pareto_of_shape_3_is_the_published_closed_form():
    # m + x (u^(-1/3) - 3/2), x = 2 s / √3
    spec, luck = ParetoDelaySpec(0.1, 0.01), 0.3
    closed = 0.1 + 2 * 0.01 / math.sqrt(3) * (luck ** (-1 / 3) - 1.5)
    assert spec.quantile_s(1 - luck) == pytest.approx(closed, rel=1e-12)


def test_pareto_normal_has_the_mean_and_deviation_that_are_asked_for():
    count = 400_000
    sample_s = delays_s(ParetoNormalDelaySpec(1.0, 0.01), count)
    assert np.mean(sample_s) == pytest.approx(1.0, abs=DEVIATIONS * 0.01 / math.sqrt(count))
    # The fourth moment of a Pareto of shape 3 is infinite, so a sample's deviation says little. What is
    # compared instead is the whole distribution, with a numerical convolution that has deviation 1.
    grid = np.linspace(-8, 60, 1 << 18)
    width = grid[1] - grid[0]
    scale = 3 / math.sqrt(10)
    standard = pareto(3, -1.5 * 2 / math.sqrt(3) * scale, 2 / math.sqrt(3) * scale)
    parts = np.diff(standard.cdf(np.append(grid, grid[-1] + width) - width / 2))
    z = (sample_s - 1.0) / 0.01
    for at in (-1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 4.0):
        share = float(np.sum(parts * norm.cdf((at - grid) * math.sqrt(10))))
        sd = math.sqrt(share * (1 - share) / count)
        assert np.mean(z < at) == pytest.approx(share, abs=DEVIATIONS * sd + 1e-5)


def test_empirical_delays_are_each_as_likely():
    count, samples_s = 30_000, (0.01, 0.02, 0.02, 0.05)
    sample_s = np.round(delays_s(EmpiricalDelaySpec(samples_s), count), 9)
    for value_s, share in ((0.01, 0.25), (0.02, 0.5), (0.05, 0.25)):
        sd = math.sqrt(share * (1 - share) / count)
        assert np.mean(sample_s == value_s) == pytest.approx(share, abs=DEVIATIONS * sd)
    assert set(sample_s) == set(samples_s)
    assert EmpiricalDelaySpec(samples_s).mean_s == 0.025


@pytest.mark.parametrize("correlation", [0.3, 0.9])
@pytest.mark.parametrize(
    ("spec", "cdf"),
    [
        (NormalDelaySpec(0.1, 0.01, True), norm(0.1, 0.01).cdf),
        (UniformDelaySpec(0.1, 0.05, True), lambda x: np.clip((x - 0.05) / 0.1, 0, 1)),
    ],
)
def test_correlation_leaves_the_distribution_as_it_is(spec, cdf, correlation):
    count = 40_000
    sample_s = delays_s(CorrelatedDelaySpec(spec, correlation), count)
    # Thinned until neighbours are all but independent (c^k < 1e-3), so that the test's own p-value holds.
    step = math.ceil(math.log(1e-3) / math.log(correlation))
    assert kstest(sample_s[::step], cdf).pvalue > 1e-6
    z = norm.ppf(np.clip(cdf(sample_s), 1e-12, 1 - 1e-12))
    # SD of a lag-1 autocorrelation of an AR(1) chain: √((1 - c²) / n) (Bartlett).
    sd = math.sqrt((1 - correlation**2) / count)
    assert np.corrcoef(z[:-1], z[1:])[0, 1] == pytest.approx(correlation, abs=DEVIATIONS * sd)


def test_rbpdv_is_a_truncated_normal():
    sample_s = delays_s(Rfc8868DelaySpec(0.05, reorder=True), 20_000)
    assert kstest(sample_s, truncnorm(-3, 3, 0.05, 0.005).cdf).pvalue > 1e-6
    assert 0.035 <= min(sample_s) <= max(sample_s) <= 0.065


def test_nr_bpdv_keeps_the_order_and_leaves_time_to_send():
    free = make_stage(Rfc8868DelaySpec(0.05, reorder=True), 1, UP)
    kept = make_stage(Rfc8868DelaySpec(0.05, rate_bytes_per_s=32_000.0), 1, UP)
    # 4 bytes and 28 of headers at 32 000 bytes/s: 1 ms.
    last_s = -math.inf
    for n in range(500):
        (one,), (other,) = free.apply(transit(n, n * 0.002)), kept.apply(transit(n, n * 0.002))
        last_s = max(one.due_s, last_s + 0.001)
        assert other.due_s == last_s
