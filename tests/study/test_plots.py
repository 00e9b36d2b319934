import io
import subprocess
import sys

import matplotlib.style
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from simlab.core.timeline import Timeline
from simlab.study.lanes import Bar, Lane, Look, Mark, in_rows, lanes
from simlab.study.link_changes import LinkChange
from simlab.study.plots import plot_timeline
from simlab.study.spans import Span
from tests.study.timelines import attempt, connected, event, fault, gap, liveness, silence, timeline

CLEAN = timeline(connected())
FLAKY = timeline(
    connected(),
    fault(0, 30.0, 46.0),
    fault(1, 30.0, 42.0, "signalling"),
    fault(2, 60.0, 60.0, "rebind"),
    silence(29.9, 47.2),
    silence(100.0),
    liveness(35.0, "disconnected"),
    attempt(40.0),
    event(40.0, "client offer", connection=2, restart=True, pc_id="pc1"),
    event(40.0, "server connection_opened", pc_id="pc2"),
    event(40.2, "server connection_closed", pc_id="pc1", reason="replaced"),
    liveness(40.0, "checking", 2),
    liveness(41.0, "disconnected", 1),  # the old connection has no say any more
    liveness(47.0, "connected", 2),
    event(110.0, "policy give_up", cause=""),
)
NEVER = timeline(event(0.0, "client transport_state", state="connecting"), fault(0, 0.0), media=[])
EMPTY = Timeline({}, ())


def _lane(session, name) -> Lane:
    return next(lane for lane in lanes(session) if lane.name == name)


def _told(session, name):
    return [(b.span.began_s, b.span.ended_s, b.texts[0]) for b in _lane(session, name).bars]


def test_the_lanes():
    names = ["faults", "outages", "transport", "client's ICE", "policy, offers", "messages up"]
    names += ["messages down", "microphone (up)", "bot's voice (down)", "server"]
    assert [lane.name for lane in lanes(CLEAN)] == names
    assert [lane.name for lane in lanes(NEVER)] == [*names[:7], "server"]


def test_a_connection_ends_when_its_server_is_killed():
    session = timeline(
        event(0.0, "server connection_opened", pc_id="pc1"),
        fault(0, 40.0, 40.3, "server-restart"),
        event(41.0, "server connection_opened", pc_id="pc2"),
    )
    assert _told(session, "server") == [(0.0, 40.0, "1: open"), (41.0, 120.0, "2: open")]


def test_what_the_user_has_switched_off_is_shown_as_off():
    def action(t_s, do):
        return event(t_s, "client action", do=do)

    session = timeline(
        connected(),
        silence(30.0, 52.0),
        [action(35.0, "disconnect"), action(50.0, "connect"), action(110.0, "disconnect")],
        [action(70.0, "mute"), action(80.0, "unmute")],
        event(50.0, "client offer", connection=2, restart=False, pc_id=None),
        liveness(51.0, "connected", 2),
    )
    gone = "disconnected by the user"
    assert _told(session, "outages")[0] == (30.0, 35.0, "unwanted after 5.0 s")
    assert _told(session, "client's ICE") == [
        (0.1, 35.0, "1: connected"),
        (51.0, 110.0, "2: connected"),
        (35.0, 50.0, gone),
        (110.0, 120.0, gone),
    ]
    bars = _lane(session, "microphone (up)").bars
    off = [(bar.span.began_s, bar.span.ended_s, bar.texts[0]) for bar in bars if bar.look is Look.ENDED]
    assert off == [(35.0, 50.0, gone), (70.0, 80.0, "off"), (110.0, 120.0, gone)]
    good = [(bar.span.began_s, bar.span.ended_s) for bar in bars if bar.look is Look.GOOD]
    assert good == [(0.3, 35.0), (50.0, 70.0), (80.0, 110.0)]


def test_changes_of_the_links_are_marks_beside_the_faults():
    every_40_s = LinkChange(20.0, 0.0, "loss 5%", every_s=40.0)
    close = [LinkChange(90.0 + n / 10, 0.0, "loss 1%") for n in range(9)]  # of 120 s: 0.6 s can be told apart
    late = LinkChange(130.0, 0.0, "loss 2%")
    (faults, *_) = lanes(FLAKY, [every_40_s, *close, late])
    assert [(mark.t_s, mark.what) for mark in faults.marks] == [
        (t_s, "link changes") for t_s in (20.0, 60.0, 90.0, 90.7, 100.0)
    ]
    assert (
        plot_timeline(FLAKY, changes=[every_40_s]).get_legend().get_texts()[-1].get_text() == "link changes"
    )


def test_what_they_show():
    assert _told(FLAKY, "outages") == [(29.9, 47.2, "reconnected, 17.3 s"), (100.0, 120.0, "gave up")]
    assert _told(FLAKY, "transport") == [(0.0, 0.26, "connecting"), (0.26, 120.0, "ready")]
    assert _told(FLAKY, "client's ICE") == [
        (0.1, 35.0, "1: connected"),
        (35.0, 40.0, "1: disconnected"),
        (40.0, 47.0, "2: checking"),
        (47.0, 120.0, "2: connected"),
    ]
    assert _lane(FLAKY, "policy, offers").marks == (
        Mark(0.01, "offer"),
        Mark(40.0, "attempt"),
        Mark(40.0, "offer"),
        Mark(110.0, "give up"),
    )
    assert [b.texts[0] for b in _lane(FLAKY, "messages up").bars[1:]] == [
        "silent for 17.3 s",
        "silent for 20.0 s",
    ]
    assert _told(FLAKY, "server") == [(0.05, 40.2, "1: open"), (40.0, 120.0, "2: open")]
    assert _lane(FLAKY, "server").rows == 2


def test_faults_at_the_same_time_have_rows_of_their_own():
    assert [(bar.texts[0], bar.row) for bar in _lane(FLAKY, "faults").bars] == [
        ("signalling", 0),
        ("blackout", 1),
        ("rebind", 0),
    ]


def test_rows_are_used_again():
    spans = [(0.0, 5.0), (1.0, 3.0), (3.0, 4.0), (5.0, 6.0)]
    bars = in_rows([Bar(Span(*span), Look.GOOD, ()) for span in spans])
    assert [bar.row for bar in bars] == [0, 1, 1, 0]


def test_without_liveness_the_lane_shows_ice():
    session = timeline(
        event(0.1, "client ice_state", state="checking", connection=1),
        event(0.4, "client ice_state", state="completed", connection=1),
    )
    assert _told(session, "client's ICE") == [(0.1, 0.4, "1: checking"), (0.4, 120.0, "1: completed")]


def test_the_states_of_a_server_connection():
    session = timeline(
        event(0.0, "server connection_opened", pc_id="a"),
        event(0.0, "server connection_state", pc_id="a", state="connecting"),
        event(0.5, "server connection_state", pc_id="a", state="connected"),
        event(30.0, "server connection_state", pc_id="a", state="closed"),
        event(30.0, "server connection_closed", pc_id="a", reason="consent expired"),
    )
    assert _told(session, "server") == [(0.0, 0.5, "1: connecting"), (0.5, 30.0, "1: connected")]


@pytest.mark.parametrize("session", [CLEAN, FLAKY, NEVER, EMPTY], ids=["clean", "flaky", "never", "empty"])
def test_it_draws(session):
    ax = plot_timeline(session)
    assert isinstance(ax, Axes)
    assert ax.get_xlabel() == "time in seconds"
    page = io.BytesIO()
    ax.get_figure(root=True).savefig(page, format="png", dpi=100)
    assert page.getvalue().startswith(b"\x89PNG")


def test_it_says_the_finding_and_where_it_comes_from():
    ax = plot_timeline(FLAKY)
    assert (
        ax.get_title(loc="left") == "1 of 2 outages recovered; gave up at 110.0 s; ready but dead from 100 s"
    )
    texts = [text.get_text() for text in ax.texts]
    assert "profile flaky, policy pipecat, seed 7, virtual clock, n = 1 session" in texts


def test_what_stands_beside_a_bar_points_at_it():
    short, long = gap("message", "up", 20.0, 22.0), gap("message", "up", 40.0, 80.0)
    texts = [text.get_text() for text in plot_timeline(timeline(connected(), short, long)).texts]
    assert {"◂silent for 2.0 s", "silent for 40.0 s"} <= set(texts)


@pytest.mark.parametrize("session", [CLEAN, FLAKY, NEVER], ids=["clean", "flaky", "never"])
def test_no_text_is_cut_off_and_none_lies_on_another(session):
    ax = plot_timeline(session)
    figure = ax.get_figure(root=True)
    figure.draw_without_rendering()
    own = [child for child in ax.get_children() if isinstance(child, Text)]
    around = [*ax.get_yticklabels(), *ax.get_xticklabels(), ax.xaxis.label, *ax.get_legend().get_texts()]
    boxes = [text.get_window_extent() for text in [*own, *around] if text.get_text()]
    width, height = figure.canvas.get_width_height()
    assert all(b.x0 >= 0 and b.y0 >= 0 and b.x1 <= width and b.y1 <= height for b in boxes)
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_it_draws_into_given_axes_and_leaves_the_rest_alone():
    figure = Figure()
    left, right = figure.subplots(1, 2)
    assert plot_timeline(FLAKY, right) is right
    assert not left.patches
    assert not left.lines


def test_it_touches_no_global_state():
    code = "import simlab.study.plots, sys; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


@pytest.mark.parametrize(
    ("style", "ink", "note"), [("default", "#222222", "#444444"), ("dark_background", *["white"] * 2)]
)
def test_attempts_faults_and_the_note_can_be_seen_on_a_dark_figure(style, ink, note):
    with matplotlib.style.context(style):
        ax = plot_timeline(FLAKY)
    attempts = [line for line in ax.lines if line.get_marker() == "D"]
    assert {line.get_color() for line in attempts} == {ink}
    edges = [line for line in ax.lines if line.get_linestyle() == ":"]
    assert {line.get_color() for line in edges} == {ink}
    assert [text.get_color() for text in ax.texts if "clock" in text.get_text()] == [note]
