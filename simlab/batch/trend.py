"""The trend of a suite: a record for each night and cell, in a file that only grows."""

import subprocess
from collections.abc import Iterable, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from simlab.batch.arguments import check, columns
from simlab.batch.baseline import FIXED, Record
from simlab.batch.parts import Part
from simlab.batch.trend_records import records_in
from simlab.core.errors import InvalidInputError
from simlab.profile.header import version, versions
from simlab.study.night import Night, NightCell
from simlab.study.nights import MEASURES, Sample
from simlab.study.summary import cell_json

if TYPE_CHECKING:
    import polars
    from matplotlib.axes import Axes

_PACKAGES = ("aiortc", "aioice", "av", "numpy", "scipy")
_RECORDS = ("seeds", "values", "versions", "varied", "settings", "terms")


class Trend:
    """The records of all nights, the oldest first."""

    def __init__(self, records: Sequence[Record]) -> None:
        self.records = list(records)

    def frame(self) -> "polars.DataFrame":
        """Return a row for each night and cell: its estimates and their intervals, without the sessions."""
        import polars as pl

        rows = [
            {key: value for key, value in one.items() if key not in _RECORDS} | one["varied"]
            for one in self.records
        ]
        return pl.DataFrame(rows, infer_schema_length=None)

    def only(self, **where: str) -> "Trend":
        """Return the trend of some of the cells alone.

        Parameters
        ----------
        where
            Columns of ``frame`` and their values: ``policy="pipecat"``, ``**{"fault[0].for": "4s"}``.

        Raises
        ------
        InvalidInputError
            If no record has such a column.
        """
        rows = [one | one["varied"] for one in self.records]
        unknown = [key for key in where if rows and not any(key in row for row in rows)]
        if unknown:
            raise InvalidInputError([f"no night has a {key}" for key in unknown])
        chosen = [all(row.get(key) == is_ for key, is_ in where.items()) for row in rows]
        return Trend([one for one, is_chosen in zip(self.records, chosen, strict=True) if is_chosen])

    def plot(self, measure: str = "down_time", ax: "Axes | None" = None) -> "Axes":
        """Draw a measure over the nights, by default on axes in a new figure, and return the axes.

        Parameters
        ----------
        measure
            A key of ``simlab.study.nights.MEASURES``.

        Raises
        ------
        InvalidInputError
            If it is none.
        """
        from simlab.study.trend_plot import plot_trend

        check(ax=ax)
        columns("measure", [measure], MEASURES)
        return plot_trend(self.records, measure, ax)

    def changes(self, *measures: str) -> "polars.DataFrame":
        """Return since which night which measure of which cell is another than it was.

        Parameters
        ----------
        measures
            Keys of ``simlab.study.nights.MEASURES``; all by default. If nothing has changed, the chance that
            anything is found in all cells and measures together is at most 1 %.

        Returns
        -------
        polars.DataFrame
            A row for each change: the cell, the measure, the first ``night`` that was so, the last one
            (``until``, null if there was no other change), the mean ``before`` and ``after``, whether that is
            ``worse``, and what else was other than in the night before (``changed``).

        Raises
        ------
        InvalidInputError
            If a measure is none.
        """
        from simlab.batch.trend_changes import frame_of
        from simlab.study.trend_changes import changes

        columns("measures", measures, MEASURES)
        return frame_of(changes(self.records, measures or MEASURES))

    def __repr__(self) -> str:
        nights = {one["night"] for one in self.records}
        return f"<Trend of {len(nights)} nights, {len(self.records)} records>"

    def _repr_png_(self) -> bytes:
        from simlab.batch.picture import as_file

        return as_file(self.plot(), "png")


def open_trend(file: str | PathLike[str]) -> Trend:
    """Open a trend file.

    Raises
    ------
    InvalidInputError
        If it is not one, or is not there.
    """
    check(file=file)
    if not Path(file).exists():
        raise InvalidInputError([f"{Path(file)}: no such file"])
    return Trend(records_in(Path(file)))


def next_number(records: Iterable[Record]) -> int:
    """Return the number of the night that comes next."""
    return max((one["night"] for one in records), default=0) + 1


def latest(records: Sequence[Record]) -> list[Record]:
    """Return the records of the last night; they stand together, at the end."""
    last = next_number(records) - 1
    return [one for one in records if one["night"] == last]


def record(night: Night, cell: NightCell, part: Part, sample: Sample, accepted: bool) -> Record:
    """Return what the trend keeps of a cell of a night."""
    fixed = {name: part.labels[name] for name in FIXED}
    estimates = {} if cell.summary is None else cell_json(cell.summary)
    return {
        "suite": night.suite,
        "night": night.number,
        "at": night.at,
        "commit": night.commit,
        **fixed,
        "varied": {name: value for name, value in part.labels.items() if name not in FIXED},
        **{name: value for name, value in estimates.items() if name not in part.labels},
        "failures": len(cell.failures),
        "failed": [check.what for check in cell.alarms],
        "worse": any(check.verdict == "worse" for check in cell.checks),
        "accepted": accepted,
        "network": part.network,
        "settings": dict(part.settings),
        "terms": dict(part.terms),
        "versions": dict(night.versions),
        "seeds": list(sample.seeds),
        "values": {name: list(values) for name, values in sample.values.items()},
    }


def now_versions() -> dict[str, str]:
    """Return the versions that a trend keeps."""
    return {"simlab": version("simlab")} | versions(_PACKAGES)


def commit_of(folder: Path) -> str | None:
    """Return the commit that is checked out in a folder, ``-dirty`` if there are changes; None if unknown."""
    command = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip() or None
