"""Recovery curves, by a published example, by hand, and by simulation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simlab.study.quantiles import open_shares
from simlab.study.restricted import Waits
from simlab.study.survival import recovery_curve

# Weeks of remission under 6-mercaptopurine; those with a plus are censored. Freireich et al. (1963), Blood
# 21, 699-716, as lifelines has them from Kleinbaum's data sets: `load_leukemia`, group 0.
TEXT = "6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+"
WEEKS = TEXT.split()
WAITS = [float(week.rstrip("+")) for week in WEEKS]
ENDED = [not week.endswith("+") for week in WEEKS]
PUBLISHED = {6: 0.857, 7: 0.807, 10: 0.753, 13: 0.690, 16: 0.627, 22: 0.538, 23: 0.448}


def test_the_published_example():
    curve = recovery_curve(WAITS, ENDED)
    found = dict(zip(curve.at_s.tolist(), curve.open_share.round(3).tolist(), strict=True))
    assert found == PUBLISHED
    assert (curve.outages, curve.recovered, curve.longest_s) == (21, 9, 35.0)
    assert curve.quantile_s(0.5) == 23.0
    assert curve.quantile_s(0.95) == math.inf


def by_hand(waited_s, ended):
    """Multiply (n - d) / n at each time at which d of the n that are left are over."""
    share, steps = 1.0, {}
    for at_s in sorted({wait for wait, over in zip(waited_s, ended, strict=True) if over}):
        left = sum(wait >= at_s for wait in waited_s)
        over = sum(wait == at_s and done for wait, done in zip(waited_s, ended, strict=True))
        share *= (left - over) / left
        steps[at_s] = share
    return steps


@given(st.lists(st.tuples(st.integers(0, 20).map(float), st.booleans()), min_size=1, max_size=40))
def test_the_curve_is_the_product_of_what_is_left(outcomes):
    waited_s, ended = zip(*outcomes, strict=True)
    curve, steps = recovery_curve(waited_s, ended), by_hand(waited_s, ended)
    assert curve.at_s.tolist() == list(steps)
    assert curve.open_share == pytest.approx(list(steps.values()))
    # The short cut of the intervals is the same curve.
    waits = Waits.of(waited_s, ended, range(len(waited_s)))
    shares = open_shares(waits, np.ones((1, len(waited_s))), np.array(list(steps)))[0]
    assert shares == pytest.approx(list(steps.values()), abs=1e-12)


def test_without_censoring_it_is_the_empirical_distribution():
    curve = recovery_curve([3.0, 1.0, 2.0, 4.0], [True] * 4)
    assert curve.open_share.tolist() == [0.75, 0.5, 0.25, 0.0]
    assert [curve.quantile_s(share) for share in (0.25, 0.5, 0.95)] == [1.0, 2.0, 4.0]


def test_nothing_ever_recovers():
    curve = recovery_curve([5.0, 9.0], [False, False])
    assert (curve.recovered, curve.longest_s, curve.quantile_s(0.5)) == (0, 9.0, math.inf)


def test_of_no_outages_there_is_a_curve_without_steps():
    curve = recovery_curve([], [])
    assert (curve.outages, curve.recovered, curve.longest_s, curve.quantile_s(0.5)) == (0, 0, 0.0, math.inf)


def test_how_many_were_watched_for_so_long():
    curve = recovery_curve(WAITS, ENDED)
    wanted = {at_s: sum(wait >= at_s for wait in WAITS) for at_s in (0.0, 6.0, 6.5, 10.0, 35.0, 36.0)}
    assert {at_s: curve.at_risk(at_s) for at_s in wanted} == wanted
    assert wanted == {0.0: 21, 6.0: 21, 6.5: 17, 10.0: 15, 35.0: 1, 36.0: 0}


@pytest.mark.parametrize("waits", [[-1.0], [math.inf], [math.nan], [1.0, 2.0]])
def test_what_is_refused(waits):
    with pytest.raises(ValueError, match="want"):
        recovery_curve(waits, [True])


@pytest.mark.parametrize(("count", "at_s"), [(20, 5.0), (20, 15.0), (100, 5.0), (100, 25.0)])
def test_the_band_of_the_curve_covers(count, at_s):
    # Times exponential of mean 10 s, some censored. 600 studies have an SD of 0.9 % at 95 %: 92 % is 3.4 SD
    # below. A curve that has not stepped by then, or has reached 0, has no band, and is not counted.
    draws, covered, studies = np.random.default_rng(6), 0, 0
    for _ in range(600):
        times_s, limit_s = draws.exponential(10.0, count), draws.uniform(20.0, 60.0, count)
        curve = recovery_curve(np.minimum(times_s, limit_s), times_s <= limit_s)
        steps = np.searchsorted(curve.at_s, at_s, side="right")
        low, high = (curve.low[steps - 1], curve.high[steps - 1]) if steps else (math.nan, math.nan)
        if math.isfinite(low) and math.isfinite(high):
            studies += 1
            covered += low <= math.exp(-at_s / 10.0) <= high
    assert studies > 500
    assert covered / studies >= 0.92
