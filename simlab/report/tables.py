"""Tables of a report: what the cells of a study come to, as text."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from simlab.study.proportions import Interval
from simlab.study.summary import Cell
from simlab.study.words import ends_text, share_text

NONE = "\N{EN DASH}"
_MEASURES = (
    "sessions",
    "calls saved",
    "outages",
    "recovered",
    "half within",
    "95 % within",
    "usable",
    "attempts",
    "violations",
)


class Value(NamedTuple):
    """A number as text, and its interval, which may be empty."""

    text: str
    interval: str = ""


@dataclass(frozen=True)
class Row:
    """A row: the words that say what it is about, then the numbers."""

    names: Sequence[str]
    values: Sequence[Value]


@dataclass(frozen=True)
class Group:
    """Rows that belong together, under a heading; without one where it is empty."""

    heading: str
    rows: Sequence[Row]


@dataclass(frozen=True)
class Table:
    """A table: the names of its columns, as in ``Row``, and its groups.

    Parameters
    ----------
    title
        What it is called where a reader cannot see it.
    note
        How to read it; may be empty.
    """

    title: str
    names: Sequence[str]
    values: Sequence[str]
    groups: Sequence[Group]
    note: str = ""


def cells_table(cells: Sequence[Cell]) -> Table:
    """Return a row for each cell, profile by profile; the best first where no key of the profile varies."""
    varied = [name for name in cells[0].labels if name not in ("profile", "policy")] if cells else []
    groups: dict[str, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(str(cell.labels["profile"]), []).append(cell)
    ordered = {name: group if varied else sorted(group, key=worse) for name, group in groups.items()}
    return Table(
        "What the sessions come to, by profile and policy",
        ["policy", *varied],
        _MEASURES,
        [
            Group(name, [Row(_names(cell, ["policy", *varied]), _values(cell)) for cell in group])
            for name, group in ordered.items()
        ],
        _NOTE,
    )


_NOTE = (
    "Beside the numbers: 95 % intervals. Calls saved: the client connected, and was not left in an outage at "
    "the end. Half within, 95 % within: after how long that share of all outages was over, counting from "
    "their beginning, estimated where some were still open at the end; “never” where it was not. Usable: the "
    "share of the time in which messages passed both ways. Attempts: to reconnect, for each session."
)


def worse(cell: Cell) -> tuple[float, ...]:
    """Return what sorts cells, the best first: calls lost, then the times of recovery; no outage is 0 s."""
    late = [0.0 if math.isnan(time_s) else time_s for time_s in (cell.p95_s, cell.median_s)]
    return (-cell.success, *late, -cell.usable_fraction)


def _names(cell: Cell, names: Sequence[str]) -> list[str]:
    return [str(cell.labels[name]) for name in names]


def _values(cell: Cell) -> list[Value]:
    curve = cell.curve
    return [
        Value(str(cell.sessions)),
        Value(share(cell.success), _share_ends(cell.success_interval)),
        Value(str(curve.outages)),
        Value(share(curve.recovered / curve.outages) if curve.outages else NONE),
        _time(cell.median_s, cell.median_interval_s),
        _time(cell.p95_s, cell.p95_interval_s),
        Value(share(cell.usable_fraction)),
        Value(f"{cell.attempts:.1f}"),
        Value(str(cell.violations)),
    ]


def share(value: float) -> str:
    """Write a share in percent, and never as 100 % or 0 % what is not."""
    return share_text(value).replace("%", " %")


def _share_ends(ends: Interval) -> str:
    low, high = map(share, ends)
    return f"{low.removesuffix(' %')} \N{EN DASH} {high}"


def _time(value_s: float, interval_s: Interval) -> Value:
    if math.isnan(value_s):
        return Value(NONE)
    ends = ends_text(*interval_s, dash="\N{EN DASH}", unit=" s")
    return Value(f"{value_s:.1f} s" if math.isfinite(value_s) else "never", ends)
