"""The picture of a study: how soon outages are over, policy by policy."""

import math
from collections.abc import Sequence
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simlab.study.summary import Cell

_FIGURE_INCHES = (9.0, 5.5)
_MOST_BANDS = 4
# Okabe and Ito's hues, for the colour-blind, each with a dash of its own, for print in grey.
_LINES = (
    ("#0072B2", "-"),
    ("#D55E00", "--"),
    ("#009E73", "-."),
    ("#CC79A7", ":"),
    ("#E69F00", (0, (5, 1, 1, 1, 1, 1))),
    ("#56B4E9", (0, (8, 2))),
    ("#000000", (0, (1, 1))),
)


def plot_recovery(cells: Sequence[Cell], ax: Axes | None = None) -> Axes:
    """Draw the recovery curves of the cells of a study.

    Parameters
    ----------
    cells
        From ``summarise``; those without any outage are left out.
    ax
        Where to draw; by default new axes in a figure of their own, 9 by 5.5 inches.

    Returns
    -------
    matplotlib.axes.Axes
        The seconds since an outage began to the right, the share that is over upwards. Nothing is saved or
        shown.
    """
    if ax is None:
        ax = Figure(figsize=_FIGURE_INCHES, layout="constrained").add_subplot()
    drawn = [cell for cell in cells if cell.curve.outages]
    until_s = max((cell.curve.longest_s for cell in drawn), default=1.0)
    banded = len(drawn) <= _MOST_BANDS
    for cell, name, (colour, dash) in zip(drawn, names_of(drawn), cycle(_LINES), strict=False):
        _draw(ax, cell, name, {"color": colour, "linestyle": dash}, until_s, banded=banded)
    _dress(ax, drawn, until_s)
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


def names_of(cells: Sequence[Cell]) -> list[str]:
    """Return what the cells are called: what tells them apart, or everything where there is one only."""
    telling = (
        [key for key in cells[0].labels if len({cell.labels[key] for cell in cells}) > 1] if cells else []
    )
    return [", ".join(str(cell.labels[key]) for key in telling or cell.labels) for cell in cells]


def _dress(ax: Axes, drawn: Sequence[Cell], until_s: float) -> None:
    ax.set_xlim(0.0, until_s)
    ax.set_ylim(0.0, 1.02)
    ax.set_xlabel("seconds since the outage began")
    ax.set_ylabel("share of outages that are over")
    ax.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    ax.grid(visible=True, color="#CCCCCC", linewidth=0.6)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    ax.set_title(finding(drawn), loc="left", fontsize=12, fontweight="bold", wrap=True)
    if drawn:
        ax.legend(frameon=False, loc="lower right", title="recovered, of all outages")
    outages = sum(cell.curve.outages for cell in drawn)
    sessions = sum(cell.sessions for cell in drawn)
    ax.annotate(
        f"n = {outages} outages in {sessions} sessions; bands: 95 %, pointwise",
        (0.0, -0.14),
        xycoords="axes fraction",
        fontsize=8,
        color="#444444",
        va="top",
    )


def finding(cells: Sequence[Cell]) -> str:
    """Say in a sentence what the curves show."""
    compared = [cell for cell in cells if cell.curve.outages]
    if not compared:
        return "No outage in any session"
    told = dict(zip(names_of(compared), compared, strict=True))
    ordered = sorted(told, key=lambda name: _order(told[name]))
    chosen = dict.fromkeys((ordered[0], ordered[-1]))
    return ";\n".join(f"{name}: {_how(told[name])}" for name in chosen)


def _order(cell: Cell) -> tuple[float, float, float]:
    never = 1 - cell.curve.recovered / cell.curve.outages
    return never, cell.p95_s, cell.median_s


def _how(cell: Cell) -> str:
    curve = cell.curve
    ended = f"{curve.recovered} of {curve.outages} outages ended"
    for share, value_s in ((95, cell.p95_s), (50, cell.median_s)):
        if math.isfinite(value_s):
            return f"{ended}, {share} % of all within {value_s:.1f} s"
    return ended
