"""What compares outages: published examples, lifelines, second methods, and coverage by simulation."""

import math

import numpy as np
import pytest
from lifelines import AalenJohansenFitter, KaplanMeierFitter
from lifelines.datasets import load_leukemia
from lifelines.statistics import logrank_test
from lifelines.utils import restricted_mean_survival_time
from scipy import stats

from simlab.study.incidence import incidences, outage_incidences
from simlab.study.logrank import logrank, residuals
from simlab.study.quantiles import quantile_interval_s
from simlab.study.restricted import Waits, mean_difference, restricted_means_s

# Weeks of remission, 6-mercaptopurine against placebo: Freireich et al. (1963), Blood 21, 699-716, as
# lifelines has them from Kleinbaum's data sets.
MERCAPTOPURINE = "6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+"
PLACEBO = "1 1 2 2 3 4 4 5 5 8 8 8 8 11 11 12 12 15 17 22 23"


def waits_of(texts, first_unit=0):
    each = texts.split()
    weeks = [float(text.rstrip("+")) for text in each]
    return Waits.of(weeks, [not text.endswith("+") for text in each], first_unit + np.arange(len(each)))


DRUG, NOTHING = waits_of(MERCAPTOPURINE), waits_of(PLACEBO, 21)


def test_the_remissions_are_those_of_lifelines():
    known = load_leukemia()
    for group, waits in enumerate((DRUG, NOTHING)):
        theirs = sorted(known[known.Rx == group][["t", "status"]].itertuples(index=False, name=None))
        assert sorted(zip(waits.waited_s, waits.recovered, strict=True)) == theirs


def test_observed_less_expected_of_the_remissions():
    # By hand: of those left in both groups at each time, so many under the drug; 9 events, 19.25 expected.
    known = load_leukemia()
    ends = known[known.status == 1].t
    expected = sum(
        (known[known.Rx == 0].t >= week).sum() / (known.t >= week).sum() * (ends == week).sum()
        for week in ends.unique()
    )
    assert expected == pytest.approx(19.25, abs=0.005)
    more, p = logrank(DRUG, NOTHING)
    assert more == pytest.approx(9 - expected)
    scipys = stats.logrank(
        stats.CensoredData(DRUG.waited_s[DRUG.recovered], right=DRUG.waited_s[~DRUG.recovered]),
        stats.CensoredData(NOTHING.waited_s),
    )
    both = [(w.waited_s, w.recovered) for w in (DRUG, NOTHING)]
    lifelines = logrank_test(*(waited for waited, _ in both), *(over for _, over in both))
    assert scipys.statistic**2 == pytest.approx(lifelines.test_statistic)
    # The robust variance is another one, of the same size.
    assert p == pytest.approx(scipys.pvalue, rel=1.0, abs=1e-4)
    assert residuals(DRUG, NOTHING).sum() == pytest.approx(more)


def test_taking_each_session_twice_tells_no_more():
    doubled = [
        Waits.of(*(np.tile(part, 2) for part in (w.waited_s, w.recovered, w.units))) for w in (DRUG, NOTHING)
    ]
    assert logrank(*doubled)[1] == pytest.approx(logrank(DRUG, NOTHING)[1], rel=0.2)


def many(draws, seeds, scale_s, shared):
    """Two outages a seed, alike within it, watched for 30 to 60 s."""
    waited_s = scale_s * np.repeat(shared, 2) * draws.gamma(4.0, 0.25, 2 * seeds)
    limit_s = draws.uniform(30.0, 60.0, 2 * seeds)
    return Waits.of(np.minimum(waited_s, limit_s), waited_s <= limit_s, np.repeat(np.arange(seeds), 2))


@pytest.mark.parametrize("seeds", [10, 40])
def test_no_more_false_alarms_than_said(seeds):
    # 800 studies have an SD of 0.8 % at 5 %: 7.5 % is 3.2 SD above.
    draws, alarms = np.random.default_rng(1), np.zeros(2)
    for _ in range(800):
        shared = draws.lognormal(0.0, 0.6, seeds)
        one, other = (many(draws, seeds, 5.0, shared) for _ in range(2))
        found = logrank(one, other)[1], mean_difference(one, other, (seeds, seeds), paired=True).p
        alarms += np.array(found) <= 0.05
    assert (alarms / 800 <= 0.075).all()


def test_the_log_rank_test_agrees_with_exchanging_the_sides_of_seeds():
    # 4000 exchanges have an SD of at most 0.8 % at any p, and both are approximations: 3 % apart at most.
    draws = np.random.default_rng(9)
    shared = draws.lognormal(0.0, 0.6, 40)
    one, other = many(draws, 40, 5.0, shared), many(draws, 40, 5.6, shared)
    sums = np.bincount(np.concatenate([one.units, other.units]), weights=residuals(one, other))
    signs = draws.choice([-1.0, 1.0], (4000, 40))
    exchanged = np.mean(np.abs(signs @ sums) >= abs(sums.sum()))
    assert logrank(one, other)[1] == pytest.approx(exchanged, abs=0.03)


@pytest.mark.parametrize("until_s", [10.0, 23.0, 35.0])
def test_the_restricted_mean_is_lifelines(until_s):
    curve = KaplanMeierFitter().fit(DRUG.waited_s, DRUG.recovered)
    expected = restricted_mean_survival_time(curve, t=until_s)
    assert restricted_means_s(DRUG, np.ones((1, 21)), until_s)[0] == pytest.approx(expected)


def test_weights_are_repetitions():
    weights = np.random.default_rng(2).multinomial(21, np.full(21, 1 / 21), 5)
    for row in weights:
        taken = np.repeat(np.arange(21), row)
        again = Waits.of(DRUG.waited_s[taken], DRUG.recovered[taken], np.arange(21))
        expected = restricted_means_s(again, np.ones((1, 21)), 20.0)
        assert restricted_means_s(DRUG, row[None].astype(float), 20.0) == pytest.approx(expected)


@pytest.mark.parametrize("seeds", [10, 30])
def test_the_interval_of_a_difference_of_means_covers(seeds):
    # 400 studies have an SD of 1.1 % at 95 %: 91.5 % is 3.2 SD below. Both sides are alike: the truth is 0.
    draws, covered = np.random.default_rng(3), 0
    for _ in range(400):
        shared = draws.lognormal(0.0, 0.4, seeds)
        one, other = (many(draws, seeds, 5.0, shared) for _ in range(2))
        low_s, high_s = mean_difference(one, other, (seeds, seeds), paired=True).interval_s
        covered += low_s <= 0.0 <= high_s
    assert covered / 400 >= 0.915


def test_the_jackknife_agrees_with_the_bootstrap_of_seeds():
    draws = np.random.default_rng(4)
    shared = draws.lognormal(0.0, 0.4, 60)
    one, other = many(draws, 60, 5.0, shared), many(draws, 60, 7.0, shared)
    found = mean_difference(one, other, (60, 60), paired=True)
    weights = draws.multinomial(60, np.full(60, 1 / 60), 2000).astype(float)
    drawn = np.subtract(*(restricted_means_s(side, weights, found.until_s) for side in (one, other)))
    width = (found.interval_s[1] - found.interval_s[0]) / 2 / stats.t.ppf(0.975, 59)
    # The SD of 2000 draws is good to 1.6 %, the jackknife's own to about 9 % (1 / sqrt(2 * 59)).
    assert drawn.std() == pytest.approx(width, rel=0.2)


@pytest.mark.parametrize(("seeds", "share"), [(10, 0.5), (40, 0.5), (20, 0.95), (100, 0.95)])
def test_the_interval_of_a_quantile_covers(seeds, share):
    # Two outages a session with a correlation of 0.5, times exponential of mean 10 s, some censored.
    # 250 studies have an SD of 1.4 % at 95 %: 90.5 % is 3.2 SD below.
    draws, covered, truth_s = np.random.default_rng(5), 0, -10.0 * math.log(1 - share)
    for _ in range(250):
        normal = math.sqrt(0.5) * (draws.normal(size=(seeds, 1)) + draws.normal(size=(seeds, 2)))
        times_s = (-10.0 * np.log(stats.norm.sf(normal))).ravel()
        limit_s = draws.uniform(20.0, 60.0, 2 * seeds)
        waits = Waits.of(np.minimum(times_s, limit_s), times_s <= limit_s, np.repeat(np.arange(seeds), 2))
        low_s, high_s = quantile_interval_s(waits, share)
        covered += low_s <= truth_s <= high_s
    assert covered / 250 >= 0.905


def test_the_longest_of_few_outages_bounds_no_95th_percentile():
    # All of 20 are over: the 95th percentile lies beyond the longest with a chance of 0.95 ** 20 = 36 %.
    low, high = quantile_interval_s(Waits.of(np.arange(1.0, 21.0), np.ones(20), np.arange(20)), 0.95)
    assert (low, high) == (17.0, math.inf)
    assert (
        quantile_interval_s(Waits.of([], [], []), 0.5)[0] != quantile_interval_s(Waits.of([], [], []), 0.5)[0]
    )


def test_the_incidence_is_lifelines():
    draws = np.random.default_rng(6)
    waited_s, way = draws.exponential(5.0, 80), draws.choice(["recovered", "gave_up", ""], 80)
    found = incidences(waited_s, [one or None for one in way])
    for number, name in ((1, "recovered"), (2, "gave_up")):
        codes = np.select([way == "recovered", way == "gave_up"], [1, 2], 0)
        expected = AalenJohansenFitter(calculate_variance=False).fit(
            waited_s, codes, event_of_interest=number
        )
        for seconds in (1.0, 3.0, 8.0, 100.0):
            assert found[name].within(seconds) == pytest.approx(float(expected.predict(seconds)))


def test_what_was_given_up_is_no_longer_waited_for():
    rows = [
        {"recovered": True, "waited_s": 2.0, "gave_up_s": None},
        {"recovered": True, "waited_s": 9.0, "gave_up_s": 5.0},  # healed after all
        {"recovered": False, "waited_s": 50.0, "gave_up_s": 4.0},
        {"recovered": False, "waited_s": 50.0, "gave_up_s": None},
    ]
    found = outage_incidences(rows)
    assert (found["gave_up"].within(3.9), found["gave_up"].within(4.0)) == (0.0, 0.25)
    assert found["recovered"].within(100.0) == 0.5
