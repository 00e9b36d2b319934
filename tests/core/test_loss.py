import math
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from simlab.core.impair import BernoulliSpec, BernoulliStage, GilbertElliottSpec, GilbertElliottStage
from simlab.core.packet import Direction
from tests.core.passing import lost_by, transit

UP, DOWN = Direction.UP, Direction.DOWN

# Statistical tests run from fixed seeds and allow 5 standard deviations, or a p-value of 1e-6: were the seeds
# fresh, one such test in a million would fail by chance.
DEVIATIONS = 5


def chain_sd(spec: GilbertElliottSpec, count: int) -> float:
    """SD of the loss among ``count`` packets of a two-state chain: not the one of independent loss.

    Var = [L(1 - L) + 2 D² g b λ / (1 - λ)] / n, where g and b are the shares of the states, λ = 1 - p - r,
    and D is the difference between what the states lose.
    """
    loss, bad = spec.loss_chance, spec.bad_fraction
    memory = 1 - spec.enter_bad_chance - spec.leave_bad_chance
    difference = spec.pass_chance_good - spec.pass_chance_bad
    burst_part = 2 * difference**2 * bad * (1 - bad) * memory / (1 - memory)
    return math.sqrt((loss * (1 - loss) + burst_part) / count)


def bursts(lost: list[int]) -> list[int]:
    """Return the lengths of runs of consecutive losses."""
    return [len(list(run)) for _, run in groupby(enumerate(lost), lambda pair: pair[1] - pair[0])]


def test_golden_bernoulli():
    spec = BernoulliSpec(0.2)
    assert lost_by(BernoulliStage(spec, 1, UP), 40) == [1, 11, 12, 15, 18, 19, 20, 28, 29, 34, 38, 39]
    assert lost_by(BernoulliStage(spec, 1, DOWN), 40) == [1, 2, 5, 6, 16, 17, 19, 32, 37, 38, 39]


def test_golden_gilbert():
    stage = GilbertElliottStage(GilbertElliottSpec.of_bursts(0.2, 4), 1, UP)
    assert lost_by(stage, 60) == [5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 19, 20, 21, 49, 54, 55, 56]


@pytest.mark.parametrize(("chance", "lost"), [(0.0, []), (1.0, list(range(50)))])
def test_certain_bernoulli(chance, lost):
    assert lost_by(BernoulliStage(BernoulliSpec(chance), 3, UP), 50) == lost


@pytest.mark.parametrize("loss", [0.003, 0.1, 0.3])
def test_bernoulli_loss(loss):
    count = 100_000
    measured = len(lost_by(BernoulliStage(BernoulliSpec(loss), 7, UP), count)) / count
    sd = math.sqrt(loss * (1 - loss) / count)
    assert measured == pytest.approx(loss, abs=DEVIATIONS * sd)


@pytest.mark.parametrize(
    "spec",
    [
        GilbertElliottSpec(0.01, 0.25),
        GilbertElliottSpec(0.02, 0.2, pass_chance_bad=0.2),
        GilbertElliottSpec(0.05, 0.5, pass_chance_bad=0.5, pass_chance_good=0.99),
        GilbertElliottSpec.of_bursts(0.05, 8),
    ],
    ids=["gilbert", "h", "h-and-k", "bursts"],
)
def test_gilbert_elliott_loss(spec):
    count = 100_000
    measured = len(lost_by(GilbertElliottStage(spec, 11, UP), count)) / count
    assert measured == pytest.approx(spec.loss_chance, abs=DEVIATIONS * chain_sd(spec, count))


def test_burst_lengths_are_geometric():
    leave = 0.25
    lengths = bursts(lost_by(GilbertElliottStage(GilbertElliottSpec(0.01, leave), 5, UP), 400_000))
    # P(length = m) = r (1 - r)^(m - 1); the last class is "longer than 12", with 3 % of some 3800 bursts.
    expected = [leave * (1 - leave) ** (m - 1) for m in range(1, 13)]
    expected.append(1 - sum(expected))
    counts = [sum(length == m for length in lengths) for m in range(1, 13)]
    counts.append(len(lengths) - sum(counts))
    assert chisquare(counts, [share * len(lengths) for share in expected]).pvalue > 1e-6
    sd = math.sqrt((1 - leave) / leave**2 / len(lengths))
    assert sum(lengths) / len(lengths) == pytest.approx(1 / leave, abs=DEVIATIONS * sd)


@given(st.floats(0, 0.99), st.floats(1, 1000))
def test_inverse_design(loss, burst):
    if burst < loss / (1 - loss):
        with pytest.raises(ValueError, match="want a mean burst of"):
            GilbertElliottSpec.of_bursts(loss, burst)
        return
    spec = GilbertElliottSpec.of_bursts(loss, burst)
    assert spec.loss_chance == pytest.approx(loss)
    assert 1 / spec.leave_bad_chance == pytest.approx(burst)
    assert 0 <= spec.enter_bad_chance <= 1


@pytest.mark.parametrize(
    ("loss", "burst"), [(1.0, 4), (-0.1, 4), (0.1, 0.5), (math.nan, 4), (0.1, math.nan), (0.6, 1.4)]
)
def test_impossible_bursts(loss, burst):
    with pytest.raises(ValueError, match=r"^want a "):
        GilbertElliottSpec.of_bursts(loss, burst)


def test_a_chain_that_never_moves_loses_nothing():
    spec = GilbertElliottSpec(0.0, 0.0)
    assert spec.loss_chance == 0.0
    assert lost_by(GilbertElliottStage(spec, 1, UP), 100) == []


def test_the_chain_moves_for_packets_that_never_came():
    spec = GilbertElliottSpec.of_bursts(0.2, 4)
    every = lost_by(GilbertElliottStage(spec, 1, UP), 300)
    stage = GilbertElliottStage(spec, 1, UP)
    some = [seq for seq in range(0, 300, 3) if not stage.apply(transit(seq))]
    assert some == [seq for seq in every if seq % 3 == 0]


def test_a_copy_meets_the_state_of_its_packet_and_shifts_nothing():
    spec = GilbertElliottSpec(0.1, 0.3)
    alone = lost_by(GilbertElliottStage(spec, 1, UP), 200)
    stage = GilbertElliottStage(spec, 1, UP)
    pairs = [(bool(stage.apply(transit(seq))), bool(stage.apply(transit(seq)))) for seq in range(200)]
    assert [seq for seq, (packet, _) in enumerate(pairs) if not packet] == alone
    assert [seq for seq, (_, copy) in enumerate(pairs) if not copy] == alone


def test_a_negative_seed_is_refused():
    with pytest.raises(ValueError, match="non-negative"):
        BernoulliStage(BernoulliSpec(0.1), -1, UP)
