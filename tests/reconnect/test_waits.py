"""The waits of the policies: their bounds, and how chance spreads them."""

import dataclasses
from itertools import count, repeat

import numpy as np
import pytest
from scipy import stats

from simlab.core.rng import stream, uniforms
from simlab.reconnect.policy import POLICIES
from simlab.reconnect.terms import JITTERS, Policy
from simlab.reconnect.waits import Waits

BASE = Policy("here", "here", retry_delay_s=2.0, factor=3.0, longest_delay_s=50.0)
N = 4000
# A Kolmogorov-Smirnov distance of n uniform draws exceeds 1.95 / sqrt(n) once in a thousand seeds
# (Kolmogorov's distribution); the seed is fixed, so this is about one look.
FARTHEST = 1.95 / N**0.5


def drawn(policy, attempts, failures, n=N):
    draws = uniforms(stream(7, "policy"))
    waits = Waits(policy, draws)
    return np.array([waits.wait_s(attempts, failures) for _ in range(n)])


# The n-th wait v is 2, 6, 18, 50 s; what chance makes of the third: from where to where it is spread evenly.
SPREADS = {
    "none": (18.0, 18.0),
    "share": (18.0 * 0.75, 18.0 * 1.25),
    "full": (0.0, 18.0),
    "equal": (9.0, 18.0),
    "livekit": (9.0, 27.0),
    "jitsi": (3.0, 18.0),
}


@pytest.mark.parametrize("jitter", SPREADS)
def test_a_wait_is_spread_evenly_between_its_bounds(jitter):
    low, high = SPREADS[jitter]
    waits = drawn(dataclasses.replace(BASE, jitter=jitter, jitter_share=0.25), 3, 3)
    assert low <= waits.min()
    assert waits.max() <= high
    if low < high:
        assert stats.kstest((waits - low) / (high - low), "uniform").statistic < FARTHEST


def test_a_decorrelated_wait_is_between_the_base_and_three_times_the_last():
    policy = dataclasses.replace(BASE, jitter="decorrelated", retry_delay_s=1.0, longest_delay_s=20.0)
    waits = drawn(policy, 1, 1)
    before = np.concatenate([[1.0], waits[:-1]])
    assert (waits >= 1.0).all()
    assert (waits <= np.minimum(20.0, 3 * before)).all()
    free = 3 * before <= 20.0  # where the cap does not cut it off
    share = (waits[free] - 1.0) / (3 * before[free] - 1.0)
    assert stats.kstest(share, "uniform").statistic < 1.95 / free.sum() ** 0.5


def test_a_row_that_is_over_starts_decorrelated_waits_again():
    waits = Waits(dataclasses.replace(BASE, jitter="decorrelated", retry_delay_s=1.0), repeat(0.999999))
    assert [round(waits.wait_s(1, 1), 3) for _ in range(3)] == [3.0, 9.0, 27.0]
    waits.begin()
    assert round(waits.wait_s(1, 1), 3) == 3.0


def test_what_is_drawn_once_differs_between_sessions_alone():
    policy = dataclasses.replace(BASE, jitter="once", jitter_share=0.5, factor=1.0)
    assert len(set(drawn(policy, 1, 1))) == 1
    firsts = [Waits(policy, uniforms(stream(seed, "policy"))).wait_s(1, 1) for seed in range(N)]
    assert stats.kstest((np.array(firsts) - 1.0) / 2.0, "uniform").statistic < FARTHEST


@pytest.mark.parametrize("jitter", JITTERS)
def test_every_wait_takes_one_draw(jitter):
    # So two policies in one session are drawn the same luck, wait by wait.
    taken = count()
    waits = Waits(dataclasses.replace(BASE, jitter=jitter), (next(taken) * 0 + 0.5 for _ in count()))
    before = next(taken)
    for _ in range(5):
        waits.wait_s(1, 0)
        waits.wait_s(1, 1)
    assert next(taken) - before - 1 == 10


def test_a_power_beyond_a_float_is_the_longest_delay():
    policy = dataclasses.replace(BASE, factor=100.0)
    assert Waits(policy, repeat(0.5)).wait_s(10**6, 10**6) == 50.0
    endless = dataclasses.replace(BASE, factor=1.0, longest_delay_s=float("inf"))
    assert Waits(endless, repeat(0.5)).wait_s(10**6, 10**6) == 2.0


def test_a_list_of_delays_repeats_its_last():
    waits = Waits(dataclasses.replace(BASE, delays_s=(0.0, 1.0, 4.0)), repeat(0.5))
    assert [waits.wait_s(n, n) for n in range(5)] == [0.0, 1.0, 4.0, 4.0, 4.0]


def test_without_a_failure_there_is_no_wait_unless_the_policy_waits_first():
    assert [Waits(BASE, repeat(0.5)).wait_s(5, failures) for failures in (0, 1, 2)] == [0.0, 2.0, 6.0]
    first = dataclasses.replace(BASE, wait_first=True)
    assert [Waits(first, repeat(0.5)).wait_s(attempts, 0) for attempts in (0, 1, 2)] == [2.0, 6.0, 18.0]


def test_the_number_of_an_attempt_from_a_list_counts_from_1():
    # Half of the base for each, so of 4 s from 1, 2 and 3 s on.
    listed = dataclasses.replace(BASE, delays_s=(4.0,), jitter="jitsi")
    assert [Waits(listed, repeat(0.0)).wait_s(attempts, 9) for attempts in (0, 1, 2)] == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("name", "number", "low", "high"),
    [
        ("livekit", 1, 0.0, 0.5),
        ("livekit", 2, 0.15, 0.45),
        ("livekit", 10, 3.5, 10.5),
        ("jitsi", 1, 1.5, 3.0),
        ("jitsi", 2, 3.0, 9.0),
        ("jitsi", 3, 4.5, 27.0),
        ("jitsi", 4, 6.0, 81.0),
        ("aws-full-jitter", 5, 0.0, 16.0),
        ("aws-full-jitter", 9, 0.0, 20.0),
        ("aws-equal-jitter", 9, 10.0, 20.0),
        ("twilio", 1, 0.0, 0.16),
        ("reconnecting-websocket", 1, 1.0, 5.0),
        ("reconnecting-websocket", 30, 10.0, 10.0),
        ("mediasoup-demo", 4, 8.0, 8.0),
        ("pipecat", 3, 2.0, 2.0),
    ],
)
def test_the_bounds_of_the_policies_are_those_of_their_sources(name, number, low, high):
    policy = POLICIES[name]
    attempts = number - 1 if policy.delays_s or policy.wait_first else number
    bounds = [Waits(policy, repeat(draw)).wait_s(attempts, number) for draw in (0.0, 1.0)]
    assert bounds == pytest.approx([low, high])
