"""Pictures of what the cells of a study come to."""

import math
from collections.abc import Sequence
from itertools import cycle

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch, Rectangle

from simlab.study.looks import (
    INK,
    LINES,
    MARKERS,
    NOTHING,
    corner,
    names_of,
    new_axes,
    tidy,
    title,
    width_for,
)
from simlab.study.summary import Cell
from simlab.study.words import count, listed

_NEVER = "#EEEEEE"
_MOST_NUMBERS = 14
# One more than there are hues: after seven policies the same hue comes with another hatch.
_HATCHES = ("", "///", "...", "xx", "\\\\\\", "++", "oo", "--")


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
        return _empty(ax)
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
    title(ax, _heat_finding(grid, policies, values, key) + ("\n" if np.isinf(grid).any() else ""))
    fewest, most = (choose(cell.sessions for cell in cells) for choose in (min, max))
    each = f"{most}" if fewest == most else f"{fewest} to {most}"
    corner(ax, _rests_on(cells, f", {each} a cell", together), 50.0)
    return ax


def _empty(ax: Axes) -> Axes:
    ax.set_axis_off()
    title(ax, NOTHING)
    return ax


def _rests_on(cells: Sequence[Cell], each: str = "", together: str = "") -> str:
    sessions = count(sum(cell.sessions for cell in cells), "session")
    return f"n = {sessions}{each}{f'; {together}' if together else ''}"


def _never_patch() -> Patch:
    return Patch(facecolor=_NEVER, edgecolor="#888888", hatch="xx", label="half are never over")


def _write_grid(
    ax: Axes, grid: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]", longest_s: float
) -> None:
    for (row, column), value_s in np.ndenumerate(grid):
        if math.isinf(value_s):
            corner_at = (column - 0.5, row - 0.5)
            box = Rectangle(corner_at, 1, 1, facecolor=_NEVER, edgecolor="#888888", hatch="xx", linewidth=0.0)
            ax.add_patch(box)
        elif math.isnan(value_s):
            ax.text(column, row, "none", ha="center", va="center", fontsize=7, color="#777777")
        else:
            dark = value_s > 0.55 * longest_s
            text = f"{value_s:.0f}" if grid.shape[1] > _MOST_NUMBERS else f"{value_s:.1f}"
            ax.text(column, row, text, ha="center", va="center", fontsize=8, color="white" if dark else INK)


def _heat_finding(
    grid: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]",
    policies: Sequence[str],
    values: Sequence[str],
    key: str,
) -> str:
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


def plot_usable(cells: Sequence[Cell], ax: Axes | None = None, together: str = "") -> Axes:
    """Draw the usable share of the sessions: a row of bars for each profile, a bar for each policy."""
    profiles = list(dict.fromkeys(str(cell.labels.get("profile", "all")) for cell in cells))
    policies = list(dict.fromkeys(str(cell.labels["policy"]) for cell in cells))
    ax = ax or new_axes(width_for([*profiles, *policies], 9.0), 2.2 + 0.32 * len(cells))
    if not cells:
        return _empty(ax)
    height = 0.8 / len(policies)
    for number, (policy, (colour, _), hatch) in enumerate(
        zip(policies, cycle(LINES), cycle(_HATCHES), strict=False)
    ):
        own = [cell for cell in cells if str(cell.labels["policy"]) == policy]
        rows = [
            profiles.index(str(cell.labels.get("profile", "all"))) - 0.4 + height * (number + 0.5)
            for cell in own
        ]
        bars = ax.barh(
            rows,
            [cell.usable_fraction for cell in own],
            height * 0.92,
            color=colour,
            edgecolor="white",
            hatch=hatch,
            label=policy,
        )
        ax.bar_label(bars, [f"{cell.usable_fraction:.1%}" for cell in own], padding=3, fontsize=8)
    ax.set_yticks(range(len(profiles)), profiles)
    ax.set_ylim(len(profiles) - 0.5, -0.5)
    ax.set_xlim(0.0, 1.08)
    ax.set_xlabel("share of the session in which all passed both ways")
    ax.set_ylabel("profile")
    ax.xaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    tidy(ax)
    ax.grid(visible=False, axis="y")
    ax.legend(frameon=False, title="policy", loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=9)
    title(ax, _usable_finding(cells))
    corner(ax, _rests_on(cells, together=together))
    return ax


def _usable_finding(cells: Sequence[Cell]) -> str:
    shares = {name: cell.usable_fraction for name, cell in zip(names_of(cells), cells, strict=True)}
    best, worst = (choose(shares, key=lambda name: shares[name]) for choose in (max, min))
    high, low = f"{shares[best]:.1%}", f"{shares[worst]:.1%}"
    if len(shares) == 1:
        return f"{best}: usable for {high} of the time"
    if high == low:
        return f"Usable for {high} of the time, all alike"
    return f"Most usable with {best} ({high} of the time), least with {worst} ({low})"


def plot_cost(cells: Sequence[Cell], ax: Axes | None = None, together: str = "") -> Axes:
    """Draw what recovery costs: attempts per session upwards, the 95th percentile of recovery to the right.

    Where 5 % of the outages or more are never over, the mark is in a column of its own at the right.
    """
    drawn = [cell for cell in cells if cell.curve.outages]
    ax = ax or new_axes(width_for(names_of(drawn), 9.0), 5.5)
    longest_s = max((cell.p95_s for cell in drawn if math.isfinite(cell.p95_s)), default=10.0)
    never_s = longest_s * 1.25
    for number, (cell, name) in enumerate(zip(drawn, names_of(drawn), strict=True)):
        _mark(ax, min(cell.p95_s, never_s), cell, name, number)
    if any(math.isinf(cell.p95_s) for cell in drawn):
        ax.axvspan(longest_s * 1.14, longest_s * 1.36, color=_NEVER, zorder=0)
        at = ax.get_xaxis_transform()
        ax.text(never_s, 0.99, "never", transform=at, ha="center", va="top", fontsize=9, color="#555555")
        ax.set_xlim(0.0, longest_s * 1.36)
    else:
        ax.set_xlim(0.0, longest_s * 1.1)
    ax.set_ylim(0.0, max((cell.attempts for cell in drawn), default=1.0) * 1.15 + 0.1)
    ax.set_xlabel("95 % of the outages are over within, in seconds")
    ax.set_ylabel("attempts per session: what it costs the server")
    tidy(ax)
    if drawn:
        ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=9)
    title(ax, _cost_finding(drawn) if cells else NOTHING)
    corner(ax, _rests_on(cells, together=together))
    return ax


def _mark(ax: Axes, x: float, cell: Cell, name: str, number: int) -> None:
    ax.plot(
        x,
        cell.attempts,
        MARKERS[number % len(MARKERS)],
        color=LINES[number % len(LINES)][0],
        markeredgecolor=INK,
        markersize=max(7, 14 - 2 * number),  # what lies on the same place is seen as a ring
        clip_on=False,
        label=f"{name} ({cell.success:.0%} saved)",
        zorder=3,
    )


def _cost_finding(drawn: Sequence[Cell]) -> str:
    if not drawn:
        return "No outage was seen"
    named = dict(zip(names_of(drawn), drawn, strict=True))
    fastest = min(named, key=lambda name: (named[name].p95_s, named[name].attempts))
    one = named[fastest]
    if math.isinf(one.p95_s):
        who = "With each," if len(named) > 1 else f"{fastest}:"
        return f"{who} 5 % of the outages or more are never over"
    return (
        f"Soonest back: {fastest}, 95 % within {one.p95_s:.1f} s, for {one.attempts:.1f} attempts a session"
    )
