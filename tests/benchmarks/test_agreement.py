import math

import pytest

from benchmarks.agreement import (
    CLOCKS,
    UNDITHERED,
    agree,
    compared,
    differ,
    findings,
    rounded,
    virtual_sample,
)
from benchmarks.opening import scenario, virtual_s

EARLY = [0.22] * 100
LATE = [1.22] * 100


def test_without_loss_a_channel_opens_after_five_and_a_half_round_trips():
    # ICE one, DTLS two, SCTP two, and DCEP's open and acknowledgement; the answer is handed over at once.
    assert virtual_s(scenario(0.0, 0.02, 1), dither=False) == pytest.approx(0.22, abs=1e-6)


def test_dither_delays_each_of_the_eleven_deliveries_by_up_to_a_millisecond():
    assert 0.22 < virtual_s(scenario(0.0, 0.02, 1)) < 0.231


def test_a_seed_gives_the_same_time_twice_and_another_one_another():
    first, again, other = (virtual_s(scenario(0.3, 0.02, seed)) for seed in (1, 1, 2))
    assert first == again != other


def test_a_channel_that_never_opens_takes_infinitely_long():
    assert virtual_s(scenario(1.0, 0.02, 1)) == math.inf


def test_times_are_rounded_down_to_what_computing_cannot_change():
    assert rounded([0.22, 0.25, 1.3, math.inf]).tolist() == pytest.approx([0.2, 0.2, 1.3, math.inf])


def test_samples_that_are_apart_differ_and_equal_ones_do_not():
    apart = compared(0.1, CLOCKS, EARLY, LATE)
    assert (apart.ks_d, apart.cliffs_delta, apart.within_half_s) == (1.0, -1.0, (1.0, 0.0))
    same = compared(0.1, CLOCKS, EARLY, EARLY)
    assert (same.ks_d, same.cliffs_delta, same.ks_p, same.rank_p) == (0.0, 0.0, 1.0, 1.0)
    assert differ([same, apart])
    assert not differ([same])


def test_the_clocks_agree_or_not_whatever_is_found_without_the_dither():
    same, apart = (compared(0.1, CLOCKS, EARLY, times_s) for times_s in (EARLY, LATE))
    unbiased, biased = (compared(0.1, UNDITHERED, EARLY, times_s) for times_s in (EARLY, LATE))
    assert [agree([same, unbiased]), agree([same, biased])] == [True, True]
    assert [agree([apart, unbiased]), agree([apart, biased])] == [False, False]


def test_what_was_found_is_said_plainly():
    rows = [compared(0.1, what, EARLY, EARLY) for what in (CLOCKS, UNDITHERED)]
    assert findings(rows) == (
        "The clocks agree: no difference at the 1% level.",
        "Without the dither no bias was found at the 1% level, though one was expected: docs/agreement.md.",
    )
    rows = [compared(0.1, what, EARLY, LATE) for what in (CLOCKS, UNDITHERED)]
    assert findings(rows) == (
        "The clocks differ at the 1% level.",
        "Without the dither there is a bias at the 1% level.",
    )


def test_every_seed_is_a_session():
    assert len(virtual_sample(0.1, range(3))) == 3
