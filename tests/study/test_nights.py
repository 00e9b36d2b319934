"""A night's checks: what is worse, what was to be expected, and how often that is wrong."""

from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.nights import failed_nights, stored
from simlab.study.nights import Group, Rules, Sample, judge, sample_of

RULES = Rules(0.01, ["down_time"], {"down_time": 0.25})


def group(tonight, before, policy="a", seeds=(1, 100), **more):
    values = {"seed": 0, "succeeded": True, "violations": 0, **more}
    samples = [
        None
        if numbers is None
        else Sample(tuple(range(first, first + len(numbers))), {"down_time": tuple(numbers)})
        for numbers, first in zip((tonight, before), seeds, strict=True)
    ]
    sessions = [{"session": at, **values} for at in range(len(tonight))]
    return Group({"sweep": "s", "profile": "p", "policy": policy}, sessions, [], *samples, ())


def numbers(mean, number, seed):
    return np.random.default_rng(seed).normal(mean, 1.0, number).tolist()


def test_two_groups_and_pairs():
    fresh = judge([group(numbers(12, 20, 1), numbers(10, 60, 2))], RULES)[0]
    assert (fresh.verdict, fresh.alarms) == ("worse", True)
    assert "20 sessions against 60" in fresh.told
    paired = judge([group([12.5] * 10, [12.0] * 10, seeds=(1, 1))], RULES)[0]
    assert (paired.verdict, paired.p) == ("worse", 2**-10)
    assert "10 seeds" in paired.told
    better = judge([group([11.0] * 10, [12.0] * 10, seeds=(1, 1))], RULES)[0]
    assert (better.verdict, better.alarms) == ("better", False)


def test_what_is_tolerated_is_the_same():
    assert judge([group([12.2] * 10, [12.0] * 10, seeds=(1, 1))], RULES)[0].verdict == "same"


def test_without_a_baseline_nothing_is_compared():
    found = judge([group([12.0] * 10, None)], RULES)[0]
    assert (found.verdict, found.p, found.alarms) == ("no baseline", None, False)


def test_all_cells_share_alpha():
    # p = 2^-8 = 0.39 %: enough alone, too little among four.
    one = group([13.0] * 8, [12.0] * 8, seeds=(1, 1))
    assert judge([one], RULES)[0].verdict == "worse"
    others = [group([12.0] * 8, [12.0] * 8, policy=name, seeds=(1, 1)) for name in "bcd"]
    assert [check.verdict for check in judge([one, *others], RULES)] == ["same"] * 4
    assert judge([one], RULES, tests=4)[0].verdict == "same"


@pytest.mark.parametrize(
    ("failed", "verdict"), [(0, "can't be told"), (1, "can't be told"), (8, "failed"), (2, "can't be told")]
)
def test_an_expectation_fails_only_where_the_data_speak_against_it(failed, verdict):
    expected = SimpleNamespace(metric="success_rate", operator=">=", bound=0.9, text="success_rate >= 0.9")
    sessions = [{"session": at, "seed": at, "succeeded": at >= failed} for at in range(20)]
    one = Group({"policy": "a"}, sessions, [], Sample((), {}), None, [(expected, 0.95)])
    assert judge([one], Rules(0.01, (), {}))[0].verdict == verdict


def test_the_confidence_is_what_it_takes():
    expected = SimpleNamespace(metric="success_rate", operator=">=", bound=0.9, text="success_rate >= 0.9")
    sessions = [{"session": at, "seed": at, "succeeded": True} for at in range(30)]

    def verdict(confidence):
        one = Group({"policy": "a"}, sessions, [], Sample((), {}), None, [(expected, confidence)])
        return judge([one], Rules(0.01, (), {}))[0].verdict

    # 0.9^30 = 4.2 %.
    assert (verdict(0.95), verdict(0.96)) == ("met", "can't be told")


@pytest.fixture(scope="module")
def cells():
    return stored()


def test_200_nights_without_a_change_raise_two_alarms_at_most(cells):
    assert len(cells) == 4
    nights = failed_nights(cells, 200, 10, np.random.default_rng(20261124))
    assert len(nights) == 200
    assert sum(map(bool, nights)) <= 2


def test_a_change_of_two_seconds_is_found_the_same_night(cells):
    (blocked,) = [at for at, cell in enumerate(cells) if cell.name == "ice_blocked, pipecat"]
    nights = failed_nights(
        [cells[blocked], *cells[:blocked], *cells[blocked + 1 :]],
        36,
        10,
        np.random.default_rng(3),
        later_s=2.0,
    )
    assert not any("ice_blocked, pipecat" in failed for failed in nights[:29])
    assert all("ice_blocked, pipecat" in failed for failed in nights[29:])


def test_a_call_that_never_came_about_was_down_all_the_time():
    row = {"succeeded": False, "usable_fraction": 0.0, "violations": 0, "duration_s": 30.0}
    row |= {"attempts_ice_restarts": 0, "attempts_recreations": 1, "connect_bot_ready_s": None}
    ready = row | {"succeeded": True, "connect_bot_ready_s": 0.5}
    sessions = [one | {"session": at, "seed": at} for at, one in enumerate((row, ready))]
    assert sample_of(sessions, []).values["down_time"] == (30.0, 0.0)


def test_what_was_measured_has_its_unit():
    def told(metric, operator, bound, **values):
        sessions = [{"session": at, "seed": at, "violations": 0, **values} for at in range(12)]
        outages = [{"session": at, "waited_s": 18.61, "recovered": True} for at in range(12)]
        expected = SimpleNamespace(metric=metric, operator=operator, bound=bound, text="wanted")
        one = Group({"sweep": "s"}, sessions, outages, Sample((), {}), None, [(expected, 0.95)])
        (check,) = judge([one], Rules(0.01, [], {}))
        return check.told

    assert told("success_rate", ">=", 0.8, succeeded=True) == "wanted: can't be told (100 % in 12 sessions)"
    assert told("recovery_p95", "<=", 30.0) == "wanted: can't be told (18.61 s in 12 sessions)"
    assert told("violations", "==", 0) == "wanted: met (0 in 12 sessions)"


def test_shares_of_tonight_and_before_are_in_percent():
    values = {"success_rate": (1.0, 0.0), "down_time": (4.0, 5.0)}
    one = Sample((1, 2), values)
    group_of_two = Group({"sweep": "s"}, [{}, {}], [], one, one, ())
    (check,) = judge([group_of_two], Rules(0.01, ["success_rate"], {}))
    assert check.told == "success rate: not worse, 50 % against 50 % (2 seeds, p = 1)"
