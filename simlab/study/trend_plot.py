"""The picture of a trend: a measure over the nights, with its interval, and which nights were worse."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.patches import StepPatch
from matplotlib.ticker import MaxNLocator
from scipy import stats

from simlab.study.inks import quiet
from simlab.study.looks import corner
from simlab.study.nights import MEASURES
from simlab.study.own_axes import new_axes
from simlab.study.trend_cells import by_cell, namer
from simlab.study.trend_changes import ALPHA, Change, changes
from simlab.study.trend_steps import draw_steps
from simlab.study.words import count

_FIGURE_INCHES = (9.0, 4.5)
_ACCEPTED_POINTS = 16.0  # of the title above the axes, where there is a line of words between them
# Okabe and Ito's hues, for the colour-blind, each with a mark and a dash of its own, for print in grey.
_LOOKS: tuple[tuple[str, str, Any], ...] = (
    ("#0072B2", "o", "-"),
    ("#D55E00", "s", "--"),
    ("#009E73", "^", "-."),
    ("#CC79A7", "v", ":"),
    ("#000000", "D", (0, (1, 1))),
)


def plot_trend(records: Sequence[Mapping[str, Any]], measure: str, ax: Axes | None = None) -> Axes:
    """Draw the mean of a measure over the nights, cell by cell.

    Each night has a 95 % interval of its own sessions; a cell has a band from its baseline, in which the mean
    of a night without any change lies with 99.73 % (a control chart). Nights that were found worse are
    ringed, accepted ones have a line. Where the mean changed for more than a night's chance, it is drawn as
    steps (``simlab.study.trend_changes``).

    Parameters
    ----------
    records
        Of a trend file.
    measure
        A key of ``MEASURES``.
    ax
        Where to draw; by default new axes in a figure of their own.

    Source: Shewhart (1931), Economic Control of Quality of Manufactured Product (limits of three sigma).
    """
    if ax is None:
        ax = new_axes(*_FIGURE_INCHES)
    named, cells = namer(records), by_cell(records)
    changed = changes(records, [measure])
    for nights, look, shift in zip(cells.values(), cycle(_looks()), _shifts(len(cells)), strict=False):
        name = named(nights[0])
        _draw(ax, name, [one for one in nights if one["seeds"]], measure, look, shift)
        draw_steps(ax, [one for one in changed if named(one.first) == name], nights, look[0])
    _dress(ax, records, measure, changed, len(cells))
    _limit(ax, records, measure)
    corner(ax, _key(ax, records, measure))
    return ax


def _limit(ax: Axes, records: Sequence[Mapping[str, Any]], measure: str) -> None:
    """Leave out what there is not: parts of nights, shares above 100 %, less than nothing."""
    nights = [one["night"] for one in records] or [1]
    ax.set_xlim(min(nights) - 0.6, max(nights) + 0.6)
    low, high = ax.get_ylim()
    low, high = max(low, 0.0), min(high, 1.0) if _is_share(measure) else high
    room = 0.03 * (high - low)  # what is on the edge can be seen whole, and no tick is beyond it
    ax.set_ylim(low - room, high + room)


def _key(ax: Axes, records: Sequence[Mapping[str, Any]], measure: str) -> str:
    sessions = count(sum(len(one["seeds"]) for one in records), "session")
    told = [f"n = {sessions}", "bars: 95 %"]
    if any(isinstance(one, PolyCollection) for one in ax.collections):
        told.append("bands: 99.7 % of the nights without a change")
    if any(_is_worse(one, measure) for one in records):
        told.append("ringed: worse")
    if any(isinstance(one, StepPatch) for one in ax.patches):
        told.append(f"steps: changes of the mean, error rate {ALPHA:.0%} in all")
    return "; ".join(told)


def _looks() -> list[tuple[str, str, Any]]:
    """Return a look for each of 25 cells: after five, the same colours with other marks and dashes."""
    turned = [_LOOKS[turn:] + _LOOKS[:turn] for turn in range(len(_LOOKS))]
    return [(one[0], *other[1:]) for others in turned for one, other in zip(_LOOKS, others, strict=True)]


def _is_worse(one: Mapping[str, Any], measure: str) -> bool:
    """Tell whether a night was worse in this measure; in any, where it is not recorded in which."""
    return bool(one["worse"] and MEASURES[measure][0] in one.get("failed", (MEASURES[measure][0],)))


def _shifts(number: int) -> npt.NDArray[np.float64]:
    """Keep the intervals of several cells apart."""
    return np.linspace(-0.15, 0.15, number) if number > 1 else np.zeros(1)


def _draw(
    ax: Axes, name: str, nights: Sequence[Mapping[str, Any]], measure: str, look: Any, shift: float
) -> None:
    colour, mark, dash = look
    at = np.array([one["night"] for one in nights]) + shift
    values = [np.array(one["values"][measure]) for one in nights]
    means = np.array([each.mean() for each in values])
    ends = _of_measure(np.array([mean_interval(each) for each in values]), measure)
    ax.errorbar(
        at, means, np.abs(ends.T - means), color=colour, marker=mark, linestyle=dash, capsize=2, label=name
    )
    worse = [number for number, one in enumerate(nights) if _is_worse(one, measure)]
    ax.scatter(at[worse], means[worse], s=160, facecolors="none", edgecolors=colour, linewidths=1.8)
    _band(ax, nights, values, at, measure, colour)


def _of_measure(ends: npt.NDArray[np.float64], measure: str) -> npt.NDArray[np.float64]:
    """Return ends of intervals without what a share cannot be, or a time or number."""
    return np.clip(ends, 0.0, 1.0 if _is_share(measure) else None)


def _is_share(measure: str) -> bool:
    return MEASURES[measure][1] == " %"


def mean_interval(values: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Return Student's 95 % interval of a mean; the mean alone where there is no spread to judge by."""
    mean = float(values.mean())
    if len(values) < 2:
        return mean, mean
    reach = float(stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))
    return mean - reach, mean + reach


def _band(
    ax: Axes,
    nights: Sequence[Mapping[str, Any]],
    values: Sequence[npt.NDArray[np.float64]],
    at: npt.NDArray[np.float64],
    measure: str,
    colour: str,
) -> None:
    accepted = [number for number, one in enumerate(nights) if one["accepted"]]
    first = accepted[-1] if accepted else 0
    good = [each for each, one in zip(values[first:], nights[first:], strict=True) if not one["worse"]]
    if len(good) < 2:
        return
    pooled = np.concatenate(good)
    sigma = pooled.std(ddof=1) / np.sqrt(np.median([len(each) for each in good]))
    width = stats.norm.isf(0.00135) * sigma
    ends = (at[first] - 0.3, at[-1] + 0.3)
    low, high = _of_measure(pooled.mean() + np.array([-width, width]), measure)
    ax.fill_between(ends, low, high, color=colour, alpha=0.12, linewidth=0)


def finding(records: Sequence[Mapping[str, Any]], measure: str, changed: Sequence[Change] = ()) -> str:
    """Return in a sentence what the trend shows: the nights that were worse, or else what changed last."""
    name = MEASURES[measure][0]
    nights = sorted({one["night"] for one in records})
    worse: dict[str, list[int]] = {}
    named = namer(records)
    for one in records:
        if _is_worse(one, measure):
            worse.setdefault(named(one), []).append(one["night"])
    if not nights:
        return "No night has been recorded"
    if not worse and changed:
        latest = max(changed, key=lambda one: one.first["night"])
        return f"{named(latest.first)}: {latest.told}"
    if not worse:
        return f"{name.capitalize()} over {count(len(nights), 'night')}: none was worse than those before"
    cell, numbers = next(iter(worse.items()))
    listed = ", ".join(map(str, numbers[:6])) + ("…" if len(numbers) > 6 else "")
    more = f", and {len(worse) - 1} more" if len(worse) > 1 else ""
    return f"{cell} was worse in {'nights' if len(numbers) > 1 else 'night'} {listed}{more}"


def _line_at(ax: Axes, night: int) -> None:
    """Draw a line before a night whose baseline was accepted; what it is stands above all curves."""
    ax.axvline(night - 0.5, color="#666666", linestyle=":", linewidth=1.0)
    ax.annotate(
        "accepted",
        (night - 0.5, 1.0),
        (0.0, 2.0),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        fontsize=8,
        color=quiet(ax),
    )


def _dress(
    ax: Axes, records: Sequence[Mapping[str, Any]], measure: str, changed: Sequence[Change], number: int
) -> None:
    name, unit, _ = MEASURES[measure]
    accepted = sorted({one["night"] for one in records if one["accepted"]})
    for night in accepted:
        _line_at(ax, night)
    ax.set_xlabel("night")
    if _is_share(measure):
        ax.set_ylabel(f"{name}, mean")
        ax.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    else:
        ax.set_ylabel(f"{name}, mean{f' ({unit.strip()})' if unit else ''}")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    ax.margins(y=0.12)
    ax.grid(visible=True, color="#CCCCCC", linewidth=0.6)
    above_points = _ACCEPTED_POINTS if accepted else None
    ax.set_title(finding(records, measure, changed), loc="left", fontsize=11, pad=above_points)
    if number:
        many = number > len(_LOOKS)  # these stand beside the axes, not over the curves
        place = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0)} if many else {"loc": "best"}
        ax.legend(fontsize=8, **place)
