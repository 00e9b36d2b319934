import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest, norm, uniform

from simlab.core.impair import (
    ConstantDelaySpec,
    ConstantDelayStage,
    NormalDelaySpec,
    NormalDelayStage,
    UniformDelaySpec,
    UniformDelayStage,
)
from simlab.core.packet import Direction
from tests.core.passing import pass_through

UP = Direction.UP


def delays_s(stage, count, every_s=1.0):
    return [out[0].due_s - n * every_s for n, out in enumerate(pass_through(stage, count, every_s))]


def test_constant():
    out = pass_through(ConstantDelayStage(ConstantDelaySpec(0.25)), 3)
    assert [t.due_s for (t,) in out] == [0.25, 1.25, 2.25]


def test_golden_uniform():
    stage = UniformDelayStage(UniformDelaySpec(0.04, 0.01), 1, UP)
    golden = [0.040272, 0.043686, 0.036254, 0.031185, 0.035892, 0.03014]
    assert [round(d, 6) for d in delays_s(stage, 6)] == golden


def test_golden_normal():
    stage = NormalDelayStage(NormalDelaySpec(0.04, 0.01), 1, UP)
    golden = [0.041486, 0.045944, 0.022696, 0.028645, 0.030349, 0.040947]
    assert [round(d, 6) for d in delays_s(stage, 6)] == golden


# A Kolmogorov-Smirnov p-value of 1e-6, from fixed seeds: the test itself knows the sample's size.


def test_uniform_distribution():
    sample = delays_s(UniformDelayStage(UniformDelaySpec(0.04, 0.01, reorder=True), 2, UP), 20_000)
    assert kstest(sample, uniform(0.03, 0.02).cdf).pvalue > 1e-6


def test_normal_distribution():
    sample = delays_s(NormalDelayStage(NormalDelaySpec(0.04, 0.005, reorder=True), 2, UP), 20_000)
    assert kstest(sample, norm(0.04, 0.005).cdf).pvalue > 1e-6


def test_clipped_at_zero():
    count = 20_000
    sample = delays_s(NormalDelayStage(NormalDelaySpec(0.01, 0.01, reorder=True), 2, UP), count)
    at_zero = sum(d == 0 for d in sample) / count
    share = norm.cdf(-1)
    # 5 SD of a share among 20 000 independent packets.
    assert at_zero == pytest.approx(share, abs=5 * math.sqrt(share * (1 - share) / count))
    assert min(sample) == 0


def test_a_jitter_larger_than_the_delay_is_clipped():
    sample = delays_s(UniformDelayStage(UniformDelaySpec(0.01, 0.03, reorder=True), 2, UP), 1000)
    assert min(sample) == 0
    assert 0.0 < max(sample) < 0.04 + 1e-9


SPECS = st.one_of(
    st.builds(UniformDelaySpec, st.floats(0, 1), st.floats(0, 1), st.booleans()),
    st.builds(NormalDelaySpec, st.floats(0, 1), st.floats(0, 1), st.booleans()),
)


@given(SPECS, st.integers(0, 100))
def test_order_and_causality(spec, seed):
    make = UniformDelayStage if isinstance(spec, UniformDelaySpec) else NormalDelayStage
    out = [t.due_s for (t,) in pass_through(make(spec, seed, UP), 100, 0.01)]
    assert all(due_s >= 0.01 * n for n, due_s in enumerate(out))
    if not spec.reorder:
        assert out == sorted(out)


def test_reorder_lets_packets_overtake():
    free = UniformDelayStage(UniformDelaySpec(0.04, 0.03, reorder=True), 1, UP)
    kept = UniformDelayStage(UniformDelaySpec(0.04, 0.03), 1, UP)
    out = [t.due_s for (t,) in pass_through(free, 50, 0.01)]
    assert out != sorted(out)
    # Kept in order, a packet is due when the latest of those up to it would have been.
    assert [t.due_s for (t,) in pass_through(kept, 50, 0.01)] == [max(out[: n + 1]) for n in range(50)]
