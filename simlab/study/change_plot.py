"""The picture of two studies: what each cell was before, and what it is after."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.transforms import offset_copy

from simlab.study.cells_compared import CellCompared
from simlab.study.comparison_words import cell_names, change_finding
from simlab.study.inks import quiet
from simlab.study.looks import INK, corner, tidy, title
from simlab.study.own_axes import new_axes

_LEGEND_POINTS = -38.0  # below the axes
_COLOURS = {"better": "#009E73", "worse": "#D55E00", "mixed": "#CC79A7", "can't be told": "#888888"}


def plot_change(cells: Sequence[CellCompared], ax: Axes | None = None) -> Axes:
    """Draw the usable share of each cell, before and after, and say what became of it.

    Returns
    -------
    matplotlib.axes.Axes
        A row for each cell: an open circle is before, a filled one is after.
    """
    ax = ax or new_axes(9.0, 1.8 + 0.36 * len(cells))
    ink = quiet(ax, INK)
    for row, one in enumerate(cells):
        colour = _COLOURS[one.verdict]
        ends = [one.before.usable_fraction, one.after.usable_fraction]
        ax.plot(ends, [row, row], color=colour, linewidth=2.5, zorder=2)
        before, after = (
            ("before", "after") if row == 0 else ("_", "_")
        )  # what begins with _ is not in a legend
        ax.plot(ends[0], row, "o", color="white", markeredgecolor=ink, markersize=9, zorder=3, label=before)
        ax.plot(ends[1], row, "o", color=ink, markeredgecolor=ink, markersize=6, zorder=4, label=after)
        ax.annotate(
            one.verdict,
            (1.01, row),
            xycoords=ax.get_yaxis_transform(),
            va="center",
            fontsize=9,
            color=quiet(ax, "#555555") if one.verdict == "can't be told" else colour,
            annotation_clip=False,
        )
    ax.set_yticks(range(len(cells)), cell_names(cells))
    ax.set_ylim(len(cells) - 0.5, -0.5)
    ax.set_xlabel("share of the session in which all passed both ways")
    ax.xaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    tidy(ax)
    lower = offset_copy(ax.transAxes, ax.get_figure(root=True), y=_LEGEND_POINTS, units="points")
    ax.legend(
        frameon=False,
        loc="upper right",
        bbox_to_anchor=(1.0, 0.0),
        bbox_transform=lower,
        borderaxespad=0.0,
        ncols=2,
        fontsize=9,
    )
    title(ax, change_finding(cells))
    numbers = tuple(sum(one.comparison.sessions[side] for one in cells) for side in (0, 1))
    corner(
        ax,
        f"n = {numbers[0]} and {numbers[1]} sessions; verdict: saved calls, usable time, longest outage",
    )
    return ax
