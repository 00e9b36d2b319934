"""What the pictures of studies look like, and what they say where there is nothing to draw."""

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.transforms import Transform

from simlab.study.inks import quiet
from simlab.study.summary import Cell
from simlab.study.words import count

INK = "#222222"
NEVER = "#EEEEEE"
NOTHING = "No session could be run"
_NEAR = 0.05  # of the axes' width, in which there is no room for words
# Okabe and Ito's hues, for the colour-blind, each with a dash and a marker of its own, for print in grey.
_SEVEN: tuple[tuple[str, Any], ...] = (
    ("#0072B2", "-"),
    ("#D55E00", "--"),
    ("#009E73", "-."),
    ("#CC79A7", ":"),
    ("#E69F00", (0, (5, 1, 1, 1, 1, 1))),
    ("#56B4E9", (0, (8, 2))),
    ("#000000", (0, (1, 1))),
)
LINES = tuple(
    (colour, _SEVEN[(at + turn) % 7][1]) for turn in range(7) for at, (colour, _) in enumerate(_SEVEN)
)
"""After seven, the same colours come again with other dashes."""
_LETTER_INCHES = 0.08
_BARE_INCHES = 5.5  # of a figure with names on both sides, without them
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "<", ">", "p", "h")


def width_for(names: Sequence[str], least_inches: float) -> float:
    """Return the width of a figure with these names beside the axes, the longest at each side, in inches."""
    return max(least_inches, _BARE_INCHES + 2 * _LETTER_INCHES * max(map(len, names), default=0))


def tidy(ax: Axes) -> None:
    """Draw a light grid, and no frame above and at the right."""
    ax.grid(visible=True, color="#CCCCCC", linewidth=0.6)
    ax.set_axisbelow(True)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)


def title(ax: Axes, finding: str) -> None:
    """Write the finding above the axes."""
    ax.set_title(finding, loc="left", fontsize=12, fontweight="bold", wrap=True)


def empty(ax: Axes) -> Axes:
    """Say in axes that there is nothing to draw."""
    ax.set_axis_off()
    title(ax, NOTHING)
    return ax


def rests_on(cells: Sequence[Cell], each: str = "", together: str = "") -> str:
    """Return what a picture rests on: ``"n = 40 sessions, 20 a cell; 2 profiles together"``."""
    sessions = count(sum(cell.sessions for cell in cells), "session")
    return f"n = {sessions}{each}{f'; {together}' if together else ''}"


def corner(ax: Axes, text: str, points_below: float = 38.0) -> None:
    """Write below the left corner of the axes how much the picture rests on."""
    below(ax, 0.0, points_below, text, ax.transAxes)


def below(
    ax: Axes,
    x: float,
    points: float,
    text: str,
    where: Transform,
    *,
    color: str | None = None,
    ha: str = "left",
    points_right: float = 0.0,
) -> None:
    """Write some points below the axes, at ``x`` in the coordinates ``where`` and some points more."""
    ax.annotate(
        text,
        (x, 0.0),
        (points_right, -points),
        xycoords=where,
        textcoords="offset points",
        fontsize=8,
        color=color or quiet(ax),
        ha=ha,
        va="top",
        annotation_clip=False,
    )


def reference(ax: Axes, at: float, text: str) -> None:
    """Draw a line at a known time, and say beside it what it is: at its left, where there is room.

    The limits of the axes must be set.
    """
    share = ax.transAxes.inverted().transform(ax.transData.transform((at, 0.0)))[0]
    is_near = share < _NEAR
    ax.axvline(at, color="#777777", linewidth=0.9, linestyle=(0, (1, 2)), zorder=1)
    ax.annotate(
        text,
        (at, 0.5),
        (3.0 if is_near else -3.0, 0.0),
        xycoords=ax.get_xaxis_transform(),
        textcoords="offset points",
        rotation=90,
        fontsize=7,
        color=quiet(ax, "#666666"),
        ha="left" if is_near else "right",
        va="center",
    )


def names_of(cells: Sequence[Cell]) -> list[str]:
    """Return what cells are called: what tells them apart, or everything where there is one only."""
    telling = (
        [key for key in cells[0].labels if len({cell.labels[key] for cell in cells}) > 1] if cells else []
    )
    return [", ".join(str(cell.labels[key]) for key in telling or cell.labels) for cell in cells]
