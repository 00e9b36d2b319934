"""The picture of what varies: how soon outages are over at each value, policy by policy."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.patches import Patch, Rectangle

from simlab.study.looks import INK, NEVER, corner, empty, rests_on, title
from simlab.study.own_axes import new_axes
from simlab.study.summary import Cell
from simlab.study.words import listed

_MOST_NUMBERS = 14
_Grid = npt.NDArray[np.float64]


def plot_heat(cells: Sequence[Cell], key: str, ax: Axes | None = None, together: str = "") -> Axes:
    """Draw the median recovery time as colours: what varies to the right, policies downwards.

    Parameters
    ----------
    cells
        A cell for each policy and value of ``key``.
    key
        The column of what varies, such as the length of a fault.
    together
        What a cell has in it: ``"2 profiles together"``.

    Returns
    -------
    matplotlib.axes.Axes
        White with a hatch and a cross where half of the outages are never over.
    """
    ax = ax or new_axes(10.0, 4.5)
    if not cells:
        return empty(ax)
    values = list(dict.fromkeys(str(cell.labels[key]) for cell in cells))
    policies = list(dict.fromkeys(str(cell.labels["policy"]) for cell in cells))
    grid = np.full((len(policies), len(values)), math.nan)
    for cell in cells:
        grid[policies.index(str(cell.labels["policy"])), values.index(str(cell.labels[key]))] = cell.median_s
    finite = np.where(np.isfinite(grid), grid, math.nan)
    longest_s = float(np.nanmax(finite)) if np.isfinite(grid).any() else 1.0
    image = ax.imshow(finite, aspect="auto", cmap="cividis_r", vmin=0.0, vmax=longest_s)
    _write_grid(ax, grid, longest_s)
    ax.set_yticks(range(len(policies)), policies)
    ax.set_xticks(range(len(values)), values, rotation=45 if len(values) > 10 else 0)
    ax.set_xlabel(f"{key}, as in the profile")
    ax.set_ylabel("policy")
    figure = ax.get_figure(root=True)
    assert figure is not None
    figure.colorbar(image, ax=ax, label="half of the outages are over within, in seconds", pad=0.02)
    if np.isinf(grid).any():
        ax.legend(
            handles=[_never_patch()], loc="lower left", bbox_to_anchor=(0.0, 1.0), frameon=False, fontsize=8
        )
    title(ax, finding(grid, policies, values, key) + ("\n" if np.isinf(grid).any() else ""))
    fewest, most = (choose(cell.sessions for cell in cells) for choose in (min, max))
    each = f"{most}" if fewest == most else f"{fewest} to {most}"
    corner(ax, rests_on(cells, f", {each} a cell", together), 50.0)
    return ax


def _never_patch() -> Patch:
    return Patch(facecolor=NEVER, edgecolor="#888888", hatch="xx", label="half are never over")


def _write_grid(ax: Axes, grid: _Grid, longest_s: float) -> None:
    for (row, column), value_s in np.ndenumerate(grid):
        if math.isinf(value_s):
            corner_at = (column - 0.5, row - 0.5)
            box = Rectangle(corner_at, 1, 1, facecolor=NEVER, edgecolor="#888888", hatch="xx", linewidth=0.0)
            ax.add_patch(box)
        elif math.isnan(value_s):
            ax.text(column, row, "none", ha="center", va="center", fontsize=7, color="#777777")
        else:
            dark = value_s > 0.55 * longest_s
            text = f"{value_s:.0f}" if grid.shape[1] > _MOST_NUMBERS else f"{value_s:.1f}"
            ax.text(column, row, text, ha="center", va="center", fontsize=8, color="white" if dark else INK)


def finding(
    grid: _Grid,
    policies: Sequence[str],
    values: Sequence[str],
    key: str,
) -> str:
    """Say in a sentence where most outages are not over, or how late they are; ``grid`` is in seconds."""
    if np.isnan(grid).all():
        return "No outage was seen"
    lost = {name: int(np.isinf(row).sum()) for name, row in zip(policies, grid, strict=True)}
    worst = max(lost, key=lambda name: lost[name])
    if not lost[worst]:
        slowest = int(np.argmax(np.where(np.isnan(grid), -1.0, grid).max(axis=1)))
        most_s = float(np.nanmax(grid[slowest]))
        return (
            f"Half of the outages are over within {most_s:.1f} s at most, with {policies[slowest]} the latest"
        )
    at = np.nonzero(np.isinf(grid[policies.index(worst)]))[0].tolist()
    on = len(at) > 1 and at == list(range(at[0], len(values)))
    where = f"from {key} = {values[at[0]]} on" if on else f"at {key} = {listed([values[one] for one in at])}"
    saved = [name for name, number in lost.items() if not number]
    but = f"; with {listed(saved)} at least half are at every value" if saved else ""
    return f"Policy {worst}: most outages are not over {where}{but}"
