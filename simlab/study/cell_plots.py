"""Pictures of what the cells of a study come to: how much was usable, and what recovery costs."""

import math
from collections.abc import Sequence
from itertools import cycle

from matplotlib.axes import Axes

from simlab.study.looks import (
    INK,
    LINES,
    MARKERS,
    NEVER,
    NOTHING,
    corner,
    empty,
    names_of,
    rests_on,
    tidy,
    title,
    width_for,
)
from simlab.study.own_axes import new_axes
from simlab.study.summary import Cell
from simlab.study.words import share_text

# One more than there are hues: after seven policies the same hue comes with another hatch.
_HATCHES = ("", "///", "...", "xx", "\\\\\\", "++", "oo", "--")


def plot_usable(cells: Sequence[Cell], ax: Axes | None = None, together: str = "") -> Axes:
    """Draw the usable share of the sessions: a row of bars for each profile, a bar for each policy."""
    profiles = list(dict.fromkeys(str(cell.labels.get("profile", "all")) for cell in cells))
    policies = list(dict.fromkeys(str(cell.labels["policy"]) for cell in cells))
    ax = ax or new_axes(width_for([*profiles, *policies], 9.0), 2.2 + 0.32 * len(cells))
    if not cells:
        return empty(ax)
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
        ax.bar_label(bars, [share_text(cell.usable_fraction) for cell in own], padding=3, fontsize=8)
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
    corner(ax, rests_on(cells, together=together))
    return ax


def _usable_finding(cells: Sequence[Cell]) -> str:
    shares = {name: cell.usable_fraction for name, cell in zip(names_of(cells), cells, strict=True)}
    best, worst = (choose(shares, key=lambda name: shares[name]) for choose in (max, min))
    high, low = share_text(shares[best]), share_text(shares[worst])
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
        ax.axvspan(longest_s * 1.14, longest_s * 1.36, color=NEVER, zorder=0)
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
    corner(ax, rests_on(cells, together=together))
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
        label=f"{name} ({share_text(cell.success, 0)} saved)",
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
