"""What sessions say about an expectation: for it, against it, or too little."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

from simlab.study.expected import evidence


def expect(metric, sign, bound):
    return SimpleNamespace(metric=metric, operator=sign, bound=bound, text=f"{metric} {sign} {bound}")


def session(number, succeeded=True, violations=0, **more):
    base = {"attempts_ice_restarts": 0, "attempts_recreations": 1, "connect_bot_ready_s": 0.5, "outages": 1}
    return {
        "session": number,
        "seed": number,
        "succeeded": succeeded,
        "violations": violations,
        "usable_fraction": 0.9,
        **base,
        **more,
    }


def outage(number, waited_s, recovered=True):
    return {"session": number, "waited_s": waited_s, "recovered": recovered}


def successes(good, bad):
    return [session(at, succeeded=at < good) for at in range(good + bad)]


@pytest.mark.parametrize("bound", [0.9, 0.99])
def test_a_share_is_met_where_clopper_pearson_says_so(bound):
    for good, bad in [(299, 0), (298, 0), (100, 0), (29, 0), (28, 0), (20, 3), (50, 9)]:
        found = evidence(expect("success_rate", ">=", bound), successes(good, bad), [])
        exact = stats.binomtest(good, good + bad).proportion_ci(0.90, method="exact")  # 5 % on each side
        assert (found.speaks_for <= 0.05) == (exact.low >= bound)
        assert (found.against <= 0.05) == (exact.high <= bound)
        assert found.measured == good / (good + bad)


def test_299_sessions_without_a_failure_are_99_percent():
    # The least n with 0.99^n <= 5 %.
    assert evidence(expect("success_rate", ">=", 0.99), successes(299, 0), []).speaks_for <= 0.05
    assert evidence(expect("success_rate", ">=", 0.99), successes(298, 0), []).speaks_for > 0.05


def test_a_wrong_alarm_about_a_share_is_as_rare_as_it_says():
    # True at its bound of 90 %: of 2000 nights of 40 sessions at most 5 % speak against it, and four standard
    # deviations of such a count are 39.
    counts = np.random.default_rng(5).binomial(40, 0.9, 2000)
    against = {
        good: evidence(expect("success_rate", ">=", 0.9), successes(good, 40 - good), []).against
        for good in set(counts.tolist())
    }
    assert sum(against[good] <= 0.05 for good in counts.tolist()) <= 100 + 39


def test_a_95th_percentile_needs_59_sessions():
    def found(number):
        rows = [outage(at, 5.0) for at in range(number)]
        return evidence(expect("recovery_p95", "<=", 12.0), successes(number, 0), rows)

    assert found(59).speaks_for <= 0.05 < found(58).speaks_for
    assert found(59).measured == 5.0


def test_slow_outages_speak_against_a_95th_percentile():
    rows = [outage(at, 14.0 if at < 5 else 5.0) for at in range(20)]
    found = evidence(expect("recovery_p95", "<=", 12.0), successes(20, 0), rows)
    assert found.against == pytest.approx(stats.binom.sf(4, 20, 0.05))
    assert found.measured == 14.0
    turned = evidence(expect("recovery_p95", ">", 12.0), successes(20, 0), rows)
    assert turned.speaks_for == found.against


def test_an_outage_that_was_not_watched_long_enough_speaks_neither_way():
    short = [outage(at, 3.0, recovered=False) for at in range(59)]
    found = evidence(expect("recovery_p95", "<=", 12.0), successes(59, 0), short)
    assert found.against > 0.9
    assert found.speaks_for > 0.9
    long = [outage(at, 30.0, recovered=False) for at in range(20)]
    assert evidence(expect("recovery_p95", "<=", 12.0), successes(20, 0), long).against < 1e-9


def test_outages_of_one_session_are_no_more_than_one():
    once = [outage(at, 14.0 if at < 5 else 5.0) for at in range(20)]
    bound = expect("recovery_p95", "<=", 12.0)
    assert evidence(bound, successes(20, 0), once * 6) == evidence(bound, successes(20, 0), once)


def test_without_an_outage_nothing_is_known_of_recovery():
    found = evidence(expect("recovery_p95", "<=", 12.0), successes(20, 0), [])
    assert (found.against, found.speaks_for) == (1.0, 1.0)
    assert math.isnan(found.measured)


def test_a_violation_is_certain():
    clean = evidence(expect("violations", "==", 0), [session(1)], [])
    broken = evidence(expect("violations", "==", 0), [session(1), session(2, violations=1)], [])
    assert (clean.against, clean.speaks_for) == (1.0, 0.0)
    assert (broken.against, broken.speaks_for, broken.measured) == (0.0, 1.0, 1)


def test_a_mean_is_students_t():
    values = np.random.default_rng(2).normal(0.8, 0.05, 25).tolist()
    rows = [session(at, usable_fraction=value) for at, value in enumerate(values)]
    found = evidence(expect("usable_fraction", ">=", 0.82), rows, [])
    assert found.against == pytest.approx(stats.ttest_1samp(values, 0.82, alternative="less").pvalue)
    assert found.speaks_for == pytest.approx(stats.ttest_1samp(values, 0.82, alternative="greater").pvalue)


def test_a_mean_without_any_spread_is_as_good_as_a_coin_that_falls_alike():
    rows = [session(at) for at in range(10)]
    met, failed = (evidence(expect("attempts", "<=", bound), rows, []) for bound in (1, 0))
    assert (met.against, met.speaks_for) == (1.0, 0.5**10)
    assert (failed.against, failed.speaks_for) == (0.5**10, 1.0)


def test_a_client_that_never_connected_is_slower_than_any_bound():
    rows = [session(at, connect_bot_ready_s=None if at < 8 else 0.5) for at in range(20)]
    found = evidence(expect("connect_s", "<=", 1.0), rows, [])
    assert found.measured == math.inf
    assert found.against < 1e-5


def test_equality_can_be_refuted_and_not_shown():
    found = evidence(expect("success_rate", "==", 1.0), successes(19, 1), [])
    assert (found.against, found.speaks_for) == (0.0, 1.0)
    assert evidence(expect("success_rate", "==", 1.0), successes(20, 0), []).against == 1.0
