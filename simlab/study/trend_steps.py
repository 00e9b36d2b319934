"""In the picture of a trend: the steps in which a measure changed."""

from collections.abc import Sequence

from matplotlib.axes import Axes

from simlab.study.nights import MEASURES
from simlab.study.trend_cells import Record
from simlab.study.trend_changes import Change
from simlab.study.words import number_text


def draw_steps(ax: Axes, changed: Sequence[Change], nights: Sequence[Record], colour: str) -> None:
    """Draw the mean between changes, as stairs, and write at each step what it comes to.

    Parameters
    ----------
    changed
        The changes of one measure of a cell, in order.
    nights
        The records of that cell.
    """
    if not changed:
        return
    edges = [
        nights[0]["night"] - 0.5,
        *(one.first["night"] - 0.5 for one in changed),
        nights[-1]["night"] + 0.5,
    ]
    ax.stairs(
        [changed[0].before, *(one.after for one in changed)],
        edges,
        baseline=None,
        color=colour,
        linewidth=5.0,
        alpha=0.3,
    )
    for one, edge in zip(changed, edges[1:], strict=False):
        higher = max(one.before, one.after)
        ax.annotate(
            step_text(one),
            (edge, higher),
            (0.0, 4.0),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=8,
            color=colour,
        )


def step_text(change: Change) -> str:
    """Return what a step comes to, with its sign: ``+2 s``, ``-12 %``."""
    unit = MEASURES[change.measure][1]
    height = (change.after - change.before) * (100 if unit == " %" else 1)
    return f"{'+' if height > 0 else '-'}{number_text(float(f'{abs(height):.2g}'))}{unit}"
