"""What the pictures of cells say."""

import math
from dataclasses import replace

import pytest

from simlab.study.cell_plots import plot_cost, plot_usable
from simlab.study.heat_plot import plot_heat
from simlab.study.summary import Cell
from simlab.study.survival import recovery_curve


def cell(labels, sessions=3):
    ends = (1.0, 2.0)
    curve = recovery_curve([1.0, 1.5, 2.0], [True] * 3)
    return Cell(labels, sessions, sessions, 1.0, (0.7, 1.0), curve, 1.5, ends, 2.0, ends, 0.5, 1.0, 0)


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_pictures_say_what_they_take_together():
    cells = [cell({"policy": "a", "wait": "4s"})]
    assert "n = 3 sessions, 3 a cell; 2 profiles together" in texts(
        plot_heat(cells, "wait", together="2 profiles together")
    )
    assert "n = 3 sessions; 2 profiles together" in texts(plot_cost(cells, together="2 profiles together"))


def test_fifteen_policies_have_bars_of_their_own_look():
    ax = plot_usable([cell({"profile": "flaky", "policy": f"p{number}"}) for number in range(15)])
    looks = {(bars[0].get_facecolor(), bars[0].get_hatch()) for bars in ax.containers}
    assert len(looks) == 15


def test_long_names_leave_room_for_the_bars():
    long = "the-tunnel-under-the-river-on-the-way-to-the-office"
    ax = plot_usable([cell({"profile": long, "policy": f"a-policy-with-a-long-name-{n}"}) for n in (1, 2)])
    ax.figure.draw_without_rendering()
    assert ax.get_window_extent().width > 0.4 * 9 * ax.figure.dpi


@pytest.mark.parametrize(
    ("shares", "told"),
    [
        ([], "No session could be run"),
        ([0.5], "p0: usable for 50.0% of the time"),
        ([0.8041, 0.8036, 0.804], "Usable for 80.4% of the time, all alike"),
        ([0.0, 0.0], "Usable for 0% of the time, all alike"),
        ([0.5, 0.8], "Most usable with p1 (80.0% of the time), least with p0 (50.0%)"),
    ],
)
def test_the_usable_share_is_told_of_all(shares, told):
    ax = plot_usable([replace(cell({"policy": f"p{n}"}), usable_fraction=u) for n, u in enumerate(shares)])
    assert ax.get_title(loc="left") == told


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["a"], "a: 5 % of the outages or more are never over"),
        (["a", "b"], "With each, 5 % of the outages or more are never over"),
    ],
)
def test_where_no_cell_brings_95_percent_back_the_cost_says_so(names, told):
    ax = plot_cost([replace(cell({"policy": name}), p95_s=math.inf) for name in names])
    assert ax.get_title(loc="left") == told


def test_sessions_without_outages_are_counted_in_the_cost():
    quiet = replace(cell({"policy": "a"}, 20), curve=recovery_curve([], []))
    assert "n = 20 sessions" in texts(plot_cost([quiet]))
    assert "n = 0 sessions" in texts(plot_cost([]))
    assert plot_cost([]).get_title(loc="left") == "No session could be run"
