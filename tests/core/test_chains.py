"""Loss by chains: exact sequences, and the loss that the formulae say, with the variance of a chain."""

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from simlab.core.impair import (
    CorrelatedLossSpec,
    CorrelatedLossStage,
    FourStateSpec,
    FourStateStage,
    LibwebrtcLossSpec,
    LibwebrtcLossStage,
    NetemLossSpec,
    NetemLossStage,
    ScriptedLossSpec,
    ScriptedLossStage,
)
from simlab.core.packet import Direction
from tests.core.passing import lost_by, transit
from tests.core.test_loss import DEVIATIONS, bursts

UP = Direction.UP


def chain_sd(moves, loses, count):
    """SD of the loss among ``count`` packets of a Markov chain, by its covariances at every lag.

    Parameters
    ----------
    moves : array_like, shape (k, k)
        Chances of the moves, a row for each state.
    loses : array_like of bool, shape (k,)
        Which states lose.
    """
    moves, loses = np.array(moves), np.array(loses, dtype=float)
    size = len(loses)
    equations = np.vstack([moves.T - np.eye(size), np.ones(size)])
    shares = np.linalg.lstsq(equations, np.r_[np.zeros(size), 1.0], rcond=None)[0]
    loss = shares @ loses
    # The fundamental matrix sums the chain's powers: Kemeny and Snell (1960), section 4.6.
    fundamental = np.linalg.inv(np.eye(size) - moves + np.outer(np.ones(size), shares))
    centred = loses - loss
    variance = 2 * (shares * centred) @ fundamental @ centred - shares @ centred**2
    return loss, math.sqrt(variance / count)


def four_states(spec):
    return (
        [
            [1 - spec.p13 - spec.p14, 0, spec.p13, spec.p14],
            [0, 1 - spec.p23, spec.p23, 0],
            [spec.p31, spec.p32, 1 - spec.p31 - spec.p32, 0],
            [1, 0, 0, 0],
        ],
        [False, False, True, True],
    )


GOLDEN = {
    "four-state": [4, 11, 12, 19, 27, 36, 37, 38, 39],
    "correlated": [39, 40, 41, 46, 57],
    "netem": [8, 9, 13, 14, 22],
    "libwebrtc": [*range(28), *range(41, 50), 52],
}


def test_golden_four_states():
    spec = FourStateSpec(0.1, 0.3, 0.2, 0.4, 0.05)
    assert lost_by(FourStateStage(spec, 1, UP), 40) == GOLDEN["four-state"]


def test_golden_correlated():
    assert lost_by(CorrelatedLossStage(CorrelatedLossSpec(0.2, 0.7), 1, UP), 60) == GOLDEN["correlated"]


def test_golden_netem():
    assert lost_by(NetemLossStage(NetemLossSpec(0.3, 0.25), 1, UP), 60) == GOLDEN["netem"]


def test_golden_libwebrtc():
    assert lost_by(LibwebrtcLossStage(LibwebrtcLossSpec(0.2, 4), 1, UP), 60) == GOLDEN["libwebrtc"]


FOUR = [
    FourStateSpec(0.02, 0.3, 0.2, 0.4, 0.005),
    FourStateSpec(0.1, 0.5, 0.0, 1.0, 0.0),
    FourStateSpec(0.05, 0.1, 0.6, 0.3, 0.1),
]


@pytest.mark.parametrize("spec", FOUR)
def test_loss_by_four_states(spec):
    count = 200_000
    loss, sd = chain_sd(*four_states(spec), count)
    assert spec.loss_chance == pytest.approx(loss)  # the closed form, and the chain's own equations
    measured = len(lost_by(FourStateStage(spec, 3, UP), count)) / count
    assert measured == pytest.approx(loss, abs=DEVIATIONS * sd)


def test_four_states_as_published():
    shares = FOUR[0].state_shares
    assert shares == pytest.approx((0.905, 0.0302, 0.0603, 0.0045), abs=5e-5)
    assert FOUR[0].loss_chance == pytest.approx(0.06486, abs=5e-6)


@pytest.mark.parametrize(
    ("spec", "shares"),
    [
        (FourStateSpec(0.0, 0.3), (1.0, 0.0, 0.0, 0.0)),
        (FourStateSpec(0.1, 0.0), (0.0, 0.0, 1.0, 0.0)),
        (FourStateSpec(0.1, 0.0, 0.2, 0.6), (0.0, 0.25, 0.75, 0.0)),
        (FourStateSpec(0.1, 0.3, 0.2, 0.0), (0.0, 1.0, 0.0, 0.0)),
    ],
)
def test_four_states_that_are_never_left(spec, shares):
    assert spec.state_shares == pytest.approx(shares)


def copula_sd(loss, correlation, count):
    """SD of correlated loss: the covariance at lag k is Φ2(z, z; c^k) - L²."""
    below = norm.ppf(loss)
    covariances, lag = 0.0, 1
    while (rho := correlation**lag) > 1e-4:
        joint = multivariate_normal(cov=[[1, rho], [rho, 1]]).cdf([below, below])
        covariances += joint - loss**2
        lag += 1
    return math.sqrt((loss * (1 - loss) + 2 * covariances) / count)


@pytest.mark.parametrize(("loss", "correlation"), [(0.003, 0.25), (0.05, 0.5), (0.2, 0.9), (0.3, 0.0)])
def test_the_copula_loses_exactly_what_is_asked_for(loss, correlation):
    count = 200_000
    measured = len(lost_by(CorrelatedLossStage(CorrelatedLossSpec(loss, correlation), 5, UP), count)) / count
    assert measured == pytest.approx(loss, abs=DEVIATIONS * copula_sd(loss, correlation, count))


def test_correlated_losses_come_in_bursts():
    count, loss, correlation = 200_000, 0.1, 0.8
    lost = lost_by(CorrelatedLossStage(CorrelatedLossSpec(loss, correlation), 5, UP), count)
    below = norm.ppf(loss)
    joint = multivariate_normal(cov=[[1, correlation], [correlation, 1]]).cdf([below, below])
    after_loss = sum(b - a == 1 for a, b in pairwise(lost)) / len(lost)
    # P(lost | lost before), here 0.47. Pairs overlap: 3 is a generous bound for how much that widens it.
    sd = 3 * math.sqrt(joint / loss * (1 - joint / loss) / len(lost))
    assert after_loss == pytest.approx(joint / loss, abs=DEVIATIONS * sd)


@pytest.mark.parametrize(("loss", "lost"), [(0.0, []), (1.0, list(range(50)))])
def test_certain_copula(loss, lost):
    assert lost_by(CorrelatedLossStage(CorrelatedLossSpec(loss, 0.5), 5, UP), 50) == lost


# What 400 000 packets lost through a re-implementation of the kernel's arithmetic, and its rounding there.
NETEM = [
    (0.003, 0.25, 0.0, 1e-9),
    (0.01, 0.25, 3e-6, 5e-7),
    (0.05, 0.25, 0.00186, 5e-6),
    (0.10, 0.25, 0.0171, 5e-5),
    (0.20, 0.25, 0.102, 5e-4),
    (0.30, 0.25, 0.233, 5e-4),
    (0.10, 0.50, 0.0011, 5e-5),
    (0.20, 0.50, 0.0291, 5e-5),
    (0.30, 0.50, 0.129, 5e-4),
    (0.30, 0.75, 0.0317, 5e-5),
    (0.50, 0.75, 0.5, 5e-3),
    (0.30, 0.90, 0.0008, 5e-5),
]


@pytest.mark.parametrize(("asked", "correlation", "lost", "rounding"), NETEM)
def test_netem_loses_what_netem_loses(asked, correlation, lost, rounding):
    count = 100_000
    measured = len(lost_by(NetemLossStage(NetemLossSpec(asked, correlation), 7, UP), count)) / count
    # An AR(1) chain has at most (1 + c) / (1 - c) times the variance of independent packets; the published
    # figure has a quarter of that. And no fewer than a handful can be lost where next to none are expected.
    widened = (1 + correlation) / (1 - correlation) * 1.25
    sd = math.sqrt(max(lost, 1e-5) * (1 - lost) * widened / count)
    assert measured == pytest.approx(lost, abs=DEVIATIONS * sd + rounding)


@pytest.mark.parametrize("loss", [0.003, 0.3])
def test_netem_without_correlation_is_independent_loss(loss):
    count = 100_000
    measured = len(lost_by(NetemLossStage(NetemLossSpec(loss), 7, UP), count)) / count
    assert measured == pytest.approx(loss, abs=DEVIATIONS * math.sqrt(loss * (1 - loss) / count))


def test_netems_bursts_at_half():
    # At 50 % the published mean bursts are 3.99 (c = 0.75) and 6.45 (c = 0.9), to 1 % or so.
    for correlation, burst in ((0.75, 3.99), (0.9, 6.45)):
        lengths = bursts(lost_by(NetemLossStage(NetemLossSpec(0.5, correlation), 7, UP), 200_000))
        # Lengths of bursts spread about as widely as they are long.
        sd = 1.5 * burst / math.sqrt(len(lengths))
        assert sum(lengths) / len(lengths) == pytest.approx(burst, abs=DEVIATIONS * sd)


def test_libwebrtcs_loss_and_bursts():
    count, loss, burst = 200_000, 0.05, 4
    lost = lost_by(LibwebrtcLossStage(LibwebrtcLossSpec(loss, burst), 7, UP), count)
    start, stay = loss / (1 - loss) / burst, 1 - 1 / burst
    exact, sd = chain_sd([[1 - start, start], [1 - stay, stay]], [False, True], count)
    assert exact == pytest.approx(loss)
    assert len(lost) / count == pytest.approx(loss, abs=DEVIATIONS * sd)
    lengths = bursts(lost)
    sd = math.sqrt(stay * burst**2 / len(lengths))  # geometric
    assert sum(lengths) / len(lengths) == pytest.approx(burst, abs=DEVIATIONS * sd)


@pytest.mark.parametrize(("loss", "burst"), [(0.5, 1), (0.6, 2), (0.01, 1), (1.0, 9), (-0.1, 9)])
def test_what_libwebrtc_refuses(loss, burst):
    with pytest.raises(ValueError, match=r"^want a "):
        LibwebrtcLossSpec(loss, burst)


def test_scripted():
    assert lost_by(ScriptedLossStage(ScriptedLossSpec(frozenset({1, 3, 7})), 1, UP), 10) == [0, 2, 6]
    assert lost_by(ScriptedLossStage(ScriptedLossSpec(pattern="..x."), 1, UP), 12) == [2, 6, 10]
    assert lost_by(ScriptedLossStage(ScriptedLossSpec(), 1, UP), 12) == []


STAGES = {
    "four-state": lambda: FourStateStage(FourStateSpec(0.1, 0.3, 0.2, 0.4, 0.05), 1, UP),
    "correlated": lambda: CorrelatedLossStage(CorrelatedLossSpec(0.2, 0.7), 1, UP),
    "netem": lambda: NetemLossStage(NetemLossSpec(0.3, 0.25), 1, UP),
    "libwebrtc": lambda: LibwebrtcLossStage(LibwebrtcLossSpec(0.2, 4), 1, UP),
}


@pytest.mark.parametrize("make", STAGES.values(), ids=STAGES)
def test_chains_move_for_packets_that_never_came_and_not_for_copies(make):
    every = lost_by(make(), 300)
    stage = make()
    thirds = [[bool(stage.apply(transit(seq))) for _ in range(2)] for seq in range(0, 300, 3)]
    assert [[n * 3 in every] * 2 for n in range(100)] == [[not passed for passed in pair] for pair in thirds]
