"""``simlab.compare``: two studies side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simlab import store
from simlab.batch.arguments import Faults, check, told_as_arguments
from simlab.batch.study import Study
from simlab.core.errors import InvalidInputError
from simlab.profile.nearest import one_of
from simlab.study.cells_compared import (
    TOLERANCES,
    CellCompared,
    Limit,
    cell_compared_json,
    compare_cells,
    parse_limit,
)
from simlab.study.words import count

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_NOTHING: Mapping[str, str] = {}


@dataclass(frozen=True, repr=False)
class Compared:
    """Two studies, cell by cell.

    Parameters
    ----------
    cells
        Those that both have.
    tolerance
        How much worse each measure may be.
    only_before, only_after
        The cells that one alone has, as text.
    set_before, set_after
        The keys that were set in all sessions of each, and their values.
    """

    cells: Sequence[CellCompared]
    tolerance: Mapping[str, Limit] = field(default_factory=dict)
    only_before: Sequence[str] = ()
    only_after: Sequence[str] = ()
    set_before: Mapping[str, str] = field(default_factory=dict)
    set_after: Mapping[str, str] = field(default_factory=dict)

    @property
    def regressions(self) -> list[CellCompared]:
        """The cells that are worse by more than is tolerated."""
        return [cell for cell in self.cells if cell.regressions(self.tolerance)]

    def json(self) -> dict[str, Any]:
        """Return what ``simlab compare --json`` prints."""
        return {
            "regressions": len(self.regressions),
            "cells": [cell_compared_json(cell, self.tolerance) for cell in self.cells],
            "only_before": list(self.only_before),
            "only_after": list(self.only_after),
            "set_before": dict(self.set_before),
            "set_after": dict(self.set_after),
        }

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw before and after, by default on axes in a new figure, and return the axes."""
        from simlab.study.change_plot import plot_change

        check(ax=ax)
        return plot_change(self.cells, ax)

    def __repr__(self) -> str:
        from simlab.study.comparison_words import change_finding

        return f"<Compared, {count(len(self.cells), 'cell')}: {change_finding(self.cells)}>"

    def _repr_png_(self) -> bytes:
        from simlab.batch.picture import as_file

        return as_file(self.plot(), "png")


@told_as_arguments
def compare(
    before: Study | str | PathLike[str],
    after: Study | str | PathLike[str],
    *,
    tolerance: Mapping[str, str] = _NOTHING,
) -> Compared:
    """Compare two studies: what got better, worse, or can't be told.

    Parameters
    ----------
    before, after
        Studies, or their folders.
    tolerance
        How much worse a measure may be before it is a regression: ``{"success_rate": "2%", "recovery_p95":
        "1s"}``. Of what is not named nothing is tolerated.

    Raises
    ------
    InvalidInputError
        If a folder holds no study, they have no cell in common, or a tolerance is wrong.
    """
    faults = Faults()
    with faults.kept():
        check(tolerance=tolerance)
        limits = limits_of(tolerance)
    with faults.kept():
        one = _opened("before", before)
    with faults.kept():
        other = _opened("after", after)
    faults.tell()
    if set(one.by) != set(other.by):
        varied = [", ".join(study.by[2:]) or "nothing" for study in (one, other)]
        raise InvalidInputError([f"the studies vary {varied[0]} and {varied[1]}: no cell is in both"])
    cells = compare_cells(
        (one.session_rows, one.outage_rows), (other.session_rows, other.outage_rows), one.by
    )
    names = [_names(study, one.by) for study in (one, other)]
    if not cells:
        told = [", ".join(found) or "nothing" for found in names]
        raise InvalidInputError([f"no cell is in both studies: {told[0]} in the one, {told[1]} in the other"])
    only_before, only_after = (
        [name for name in mine if name not in theirs] for mine, theirs in (names, names[::-1])
    )
    return Compared(cells, limits, only_before, only_after, one.overrides, other.overrides)


def _opened(name: str, study: Study | str | PathLike[str]) -> Study:
    if isinstance(study, Study):
        return study
    check(**{name: study})
    folder = Path(study)
    if not store.is_study(folder):
        what = "is not a study folder: it has no study.toml" if folder.is_dir() else "no such folder"
        raise InvalidInputError([f"{folder}: {what}"])
    return Study.open(folder)


def limits_of(tolerance: Mapping[str, str]) -> dict[str, Limit]:
    """Read what is tolerated.

    Raises
    ------
    InvalidInputError
        With everything that is wrong.
    """
    limits, faults = {}, []
    for name, text in tolerance.items():
        if name not in TOLERANCES:
            faults.append(f"--tolerance {name} is unknown, {one_of(name, TOLERANCES)}")
            continue
        try:
            limits[name] = parse_limit(name, str(text))
        except ValueError as error:
            faults.append(f"--tolerance {name} {error}")
    if faults:
        raise InvalidInputError(faults)
    return limits


def _names(study: Study, by: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(" ".join(str(row[name]) for name in by) for row in study.session_rows))
