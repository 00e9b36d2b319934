"""The picture of recovery curves."""

from dataclasses import replace

import matplotlib.style
import pytest

from simlab.study.recovery_plot import plot_recovery
from simlab.study.summary import Cell
from simlab.study.survival import recovery_curve


def cell(name, waits_s):
    curve = recovery_curve(waits_s, [True] * len(waits_s))
    count, (first_s, *_, last_s) = len(waits_s), waits_s
    ends = (first_s, last_s)
    return Cell(
        {"policy": name},
        count,
        count,
        1.0,
        (0.7, 1.0),
        curve,
        waits_s[0],
        ends,
        waits_s[-1],
        ends,
        0.5,
        1.0,
        0,
    )


def test_the_legend_is_not_over_the_curves():
    # All outages end in the last two of 17 seconds, where a legend at the lower right would be.
    ax = plot_recovery([cell("never", [15.0, 15.2, 15.5]), cell("pipecat", [15.9, 16.2, 17.0])])
    ax.figure.draw_without_rendering()
    place = ax.get_legend().get_window_extent()
    steps = [line.get_path().transformed(line.get_transform()) for line in ax.get_lines()]
    rises = [path for path in steps if (path.get_extents().height > 10 and path.get_extents().width > 10)]
    assert len(rises) == 2
    assert not any(path.intersects_bbox(place, filled=False) for path in rises)


def test_eight_cells_look_different_and_their_legend_is_beside_the_curves():
    ax = plot_recovery([cell(f"p{number}", [1.0 + number] * 3) for number in range(8)])
    assert len({(line.get_color(), str(line._dash_pattern)) for line in ax.get_lines()}) == 8
    ax.figure.draw_without_rendering()
    assert ax.get_legend().get_window_extent().x0 >= ax.get_window_extent().x1


def test_it_says_what_its_curves_take_together():
    ax = plot_recovery([cell("late", [20.0, 20.0, 20.0])], together="12 profiles together")
    assert "n = 3 outages in 3 sessions; 12 profiles together; bands: 95 %, pointwise" in [
        text.get_text() for text in ax.texts
    ]


def test_long_names_touch_no_number_and_leave_room_for_the_curves():
    named = [f"a-policy-whose-name-is-longer-than-most-{number}" for number in range(8)]
    ax = plot_recovery([cell(name, [1.0, 2.0, 3.0]) for name in named])
    ax.figure.draw_without_rendering()
    assert ax.get_window_extent().width > 4 * ax.figure.dpi
    places = {text: text.get_window_extent() for text in ax.texts}
    names = [place for text, place in places.items() if text.get_text() in named]
    numbers = [place for text, place in places.items() if text.get_text().isdigit()]
    assert len(names) == 8
    assert not any(name.overlaps(number) for name in names for number in numbers)


def test_the_last_rise_is_not_on_the_edge():
    ax = plot_recovery([cell("late", [20.0, 20.0, 20.0])])
    assert ax.get_xlim()[1] > 20.2


def without_outages(name, sessions, succeeded):
    empty = recovery_curve([], [])
    return replace(cell(name, [1.0, 2.0]), sessions=sessions, succeeded=succeeded, curve=empty)


@pytest.mark.parametrize(
    ("cells", "told", "rests_on"),
    [
        ([], "No session could be run", "n = 0 outages in 0 sessions"),
        ([without_outages("a", 20, 20)], "No outage in any session", "n = 0 outages in 20 sessions"),
        (
            [without_outages("a", 20, 2), without_outages("b", 20, 20)],
            "No outage, but 18 of 40 calls never came about",
            "n = 0 outages in 40 sessions",
        ),
    ],
)
def test_without_outages_the_picture_says_why(cells, told, rests_on):
    ax = plot_recovery(cells)
    assert ax.get_title(loc="left") == told
    assert [text.get_text() for text in ax.texts] == [rests_on]


def test_sessions_without_outages_are_counted():
    ax = plot_recovery([cell("a", [1.0, 2.0]), without_outages("b", 20, 20)])
    assert ax.texts[-1].get_text().startswith("n = 2 outages in 22 sessions")


def test_over_hours_the_reference_is_not_over_the_names_of_the_axis():
    ax = plot_recovery([cell("late", [2.0, 20_000.0, 40_000.0])])
    ax.figure.draw_without_rendering()
    reference = next(text for text in ax.texts if text.get_text().startswith("39.5 s"))
    assert reference.get_window_extent().x0 >= ax.get_window_extent().x0


def test_a_share_of_all_outages_is_an_estimate_where_some_were_still_open():
    # Four outages were watched for 2 s alone; of the sixteen that were watched for longer, all ended by 7 s.
    seen = recovery_curve([2.0] * 4 + [7.0] * 16, [False] * 4 + [True] * 16)
    ax = plot_recovery([replace(cell("a", [1.0, 7.0]), sessions=20, curve=seen, p95_s=7.0)])
    assert ax.get_title(loc="left") == "a: 16 of 20 outages ended, an estimated 95 % of all within 7.0 s"
    all_seen = plot_recovery([cell("a", [1.0, 7.0])])
    assert all_seen.get_title(loc="left") == "a: 2 of 2 outages ended, 95 % of all within 7.0 s"


@pytest.mark.parametrize(
    ("style", "note", "known"), [("default", "#444444", "#666666"), ("dark_background", "white", "white")]
)
def test_notes_can_be_read_on_a_dark_figure(style, note, known):
    with matplotlib.style.context(style):
        ax = plot_recovery([cell("never", [15.0, 30.0, 45.0])])
    colours = {text.get_text()[:4]: text.get_color() for text in ax.texts}
    assert (colours["n = "], colours["stil"], colours["39.5"]) == (note, note, known)
