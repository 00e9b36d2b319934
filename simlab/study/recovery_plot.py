"""The picture of a study: how soon outages are over, policy by policy."""

import math
from collections.abc import Sequence
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from simlab.study.looks import (
    LINES,
    NOTHING,
    below,
    corner,
    names_of,
    reference,
    tidy,
    title,
    width_for,
)
from simlab.study.own_axes import new_axes
from simlab.study.summary import Cell
from simlab.study.words import count

_WIDTH_INCHES, _HEIGHT_INCHES = 9.0, 6.0
_MOST_BANDS = 4
_MOST_ROWS = 8
_MOST_INSIDE = 6
_ROW_POINTS = 12.0
_NAME_POINTS = 14.0  # left of the axis, which the first number is centred on
_ICE_FAILS_S = 39.5


def plot_recovery(cells: Sequence[Cell], ax: Axes | None = None, together: str = "") -> Axes:
    """Draw the recovery curves of the cells of a study.

    Parameters
    ----------
    cells
        From ``summarise``; those without any outage have no curve.
    ax
        Where to draw; by default new axes in a figure of their own, 9 by 6 inches, wider for long names.
    together
        What a curve has in it: ``"12 profiles together"``.

    Returns
    -------
    matplotlib.axes.Axes
        The seconds since an outage began to the right, the share that is over upwards. Nothing is saved or
        shown.
    """
    drawn = [cell for cell in cells if cell.curve.outages]
    ax = ax or new_axes(width_for(names_of(drawn), _WIDTH_INCHES), _HEIGHT_INCHES)
    until_s = max((cell.curve.longest_s for cell in drawn), default=1.0)
    banded = 0 < len(drawn) <= _MOST_BANDS
    for cell, name, (colour, dash) in zip(drawn, names_of(drawn), cycle(LINES), strict=False):
        _draw(ax, cell, name, {"color": colour, "linestyle": dash}, until_s, banded=banded)
    _dress(ax, drawn, until_s)
    title(ax, finding(cells))
    rows = _at_risk(ax, drawn, until_s) if len(drawn) <= _MOST_ROWS else 0
    remarks = [together] * bool(together) + ["bands: 95 %, pointwise"] * banded
    corner(ax, "; ".join([_rests_on(cells), *remarks]), 38 + _ROW_POINTS * rows)
    return ax


def _draw(ax: Axes, cell: Cell, name: str, look: dict[str, Any], until_s: float, *, banded: bool) -> None:
    curve = cell.curve
    at_s = np.concatenate([[0.0], curve.at_s, [until_s]])
    over = 1 - np.concatenate([[1.0], curve.open_share, curve.open_share[-1:] if len(curve.at_s) else [1.0]])
    label = f"{name} ({curve.recovered} of {curve.outages})"
    ax.step(at_s, over, where="post", linewidth=2.0, label=label, **look)
    if banded and len(curve.at_s):
        low, high = (1 - np.concatenate([end, end[-1:]]) for end in (curve.high, curve.low))
        ax.fill_between(at_s[1:], low, high, step="post", color=look["color"], alpha=0.15, linewidth=0)


def _dress(ax: Axes, drawn: Sequence[Cell], until_s: float) -> None:
    ax.set_xlim(0.0, 1.02 * until_s)  # the last rise is not on the edge
    ax.set_ylim(0.0, 1.02)
    ax.set_xlabel("time since the outage began, in seconds")
    ax.set_ylabel("share of outages that are over")
    ax.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    tidy(ax)
    if until_s > _ICE_FAILS_S:
        reference(ax, _ICE_FAILS_S, "39.5 s: before, no agent may call ICE failed (RFC 8863)")
    if drawn:
        many = len(drawn) > _MOST_INSIDE  # these stand beside the axes, not over the curves
        place = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0)} if many else {"loc": "best"}
        ax.legend(framealpha=0.9, edgecolor="none", title="recovered, of all outages", fontsize=9, **place)


def _rests_on(cells: Sequence[Cell]) -> str:
    outages = count(sum(cell.curve.outages for cell in cells), "outage")
    return f"n = {outages} in {count(sum(cell.sessions for cell in cells), 'session')}"


def _at_risk(ax: Axes, drawn: Sequence[Cell], until_s: float) -> int:
    """Write below the axis how many outages were still open and watched; return how many lines it took."""
    if not drawn:
        return 0
    times_s = [tick for tick in ax.get_xticks() if 0 <= tick <= until_s]
    below(ax, 0.0, 38.0, "still open and watched:", ax.transAxes)
    for row, (cell, name, (colour, _)) in enumerate(
        zip(drawn, names_of(drawn), cycle(LINES), strict=False), 1
    ):
        y = 38.0 + _ROW_POINTS * row
        for at_s in times_s:
            below(
                ax,
                at_s,
                y,
                str(cell.curve.at_risk(at_s)),
                ax.get_xaxis_transform(),
                color=colour,
                ha="center",
            )
        below(ax, 0.0, y, name, ax.transAxes, color=colour, ha="right", points_right=-_NAME_POINTS)
    return len(drawn) + 1


def finding(cells: Sequence[Cell]) -> str:
    """Say in a sentence what the curves show."""
    if not cells:
        return NOTHING
    compared = [cell for cell in cells if cell.curve.outages]
    if not compared:
        never, sessions = sum(cell.never_came_about for cell in cells), sum(cell.sessions for cell in cells)
        calls = count(sessions, "call")
        return f"No outage, but {never} of {calls} never came about" if never else "No outage in any session"
    told: dict[str, Cell] = dict(zip(names_of(compared), compared, strict=True))
    ordered = sorted(told, key=lambda name: _order(told[name]))
    chosen = dict.fromkeys((ordered[0], ordered[-1]))
    return ";\n".join(f"{name}: {_how(told[name])}" for name in chosen)


def _order(cell: Cell) -> tuple[float, float, float]:
    never = 1 - cell.curve.recovered / cell.curve.outages
    return never, cell.p95_s, cell.median_s


def _how(cell: Cell) -> str:
    curve = cell.curve
    ended = f"{curve.recovered} of {count(curve.outages, 'outage')} ended"
    for share, value_s in ((95, cell.p95_s), (50, cell.median_s)):
        if math.isfinite(value_s):
            # Where some were still open, Kaplan and Meier's curve says of all what was not seen of all.
            an_estimated = "" if curve.recovered == curve.outages else "an estimated "
            return f"{ended}, {an_estimated}{share} % of all within {value_s:.1f} s"
    return ended
