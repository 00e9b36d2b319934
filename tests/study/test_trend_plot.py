"""The interval of a night in the picture of a trend."""

import numpy as np
import pytest
from scipy import stats

from simlab.study.trend_plot import finding, mean_interval, plot_trend


def test_it_is_students():
    values = np.random.default_rng(1).normal(3.0, 2.0, 12)
    found = stats.ttest_1samp(values, 0.0).confidence_interval(0.95)
    assert mean_interval(values) == pytest.approx((found.low, found.high))
    assert mean_interval(np.array([4.0])) == (4.0, 4.0)


@pytest.mark.parametrize("count", [10, 40])
def test_it_covers(count):
    # Times in outages are skewed: a gamma distribution of shape 4. 2000 nights have an SD of 0.5 % at 95 %;
    # of that skew, 1 / sqrt(count), Student's interval loses 1.5 % at 10. 92 % is 3 SD below the rest.
    draws = np.random.default_rng(2)
    ends = np.array([mean_interval(draws.gamma(4.0, 2.5, count)) for _ in range(2000)])
    covered = np.mean((ends[:, 0] <= 10.0) & (ends[:, 1] >= 10.0))
    assert covered >= 0.92


def record(night, suite="one", sweep="exact", value=1.0, **more):
    """What a trend has of a cell of a night."""
    labels = {"suite": suite, "night": night, "sweep": sweep, "profile": "blackout", "policy": "pipecat"}
    values = {"success_rate": [value, 1.0], "down_time": [3.0, 4.0]}
    judged = {"varied": {}, "worse": False, "accepted": False, "failed": []}
    return labels | judged | {"seeds": [1, 2], "values": values} | more


def looks(ax):
    return [
        (line.get_color(), line.get_marker(), line.get_linestyle())
        for line in (one.lines[0] for one in ax.containers)
    ]


def test_cells_of_two_suites_are_two():
    ax = plot_trend([record(1), record(2), record(1, suite="other")], "down_time")
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == ["one: exact, blackout, pipecat", "other: exact, blackout, pipecat"]
    assert finding([record(1), record(1, suite="other")], "down_time").startswith(
        "Outage per session over 1 "
    )


def test_worse_in_one_measure_is_not_worse_in_another():
    records = [record(1), record(2, worse=True, failed=["outage per session"])]
    assert finding(records, "down_time") == "exact, blackout, pipecat was worse in night 2"
    assert finding(records, "success_rate") == "Success rate over 2 nights: none was worse than those before"


def test_ten_cells_look_different():
    ax = plot_trend([record(1, sweep=f"s{number}") for number in range(10)], "down_time")
    assert len(set(looks(ax))) == 10


def test_a_share_has_an_axis_in_percent_and_no_interval_beyond_all_and_nothing():
    ax = plot_trend([record(1, value=0.9), record(2, value=0.1)], "success_rate")
    assert ax.get_ylabel() == "success rate, mean"
    assert ax.yaxis.get_major_formatter()(0.8, None) == "80%"
    (bars,) = ax.containers[0].lines[2]
    ends = np.concatenate(bars.get_segments())[:, 1]
    assert (ends.min(), ends.max()) == (0.0, 1.0)


def test_the_axes_have_nights_and_shares_that_there_are():
    same = {"success_rate": [1.0, 1.0], "attempts": [0.0, 0.0]}
    ax = plot_trend([record(1, values=same)], "success_rate")
    assert [tick for tick in ax.get_xticks() if ax.get_xlim()[0] < tick < ax.get_xlim()[1]] == [1.0]
    assert max(tick for tick in ax.get_yticks() if tick <= ax.get_ylim()[1]) == pytest.approx(1.0)
    assert ax.get_ylim()[1] < 1.01
    counts = plot_trend([record(1, values=same)], "attempts")
    assert min(tick for tick in counts.get_yticks() if tick >= counts.get_ylim()[0]) == pytest.approx(0.0)


def test_it_says_what_bars_bands_and_rings_are():
    def told(*records):
        return plot_trend(records, "down_time").texts[-1].get_text()

    assert told(record(1)) == "n = 2 sessions; bars: 95 %"
    assert told(record(1), record(2)) == (
        "n = 4 sessions; bars: 95 %; bands: 99.7 % of the nights without a change"
    )
    worse = record(3, worse=True, failed=["outage per session"])
    assert told(record(1), record(2), worse).endswith("a change; ringed: worse")


def test_accepted_is_not_written_over_the_curves():
    same = {"success_rate": [1.0, 1.0]}
    nights = [record(1, values=same), record(2, values=same, accepted=True), record(3, values=same)]
    ax = plot_trend(nights, "success_rate")
    ax.figure.draw_without_rendering()
    (word,) = [text for text in ax.texts if text.get_text() == "accepted"]
    place = word.get_window_extent()
    assert place.y0 > ax.containers[0].lines[0].get_window_extent().y1
    assert place.y1 < ax._left_title.get_window_extent().y0
