"""Loss in continuous time: the state's path, and what flows of different rates make of it."""

import math
from itertools import pairwise

import pytest
from scipy.stats import kstest

from simlab.core.impair import TimedGilbertElliottSpec, TimedGilbertElliottStage
from simlab.core.packet import Direction
from tests.core.passing import pass_through, transit
from tests.core.test_loss import DEVIATIONS

UP = Direction.UP
SPEC = TimedGilbertElliottSpec(20.0, 1.5)
GOLDEN_S = [13.086, 20.764, 22.495, 23.034, 24.767, 24.943, 47.684, 49.777, 70.659, 71.199]


def lost_at_s(spec, every_s, count, seed=1):
    out = pass_through(TimedGilbertElliottStage(spec, seed, UP), count, every_s)
    return [n * every_s for n, kept in enumerate(out) if not kept]


def path_s(spec, until_s, seed):
    """Return when the state changes, as read from outside: by a packet each millisecond."""
    stage, times_s, bad = TimedGilbertElliottStage(spec, seed, UP), [], None
    for n in range(round(until_s * 1000)):
        stage.apply(transit(n, n / 1000))
        if bad is not None and stage.bad != bad:
            times_s.append(n / 1000)
        bad = stage.bad
    return times_s


def test_golden():
    assert path_s(SPEC, 100.0, 1) == [
        13.086,
        20.764,
        22.495,
        23.034,
        24.767,
        24.943,
        47.684,
        49.777,
        70.659,
        71.199,
    ]


def test_a_slow_and_a_fast_flow_meet_the_same_weather():
    fast = lost_at_s(SPEC, 0.002, 150_000)
    slow = lost_at_s(SPEC, 0.5, 600)
    assert slow
    assert slow == [at_s for at_s in fast if round(at_s * 1000) % 500 == 0]


def test_the_long_run():
    # Packets 0.1 s apart: e^(-(a + b) t) between neighbours, the formula of a two-state chain.
    spec, every_s, count = TimedGilbertElliottSpec(2.0, 0.5, 0.9, 0.05), 0.1, 200_000
    memory = math.exp(-(1 / spec.good_s + 1 / spec.bad_s) * every_s)
    bad, loss = spec.bad_fraction, spec.loss_chance
    difference = spec.loss_chance_bad - spec.loss_chance_good
    burst_part = 2 * difference**2 * bad * (1 - bad) * memory / (1 - memory)
    sd = math.sqrt((loss * (1 - loss) + burst_part) / count)
    assert len(lost_at_s(spec, every_s, count, 3)) / count == pytest.approx(loss, abs=DEVIATIONS * sd)


def test_moves_between_packets_by_the_closed_form():
    # P(bad | good, Δt) = a / (a + b) (1 - e^(-(a + b) Δt)): by counting, where everything bad is lost.
    spec, every_s, count = TimedGilbertElliottSpec(2.0, 0.5), 0.3, 100_000
    out = [bool(kept) for kept in pass_through(TimedGilbertElliottStage(spec, 5, UP), count, every_s)]
    good = [later for sooner, later in pairwise(out) if sooner]
    chance = spec.bad_fraction * (1 - math.exp(-(1 / spec.good_s + 1 / spec.bad_s) * every_s))
    # Given the state before, the moves are independent.
    sd = math.sqrt(chance * (1 - chance) / len(good))
    assert good.count(False) / len(good) == pytest.approx(chance, abs=DEVIATIONS * sd)


def test_times_are_exponential():
    stage = TimedGilbertElliottStage(TimedGilbertElliottSpec(2.0, 0.5), 5, UP)
    lasts_s = {True: [], False: []}
    at_s, seq = 0.0, 0
    while seq < 4000:
        stage.apply(transit(seq, at_s))
        lasts_s[stage.bad].append(stage.changes_s - at_s)
        at_s, seq = stage.changes_s, seq + 1
    # The first starts in the middle of nothing: with the exponential, that makes no difference.
    assert kstest(lasts_s[False], "expon", args=(0, 2.0)).pvalue > 1e-6
    assert kstest(lasts_s[True], "expon", args=(0, 0.5)).pvalue > 1e-6


def test_the_first_state_has_its_share():
    spec, count = TimedGilbertElliottSpec(3.0, 1.0), 2000
    bad = sum(not TimedGilbertElliottStage(spec, seed, UP).apply(transit(0)) for seed in range(count))
    sd = math.sqrt(0.25 * 0.75 / count)
    assert bad / count == pytest.approx(0.25, abs=DEVIATIONS * sd)
