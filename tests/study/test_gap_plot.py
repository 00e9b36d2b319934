"""What the picture of silent media shows."""

from itertools import pairwise

import pytest

from simlab.study.gap_plot import plot_gaps


def row(gap_s, policy="pipecat", sent=1000, **more):
    lengths = {"media_up_longest_gap_s": gap_s, "media_down_longest_gap_s": 0.0}
    ready = {"connect_bot_ready_s": 1.0, "duration_s": 60.0}
    return {"policy": policy, "media_up_sent": sent, "media_down_sent": sent} | lengths | ready | more


def corner(ax):
    return next(text.get_text() for text in ax.texts if text.get_text().startswith("n ="))


def numbers_below(ax):
    ax.figure.draw_without_rendering()
    low, high = ax.get_xlim()
    ticks = [*ax.xaxis.get_major_ticks(), *ax.xaxis.get_minor_ticks()]
    return [tick.label1 for tick in ticks if low <= tick.get_loc() <= high and tick.label1.get_text().strip()]


@pytest.mark.parametrize("gaps_s", [[], [0.04], [4.0], [7.3, 30.0], [2000.0, 80_000.0]])
def test_the_numbers_of_its_axis_do_not_overlap(gaps_s):
    ax = plot_gaps([row(gap_s) for gap_s in gaps_s])
    labels = numbers_below(ax)
    assert all(float(label.get_text()) > 0 for label in labels)
    boxes = sorted((label.get_window_extent() for label in labels), key=lambda box: box.x0)
    assert len(boxes) > 2
    assert all(left.x1 < right.x0 for left, right in pairwise(boxes))


def test_short_silences_leave_the_axis_as_it_is():
    ax = plot_gaps([row(0.04)])
    assert ax.get_xlim() == (0.1, 1.0)
    assert ax.get_title(loc="left") == "pipecat: half of the sessions were silent for 0.04 s or more"


def test_without_sound_it_says_so():
    ax = plot_gaps([row(0.0, sent=0)])
    assert ax.get_title(loc="left") == "No sound in any session"
    assert corner(ax) == "n = 0 sessions with sound"


def test_where_policies_are_alike_none_is_named_alone():
    ax = plot_gaps([row(4.0), row(4.04, "livekit")])
    assert ax.get_title(loc="left") == "Half of the sessions silent for 4.0 s or more, whatever the policy"


def test_one_session_is_one():
    assert corner(plot_gaps([row(4.0)])) == "n = 1 session with sound"


def test_a_call_that_never_came_about_was_silent_all_the_time():
    ax = plot_gaps([row(0.0, connect_bot_ready_s=None)])
    assert ax.get_title(loc="left") == "pipecat: half of the sessions were silent for 60.0 s or more"
