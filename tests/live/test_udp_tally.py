"""Times as counts: quantiles are those of the times, to the width of a bin."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simlab.live.udp.tally import BINS, BINS_PER_OCTAVE, Tally, counted

# Half of a bin's width, and what is lost by rounding to 0.1 us.
HALF_A_BIN = 2 ** (0.5 / BINS_PER_OCTAVE) - 1
times_s = st.lists(st.floats(2**-20, 400.0, width=32), min_size=1, max_size=200)


def within(found_s, wanted_s):
    return abs(found_s - wanted_s) <= wanted_s * (HALF_A_BIN + 1e-6) + 1e-7


@given(times_s, times_s)
def test_quantiles_are_those_of_the_times(delays_s, errors_s):
    tally = Tally()
    tally.take(*(counted(np.array(one, np.float32)) for one in (delays_s, errors_s)))
    for name, values_s in (("delay", delays_s), ("error", errors_s)):
        for rank in (50, 99):
            wanted_s = np.quantile(values_s, rank / 100, method="inverted_cdf")
            assert within(tally.latest[f"{name}_p{rank}_s"], wanted_s)


def test_all_errors_are_summed_up_and_the_latest_are_the_last_alone():
    tally = Tally()
    assert tally.latest == tally.all == {}
    for error_s, number in ((0.001, 60), (0.1, 40)):
        few = counted(np.full(number, error_s, np.float32))
        tally.take(few, few)
    assert within(tally.all["error_p50_s"], 0.001)
    assert within(tally.all["error_p99_s"], 0.1)
    assert within(tally.latest["error_p50_s"], 0.1)
    nothing = counted(np.array([], np.float32))
    tally.take(nothing, nothing)
    assert tally.latest == {}


def test_what_is_out_of_bounds_is_in_the_first_or_the_last_bin():
    counts = counted(np.array([-1.0, 0.0, 1e9], np.float32))
    assert (counts[0], counts[BINS - 1], counts.sum()) == (2, 1, 3)
