"""Comparisons of policies and of studies, with rows made for it."""

import json
from dataclasses import replace

import pytest

import simlab
from simlab.batch.study import Study
from simlab.core.errors import InvalidInputError
from simlab.study.comparison import compare_groups, comparison_json
from simlab.study.comparison_words import findings
from simlab.study.tables import outages_frame, sessions_frame


def rows(policy, waits_s, first_seed=1, profile="tunnel"):
    """A session for each wait: one outage, over after so many seconds of 100, or never (None)."""
    sessions, outages = [], []
    for seed, wait_s in enumerate(waits_s, first_seed):
        labels = {"session": hash_free(policy, seed), "profile": profile, "policy": policy, "seed": seed}
        down_s = 80.0 if wait_s is None else wait_s
        sessions.append(
            {
                **labels,
                "succeeded": wait_s is not None,
                "usable_fraction": 1 - down_s / 100,
                "connect_bot_ready_s": 0.5,
                "attempts_ice_restarts": 1,
                "attempts_recreations": 0,
                "violations": 0,
                "media_up_sent": 0,
                "media_down_sent": 0,
            }
        )
        outages.append(
            {**labels, "outage": 1, "recovered": wait_s is not None, "waited_s": down_s, "began_s": 20.0}
        )
    return sessions, outages


def hash_free(policy, seed):
    return 1000 * len(policy) + seed


FAST, SLOW = [8.0 + 0.1 * n for n in range(12)], [10.0 + 0.1 * n for n in range(12)]


def study(*parts):
    sessions, outages = ([row for part in parts for row in part[place]] for place in (0, 1))
    return Study(["profile", "policy"], sessions_frame(sessions), outages_frame(outages))


def test_a_policy_that_is_two_seconds_faster_on_every_seed_is_better():
    (found,) = compare_groups(
        *map(sum, zip(rows("fast", FAST), rows("slow", SLOW), strict=True), ([], [])), ["profile", "policy"]
    )
    longest = found.measures["longest_outage_s"]
    assert (found.verdict, found.paired, found.seeds) == ("better", True, 12)
    assert (longest.difference, longest.interval, longest.effect) == (-2.0, (-2.0, -2.0), -1.0)
    assert longest.p == 2 / 2**12
    # Of success rates nothing differs, so there are four tests or fewer.
    assert 2 / 2**12 <= longest.p_corrected <= 4 * 2 / 2**12
    assert found.measures["success_rate"].verdict == "can't be told"
    assert findings([found]) == [
        "fast is better than slow: usable time 91.5 % against 89.5 % and longest outage 8.6 s against 10.6 s"
    ]
    json.dumps(comparison_json(found), allow_nan=False)


def test_the_finding_has_the_better_sides_values_first_whichever_side_that_is():
    parts = rows("slow", SLOW), rows("fast", FAST)
    (found,) = compare_groups(
        [*parts[0][0], *parts[1][0]], [*parts[0][1], *parts[1][1]], ["profile", "policy"]
    )
    assert (found.first, found.second, found.verdict) == ("slow", "fast", "worse")
    assert findings([found]) == [
        "fast is better than slow: usable time 91.5 % against 89.5 % and longest outage 8.6 s against 10.6 s"
    ]


def test_exchanging_the_sides_turns_everything():
    parts = rows("one", [8.0, None, 9.0, 30.0, None]), rows("other", [9.0, 7.0, 12.0, 20.0, None])
    forth, back = (
        compare_groups([*a[0], *b[0]], [*a[1], *b[1]], ["profile", "policy"])[0]
        for a, b in (parts, parts[::-1])
    )
    for name, one in forth.measures.items():
        assert one.p == pytest.approx(back.measures[name].p)
        if name != "recovery_curve":
            assert one.difference == pytest.approx(-back.measures[name].difference)
            assert one.interval == pytest.approx(tuple(-end for end in back.measures[name].interval[::-1]))


def test_too_few_seeds_tell_nothing_and_say_how_many_would():
    parts = rows("fast", FAST[:4]), rows("slow", SLOW[:4])
    (found,) = compare_groups(
        [*parts[0][0], *parts[1][0]], [*parts[0][1], *parts[1][1]], ["profile", "policy"]
    )
    assert found.verdict == "can't be told"
    # All differences go one way, so that many are needed for 2^(1 - n) to be within 5 % of four tests.
    assert found.seeds_needed == 8
    assert findings([found]) == ["fast and slow can't be told apart with 4 seeds: about 8 would be needed"]
    one = replace(found, seeds=1)
    assert findings([one]) == ["fast and slow can't be told apart with 1 seed: about 8 would be needed"]
    assert findings([found] * 4)[3] == "1 more pair can't be told apart"


def test_a_regression_is_named_and_a_tolerated_one_is_not():
    before, after = study(rows("pipecat", FAST)), study(rows("pipecat", SLOW))
    found = simlab.compare(before, after)
    assert [cell.verdict for cell in found.cells] == ["worse"]
    assert found.cells[0].regressions({}) == ["usable_fraction", "longest_outage"]
    assert (
        simlab.compare(before, after, tolerance={"usable_fraction": "2%", "longest_outage": "2s"}).regressions
        == []
    )
    assert simlab.compare(
        before, after, tolerance={"usable_fraction": "2%", "longest_outage": "20%"}
    ).regressions
    assert simlab.compare(after, before).regressions == []
    assert simlab.compare(before, before).cells[0].verdict == "can't be told"
    json.dumps(found.json(), allow_nan=False)


def test_other_seeds_are_compared_without_pairs():
    found = simlab.compare(study(rows("pipecat", FAST)), study(rows("pipecat", SLOW, first_seed=500)))
    (cell,) = found.cells
    assert (cell.comparison.paired, cell.verdict) == (False, "worse")
    assert cell.comparison.measures["longest_outage_s"].difference == pytest.approx(-2.0)


def test_what_cannot_be_compared(tmp_path):
    with pytest.raises(InvalidInputError, match="no such folder"):
        simlab.compare(tmp_path / "nothing", tmp_path)
    with pytest.raises(InvalidInputError, match="is not a study folder"):
        simlab.compare(tmp_path, tmp_path)
    with pytest.raises(InvalidInputError, match="no cell is in both studies"):
        simlab.compare(study(rows("pipecat", FAST)), study(rows("livekit", FAST)))
    with pytest.raises(InvalidInputError) as caught:
        simlab.compare(
            tmp_path, tmp_path, tolerance={"succes_rate": "1%", "recovery_p95": "3", "usable_fraction": "2"}
        )
    assert caught.value.faults == (
        'tolerance succes_rate is unknown, did you mean "success_rate"?',
        'tolerance recovery_p95 is "3", want seconds or a share of what it was: "1.5s" or "10%"',
        'tolerance usable_fraction is "2", want at most 100 %, in points, such as "2%"',
        f"{tmp_path}: is not a study folder: it has no study.toml",
    )


@pytest.mark.parametrize("name", ["recovery", "usable", "cost"])
def test_pictures_say_what_they_show(name):
    ax = study(rows("fast", FAST), rows("slow", [*SLOW[:8], None, None, None, None])).pictures[name]()
    titles = {
        "recovery": "fast: 12 of 12 outages ended, 95 % of all within 9.1 s;\n"
        "slow: 8 of 12 outages ended, an estimated 50 % of all within 10.5 s",
        "usable": "Most usable with fast (91.5% of the time), least with slow (66.4%)",
        "cost": "Soonest back: fast, 95 % within 9.1 s, for 1.0 attempts a session",
    }
    assert ax.get_title(loc="left") == titles[name]
    assert ax.get_xlabel()
    assert ax.get_ylabel()


def test_the_picture_of_a_change():
    ax = simlab.compare(study(rows("pipecat", FAST)), study(rows("pipecat", SLOW))).plot()
    assert ax.get_title(loc="left") == "Worse: tunnel pipecat."
