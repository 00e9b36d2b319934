"""A finished study: the sessions' numbers as tables, and what they come to."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from simlab.batch.sweep import Cell, Outcome
from simlab.study.rows import Row, outage_rows, session_row
from simlab.study.summary import Cell as Summary
from simlab.study.summary import cell_json, summarise

if TYPE_CHECKING:
    import polars
    from matplotlib.axes import Axes


@dataclass
class Study:
    """What many sessions come to.

    Parameters
    ----------
    by
        The columns that tell its cells apart: profile, policy and the keys that vary.
    session_rows, outage_rows
        A row for each session that was run to its end, and for each of their outages.
    failures
        For each other session what it was, at which stage it failed, and why.
    folder
        Where it is saved; None if it is not.
    """

    by: Sequence[str]
    session_rows: list[Row] = field(default_factory=list)
    outage_rows: list[Row] = field(default_factory=list)
    failures: list[Row] = field(default_factory=list)
    folder: Path | None = None

    def add(self, cell: Cell, outcome: Outcome) -> None:
        """Take in a session."""
        if outcome.failed is not None:
            self.failures.append({**cell.labels, **outcome.failed})
            return
        self.session_rows.append(session_row(cell.labels, outcome.metrics))
        self.outage_rows += outage_rows(cell.labels, outcome.metrics)

    @cached_property
    def sessions(self) -> "polars.DataFrame":
        """A row for each session: the scalars of its metrics, flattened with ``_``."""
        return _frame(self.session_rows)

    @cached_property
    def outages(self) -> "polars.DataFrame":
        """A row for each outage."""
        return _frame(self.outage_rows)

    def recovery(self, by: str | Sequence[str] | None = None) -> list[Summary]:
        """Return what the sessions come to, a cell for each group.

        Parameters
        ----------
        by
            A column or several; by default profile, policy and the keys that vary.
        """
        names = self.by if by is None else [by] if isinstance(by, str) else list(by)
        return summarise(self.session_rows, self.outage_rows, names)

    def plot_recovery(self, ax: "Axes | None" = None, by: str | Sequence[str] | None = None) -> "Axes":
        """Draw how soon outages are over, by default on axes in a new figure, and return the axes."""
        from simlab.study.recovery_plot import plot_recovery

        return plot_recovery(self.recovery(by), ax)

    def files(self) -> dict[str, bytes]:
        """Return what its folder holds, beside the matrix."""
        summary = {"cells": [cell_json(cell) for cell in self.recovery()], "failures": len(self.failures)}
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in self.failures)
        return {
            "sessions.parquet": _parquet(self.sessions),
            "outages.parquet": _parquet(self.outages),
            "summary.json": (json.dumps(summary, indent=1, ensure_ascii=False) + "\n").encode(),
            "failures.jsonl": lines.encode(),
            "recovery.png": self._picture(),
        }

    def _picture(self) -> bytes:
        from simlab.batch.picture import as_file

        return as_file(self.plot_recovery(), "png")

    def _repr_png_(self) -> bytes:
        return self._picture()


def _frame(rows: Iterable[Row]) -> "polars.DataFrame":
    import polars as pl

    return pl.DataFrame(list(rows), infer_schema_length=None)


def _parquet(frame: "polars.DataFrame") -> bytes:
    file = BytesIO()
    frame.write_parquet(file)
    return file.getvalue()
