"""The picture of a session."""

import textwrap
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.textpath import TextPath
from matplotlib.transforms import offset_copy

from simlab.core.timeline import Timeline
from simlab.study import reading
from simlab.study.crowd import clients_in
from simlab.study.headline import headline
from simlab.study.inks import quiet
from simlab.study.lanes import LINK_CHANGE, Bar, Lane, Look, lanes
from simlab.study.link_changes import LinkChange
from simlab.study.metrics import metrics
from simlab.study.own_axes import new_axes
from simlab.study.spans import union
from simlab.study.storm_plot import draw_storm

_FIGURE_INCHES = (12.0, 7.0)
_POINTS_PER_INCH = 72.0
_AXES_SHARE = 0.86  # of a figure's width, when the layout has made room for the names of the lanes
_DEFAULT_AXES_SHARE = 0.775  # the same before
_TITLE_CHARACTERS = 100
_LANE_HEIGHT = 0.8
_ROW_GROWTH = 0.45
_TALLEST_LANE = 3.25
_TEXT_POINTS = 9.0
_TEXT_MARGIN_POINTS = 8.0
_INSTANT_SHARE = 0.004  # of the time axis: the width in which a moment can be seen
_LEGEND_POINTS = -38.0  # below the axes
_INK = "#222222"
_BESIDE = "\N{BLACK LEFT-POINTING SMALL TRIANGLE}"

# Face, edge and hatch. The hues are Okabe and Ito's, told apart by the colour-blind; in grey, the brightness
# and the hatches tell them apart.
_LOOKS = {
    Look.GOOD: ("#A8D8F3", "#5B8CA8", ""),
    Look.WAITING: ("#F4E96B", "#A39A2B", "///"),
    Look.BAD: ("#D55E00", "#8F3F00", "xx"),
    Look.ENDED: ("#FFFFFF", "#999999", ".."),
    Look.FAULT: ("#8C8C8C", "#555555", "\\\\"),
}
# Marker, face colour, and the height in the lane from -1 (bottom) to 1 (top).
_MARKS = {
    "attempt": ("D", _INK, -0.5),
    "give up": ("s", "#D55E00", -0.5),
    "offer": ("^", "white", 0.5),
    "offer failed": ("X", "#D55E00", 0.5),
    LINK_CHANGE: ("v", "#8C8C8C", 0.8),
}


def plot_timeline(timeline: Timeline, ax: Axes | None = None, changes: Sequence[LinkChange] = ()) -> Axes:
    """Draw a session: what the network did, what client, policy and server did about it, what got through.

    Parameters
    ----------
    timeline
        The session.
    ax
        Where to draw; by default new axes in a figure of their own, 12 by 7 inches.
    changes
        Of the links; those of a session with several clients are not drawn.

    Returns
    -------
    matplotlib.axes.Axes
        The time in seconds to the right, a lane for each thing downwards; of several clients, a row for each.
        Nothing is saved or shown.
    """
    if ax is None:
        ax = new_axes(*_FIGURE_INCHES)
    if clients_in(timeline) > 1:
        draw_storm(ax, timeline)
        _label(ax, timeline)
        return ax
    drawn = lanes(timeline, changes)
    width_s = max(reading.end_s(timeline), 1e-3)
    tops = _tops(drawn)
    ax.set_xlim(0.0, width_s)
    ax.set_ylim(tops[-1], 0.0)
    _shade_faults(ax, drawn[0])
    for lane, top, bottom in zip(drawn, tops, tops[1:], strict=False):
        _draw_lane(ax, lane, top, bottom)
    _dress(ax, drawn, tops)
    _label(ax, timeline)
    _add_legend(ax, drawn)
    return ax


def _tops(drawn: Sequence[Lane]) -> list[float]:
    """Return the upper edge of each lane, and the lower one of the last."""
    tops = [0.0]
    for lane in drawn:
        tops.append(tops[-1] + min(1.0 + _ROW_GROWTH * (lane.rows - 1), _TALLEST_LANE))
    return tops


def _shade_faults(ax: Axes, faults: Lane) -> None:
    for span in union(bar.span for bar in faults.bars):
        ax.axvspan(
            span.began_s, span.ended_s, color=quiet(ax, "#000000"), alpha=0.12, linewidth=0.0, zorder=0
        )
        for edge_s in (span.began_s, span.ended_s):  # over the bars, which hide the band
            ax.axvline(edge_s, color=quiet(ax, _INK), linestyle=":", linewidth=0.9, zorder=2.5)


def _draw_lane(ax: Axes, lane: Lane, top: float, bottom: float) -> None:
    margin = (1.0 - _LANE_HEIGHT) / 2
    height = (bottom - top - 2 * margin) / lane.rows
    for bar in lane.bars:
        y = top + margin + bar.row * height
        _draw_box(ax, bar, y, height)
        if _is_tall_enough(ax, height):
            _write(ax, bar, lane, y + height / 2)
    for mark in lane.marks:
        marker, colour, level = _MARKS[mark.what]
        y = (top + bottom) / 2 - level * _LANE_HEIGHT / 2
        ax.plot(mark.t_s, y, marker, **_inks(ax, colour), markersize=7, clip_on=False, zorder=4)
    if not lane.bars and not lane.marks:
        _put(ax, ax.get_xlim()[1] / 2, (top + bottom) / 2, lane.empty, color="#777777", ha="center")


def _inks(ax: Axes, colour: str) -> dict[str, Any]:
    edge = quiet(ax, _INK)
    return {"color": edge if colour == _INK else colour, "markeredgecolor": edge}


def _is_tall_enough(ax: Axes, height: float) -> bool:
    figure = ax.get_figure(root=True)
    inches = (figure.get_size_inches()[1] if figure else _FIGURE_INCHES[1]) * ax.get_position().height
    return bool(height / ax.get_ylim()[0] * inches * _POINTS_PER_INCH >= _TEXT_POINTS)


def _draw_box(ax: Axes, bar: Bar, y: float, height: float) -> None:
    colour, edge, hatch = _LOOKS[bar.look]
    length_s = bar.span.length_s
    if bar.look is Look.FAULT:
        length_s = max(length_s, _INSTANT_SHARE * ax.get_xlim()[1])
    corner = (bar.span.began_s, y)
    ax.add_patch(
        Rectangle(
            corner, length_s, height, facecolor=colour, edgecolor=edge, hatch=hatch, linewidth=0.7, zorder=2
        )
    )


def _write(ax: Axes, bar: Bar, lane: Lane, y: float) -> None:
    """Write the first of a bar's texts that finds room: in it, or after it where no other follows.

    There it points back at the bar, or it would be read as what is so from then on.
    """
    later_s = [other.span.began_s for other in lane.bars if other.row == bar.row and other.span > bar.span]
    width_s = ax.get_xlim()[1]
    room_after_s = min([*later_s, width_s]) - bar.span.ended_s
    for text in bar.texts:
        if _needed_s(ax, text) <= bar.span.length_s:
            _put(ax, (bar.span.began_s + bar.span.ended_s) / 2, y, text, color=_INK, ha="center")
            return
        beside = f"{_BESIDE}{text}"
        if _needed_s(ax, beside) <= room_after_s:
            _put(ax, bar.span.ended_s + _INSTANT_SHARE * width_s, y, beside, color=_INK, ha="left")
            return


def _put(ax: Axes, t_s: float, y: float, text: str, *, color: str, ha: str) -> None:
    label = ax.text(t_s, y, text, fontsize=_TEXT_POINTS, color=color, va="center", clip_on=True, zorder=3)
    label.set_horizontalalignment(ha)  # type: ignore[arg-type]
    label.set_bbox({"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1.0})


def _needed_s(ax: Axes, text: str) -> float:
    """Return how much of the time axis a text takes."""
    figure = ax.get_figure(root=True)
    inches = figure.get_size_inches()[0] if figure else _FIGURE_INCHES[0]
    # Axes alone in a figure are given their final width only when drawn; others have theirs already.
    share = min(_AXES_SHARE, ax.get_position().width * _AXES_SHARE / _DEFAULT_AXES_SHARE)
    return float(
        (_width_points(text) + _TEXT_MARGIN_POINTS) / (inches * share * _POINTS_PER_INCH) * ax.get_xlim()[1]
    )


@lru_cache(maxsize=1000)
def _width_points(text: str) -> float:
    """Return how wide a text is: some milliseconds' work, and the same few are asked for again and again."""
    return float(TextPath((0, 0), text, size=_TEXT_POINTS, prop=FontProperties()).get_extents().width)


def _dress(ax: Axes, drawn: Sequence[Lane], tops: Sequence[float]) -> None:
    middles = [(top + bottom) / 2 for top, bottom in pairwise(tops)]
    ax.set_yticks(middles, [lane.name for lane in drawn])
    ax.tick_params(axis="y", length=0)
    ax.grid(visible=True, axis="x", color="#CCCCCC", linewidth=0.6)
    ax.set_axisbelow(True)
    ax.hlines(tops[1:-1], *ax.get_xlim(), colors="#DDDDDD", linewidth=0.6, zorder=1)
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)


def _label(ax: Axes, timeline: Timeline) -> None:
    finding = headline(timeline, metrics(timeline))
    ax.set_title(textwrap.fill(finding, _TITLE_CHARACTERS), loc="left", fontsize=13, fontweight="bold")
    ax.set_xlabel("time in seconds")
    header = timeline.header
    facts = [
        f"profile {header.get('profile')}",
        f"policy {header.get('policy')}",
        f"seed {header.get('seed')}",
        f"{header.get('clock')} clock",
        "n = 1 session" if clients_in(timeline) == 1 else f"n = {clients_in(timeline)} clients",
    ]
    ax.annotate(
        ", ".join(facts),
        (1.0, 0.0),
        (0.0, -22.0),
        xycoords="axes fraction",
        textcoords="offset points",
        ha="right",
        va="top",
        fontsize=8,
        color=quiet(ax),
    )


def _add_legend(ax: Axes, drawn: Sequence[Lane]) -> None:
    looks = {bar.look for lane in drawn for bar in lane.bars}
    marks = {mark.what for lane in drawn for mark in lane.marks}
    handles = [
        Patch(facecolor=colour, hatch=hatch, edgecolor=edge, linewidth=0.7, label=look.value)
        for look, (colour, edge, hatch) in _LOOKS.items()
        if look in looks
    ]
    lines = [
        Line2D([], [], marker=marker, **_inks(ax, colour), linestyle="", label=what)
        for what, (marker, colour, _) in _MARKS.items()
        if what in marks
    ]
    if handles or lines:
        below = offset_copy(ax.transAxes, ax.get_figure(root=True), y=_LEGEND_POINTS, units="points")
        ax.legend(
            handles=[*handles, *lines],
            ncols=len(handles) + len(lines),
            loc="upper left",
            bbox_to_anchor=(0.0, 0.0),
            bbox_transform=below,
            borderaxespad=0.0,
            frameon=False,
            fontsize=9,
        )
