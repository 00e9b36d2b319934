"""What changed over the nights of a trend: since which night a measure of a cell is another than it was."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from simlab.core.rng import stream
from simlab.study.change_points import ChangePoint, Floats, change_points
from simlab.study.nights import MEASURES
from simlab.study.trend_cells import by_cell
from simlab.study.words import number_text

Record = Mapping[str, Any]

ALPHA = 0.01
"""The chance that anything is found in a trend in which nothing has changed."""


@dataclass(frozen=True)
class Change:
    """A measure of a cell that from a night on is another than it was in the nights before.

    Parameters
    ----------
    last, first
        The record of the last night that was as before, and that of the first that was not.
    until
        The last night before the next change; None if there is none.
    before, after
        The means: since the change before this one, and until the next.
    p
        The chance of a change as plain, anywhere in the series, if there is none.
    """

    measure: str
    last: Record
    first: Record
    until: int | None
    before: float
    after: float
    p: float

    @property
    def worse(self) -> bool:
        """Whether it became worse."""
        return (self.after - self.before) * MEASURES[self.measure][2] > 0

    @property
    def told(self) -> str:
        """What changed: ``outage per session 22.84 s in nights 8 to 9, 20.84 s before (p = 0.0001)``."""
        name, unit, _ = MEASURES[self.measure]
        after, before = (_number(value, unit) for value in (self.after, self.before))
        return f"{name} {after} {self._when}, {before} before (p = {self.p:.2g})"

    @property
    def _when(self) -> str:
        night = self.first["night"]
        if self.until is None:
            return f"since night {night}"
        return f"in night {night}" if self.until == night else f"in nights {night} to {self.until}"


def changes(
    records: Sequence[Record], measures: Iterable[str] = tuple(MEASURES), alpha: float = ALPHA
) -> list[Change]:
    """Return what changed in which measure of which cell: the cells, the measures and the nights in order.

    Where all nights have the same seeds, each session is compared with those of its own seed. Else those of
    all nights are compared with each other, those of one seed once.

    Parameters
    ----------
    measures
        Keys of ``MEASURES``.
    alpha
        The chance that anything is found in all of these cells and measures together, if nothing has changed.
    """
    cells, wanted = by_cell(records), tuple(measures)
    level = alpha / max(1, len(cells) * len(wanted))  # Bonferroni's inequality
    return [
        change
        for key, cell in cells.items()
        for measure in wanted
        for change in _in_series(Series.of(cell, measure), "/".join(key), level)
    ]


@dataclass(frozen=True)
class Series:
    """A measure of a cell over the nights that can be compared.

    Parameters
    ----------
    records, values
        Of each night, its record, and the values of its sessions.
    matched
        Whether all nights have the same seeds, in the same order.
    """

    measure: str
    records: Sequence[Record]
    values: Sequence[Floats]
    matched: bool

    @classmethod
    def of(cls, cell: Sequence[Record], measure: str) -> "Series":
        """Return it of the records of a cell."""
        nights = [one for one in cell if one["seeds"] and measure in one["values"]]
        by_seed = [dict(zip(one["seeds"], one["values"][measure], strict=False)) for one in nights]
        common = sorted(set.intersection(*map(set, by_seed))) if by_seed else []
        kept = [{seed: one[seed] for seed in common} for one in by_seed] if common else _first_of(by_seed)
        found = [(one, np.array(list(values.values()))) for one, values in zip(nights, kept, strict=True)]
        found = [(one, values) for one, values in found if len(values)]
        return cls(measure, [one for one, _ in found], [values for _, values in found], bool(common))


def _first_of(nights: Iterable[Mapping[int, float]]) -> list[dict[int, float]]:
    """Return of each night what no night before had: the same seed again says nothing new."""
    seen: set[int] = set()
    kept = []
    for night in nights:
        kept.append({seed: value for seed, value in night.items() if seed not in seen})
        seen |= set(night)
    return kept


def _in_series(series: Series, name: str, alpha: float) -> list[Change]:
    if len(series.values) < 2:
        return []
    draws = stream(0, "changes", name, series.measure)
    found = change_points(series.values, alpha, draws, matched=series.matched)
    edges = [0, *(one.night for one in found), len(series.values)]
    means = [float(np.concatenate(series.values[start:end]).mean()) for start, end in pairwise(edges)]
    return [_change(series, one, edges[at : at + 3], means[at : at + 2]) for at, one in enumerate(found)]


def _change(series: Series, point: ChangePoint, edges: Sequence[int], means: Sequence[float]) -> Change:
    _, start, end = edges
    until = series.records[end - 1]["night"] if end < len(series.records) else None
    last, first = series.records[start - 1 : start + 1]
    before, after = means
    return Change(series.measure, last, first, until, before, after, point.p)


def _number(value: float, unit: str) -> str:
    return f"{number_text(100 * value if unit == ' %' else value)}{unit}"
