"""What a trend says of when something changed."""

import numpy as np
import pytest

from simlab.study.trend_changes import Series, changes
from simlab.study.trend_plot import finding, plot_trend
from simlab.study.trend_steps import step_text


def records(values, measure="down_time", seeds=None, **more):
    """A cell's records: of each night the values of its sessions, with seeds of their own by default."""
    fixed = {"suite": "s", "sweep": "weather", "profile": "flaky", "policy": "pipecat", "varied": {}}
    judged = {"worse": False, "accepted": False, "failed": []}
    first = np.cumsum([0, *map(len, values)])
    return [
        fixed
        | judged
        | {
            "night": night,
            "seeds": list(range(first[night - 1], first[night])) if seeds is None else seeds,
            "values": {measure: list(one)},
        }
        | more
        for night, one in enumerate(values, 1)
    ]


def weather(levels, number=10):
    draws = np.random.default_rng(1)
    return [(level + draws.gamma(4.0, 1.0, number)).tolist() for level in levels]


def test_a_rise_and_its_end_are_told_in_words():
    found = changes(records([[5.0] * 10] * 7 + [[7.0] * 10] * 2 + [[5.0] * 10] * 2), ["down_time"])
    assert [one.told for one in found] == [
        "outage per session 7 s in nights 8 to 9, 5 s before (p = 0.005)",
        "outage per session 5 s since night 10, 7 s before (p = 0.005)",
    ]
    assert [one.worse for one in found] == [True, False]
    assert [step_text(one) for one in found] == ["+2 s", "-2 s"]


def test_a_higher_share_is_better():
    (one,) = changes(records([[0.5] * 9] * 5 + [[0.75] * 9] * 5, "usable_fraction"), ["usable_fraction"])
    assert not one.worse
    assert one.told == "usable fraction 75 % since night 6, 50 % before (p = 0.005)"
    assert step_text(one) == "+25 %"


def test_the_same_seeds_are_compared_seed_by_seed():
    (one,) = weather([0.0])
    nights = [one] * 6 + [[value + 0.01 for value in one]] * 3
    (change,) = changes(records(nights, seeds=list(range(10))), ["down_time"])
    assert (change.first["night"], change.until) == (7, None)
    assert change.after - change.before == pytest.approx(0.01)


def test_a_night_without_sessions_and_seeds_that_come_again_are_left_out():
    cell = records([[1.0, 2.0], [3.0, 4.0], [5.0]])
    cell[1] |= {"seeds": []}
    cell[2] |= {"seeds": [1, 7], "values": {"down_time": [9.0, 5.0]}}
    series = Series.of(cell, "down_time")
    assert series.matched  # seed 1 is in both
    assert [values.tolist() for values in series.values] == [[2.0], [9.0]]
    cell += [cell[0] | {"night": 4, "seeds": [0, 8], "values": {"down_time": [1.0, 6.0]}}]
    series = Series.of(cell, "down_time")
    assert not series.matched
    assert [values.tolist() for values in series.values] == [[1.0, 2.0], [5.0], [6.0]]
    assert changes([one | {"seeds": []} for one in cell], ["down_time"]) == []
    assert changes([], ["down_time"]) == []


def test_a_record_of_an_older_version_may_lack_a_measure():
    assert changes(records(weather([0.0] * 5)), ["attempts"]) == []


def test_two_cells_share_the_error_rate_and_are_told_apart():
    calm, risen = weather([0.0] * 12), weather([0.0] * 6 + [4.0] * 6)
    both = records(calm) + records(risen, policy="livekit")
    (one,) = changes(both)
    assert (one.first["policy"], one.first["night"]) == ("livekit", 7)
    assert one.p <= 0.01 / 10  # of two cells and five measures


def test_the_picture_has_a_step_and_says_so():
    cell = records([[7.0] * 10] * 5 + [[5.0] * 10] * 5)
    ax = plot_trend(cell, "down_time")
    assert ax.get_title(loc="left") == (
        "weather, flaky, pipecat: outage per session 5 s since night 6, 7 s before (p = 0.005)"
    )
    (stairs,) = ax.patches
    assert stairs.get_data().values.tolist() == [7.0, 5.0]
    assert stairs.get_data().edges.tolist() == [0.5, 5.5, 10.5]
    assert "-2 s" in [text.get_text() for text in ax.texts]


def test_worse_nights_come_first_in_the_title():
    cell = records([[5.0] * 10] * 5 + [[7.0] * 10] * 5)
    cell[9] |= {"worse": True, "failed": ["outage per session"]}
    assert finding(cell, "down_time", changes(cell, ["down_time"])).endswith("was worse in night 10")
