"""A finished study: the sessions' numbers as tables, and what they come to."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simlab import store
from simlab.batch import study_files
from simlab.batch.arguments import check, columns
from simlab.batch.outcome import Outcome
from simlab.core.errors import InvalidInputError
from simlab.study.rows import Row
from simlab.study.words import count

if TYPE_CHECKING:
    import polars
    from matplotlib.axes import Axes

    from simlab.study.comparison import Comparison
    from simlab.study.incidence import Incidence
    from simlab.study.summary import Cell as Summary


@dataclass(eq=False, repr=False)
class Study:
    """What many sessions come to.

    Parameters
    ----------
    by
        The columns that tell its cells apart: profile, policy and the keys that vary.
    sessions, outages
        A row for each session that was run to its end, and for each of their outages: ``study.tables``.
    failures
        For each other session what it was, at which stage it failed, and why.
    folder
        Where it is saved; None if it is not.
    overrides, notes
        Dotted keys that were set in all sessions, and their values; and what is to be known of them.
    """

    by: Sequence[str]
    sessions: "polars.DataFrame"
    outages: "polars.DataFrame"
    failures: list[Row] = field(default_factory=list)
    folder: Path | None = None
    overrides: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()
    _summaries: "dict[tuple[str, ...], list[Summary]]" = field(default_factory=dict, init=False, repr=False)
    _compared: "dict[str, list[Comparison]]" = field(default_factory=dict, init=False, repr=False)

    @staticmethod
    def of(by: Sequence[str], outcomes: Iterable[Outcome]) -> "Study":
        """Put together what became of sessions, in any order."""
        from simlab.study.tables import outages_frame, sessions_frame

        outcomes = sorted(outcomes, key=lambda outcome: outcome.number)
        sessions = sessions_frame((one.session for one in outcomes if one.session), by[2:])
        outages = outages_frame((row for one in outcomes for row in one.outages), by[2:])
        return Study(list(by), sessions, outages, [one.failed for one in outcomes if one.failed])

    @staticmethod
    def open(folder: Path) -> "Study":
        """Open a study that was saved, or, as far as it went, one that was not finished.

        Raises
        ------
        InvalidInputError
            If the folder does not hold one, or one of its files is damaged.
        """
        if store.is_unfinished(folder):
            return _unfinished(folder)
        saved = store.load_study(folder, study_files.NAMES)
        by = ["profile", "policy", *saved.matrix.get("vary", {})]
        found = Study(by, *study_files.read(saved.files, folder, by), folder)
        return found._with_settings_of(saved.matrix)

    def _with_settings_of(self, matrix: Mapping[str, Any]) -> "Study":
        self.overrides, self.notes = matrix.get("set", {}), matrix.get("notes", ())
        return self

    def __eq__(self, other: object) -> bool:
        """Tell whether the contents are the same, wherever they are saved."""
        if not isinstance(other, Study):
            return NotImplemented
        same = (list(self.by), self.failures) == (list(other.by), other.failures)
        return same and self.sessions.equals(other.sessions) and self.outages.equals(other.outages)

    __hash__ = None  # type: ignore[assignment]

    @cached_property
    def session_rows(self) -> list[Row]:
        """The rows of ``sessions``."""
        return self.sessions.to_dicts()

    @cached_property
    def outage_rows(self) -> list[Row]:
        """The rows of ``outages``."""
        return self.outages.to_dicts()

    def sql(self, query: str) -> "polars.DataFrame":
        """Ask in SQL: the tables are ``sessions`` and ``outages``.

        Raises
        ------
        InvalidInputError
            If the query is wrong.
        """
        import polars as pl

        check(query=query)
        try:
            return pl.SQLContext(sessions=self.sessions, outages=self.outages).execute(query, eager=True)
        except pl.exceptions.PolarsError as error:
            raise InvalidInputError([f"the query is wrong: {error}"]) from None

    def recovery(self, by: str | Sequence[str] | None = None) -> "list[Summary]":
        """Return what the sessions come to, a cell for each group.

        Parameters
        ----------
        by
            A column or several that both tables have; by default profile, policy and the keys that vary.

        Raises
        ------
        InvalidInputError
            If there is no such column.
        """
        # It takes scipy, which takes as long as all the rest.
        from simlab.study.summary import summarise

        names = tuple(self.by) if by is None else columns("by", by, self._both_have)
        if names not in self._summaries:  # seconds, for thousands of sessions
            self._summaries[names] = summarise(self.session_rows, self.outage_rows, names)
        return list(self._summaries[names])

    def comparisons(self, between: str = "policy") -> "list[Comparison]":
        """Compare its policies with each other on the same seeds, corrected for all comparisons.

        Parameters
        ----------
        between
            Another column to compare by: a key that varies, or the profile.

        Raises
        ------
        InvalidInputError
            If it is none of those that tell the cells apart.
        """
        from simlab.study.comparison import compare_groups

        (between,) = columns("between", [between], self.by)
        if between not in self._compared:
            rows = self.session_rows, self.outage_rows
            self._compared[between] = compare_groups(*rows, self.by, between)
        return list(self._compared[between])

    def plot_recovery(self, ax: "Axes | None" = None, by: str | Sequence[str] | None = None) -> "Axes":
        """Draw how soon outages are over, by default on axes in a new figure, and return the axes.

        Parameters
        ----------
        by
            A column or several, with a curve for each group; by default what tells the cells apart, or
            profile and policy alone where those would be too many curves, or policy alone.
        """
        from simlab.study.recovery_plot import plot_recovery

        return self._drawn(plot_recovery, by, ax)

    def plot_heat(self, ax: "Axes | None" = None, key: str | None = None) -> "Axes":
        """Draw the median recovery time over a key that varies and the policies.

        Parameters
        ----------
        key
            By default the first key that varies.

        Raises
        ------
        InvalidInputError
            If no key varies, or not this one.
        """
        check(ax=ax)
        from simlab.study.grouping import together
        from simlab.study.heat_plot import plot_heat

        key = key or next(iter(self.by[2:]), None)
        if key is None:
            raise InvalidInputError(["a heat map needs a key that varies: simlab sweep --vary"])
        (key,) = columns("key", [key], self.by[2:])
        by = ["policy", key]
        return plot_heat(self.recovery(by), key, ax, together(self.session_rows, self.by, by))

    def plot_usable(self, ax: "Axes | None" = None) -> "Axes":
        """Draw the usable share of the sessions, for each profile and policy."""
        from simlab.study.cell_plots import plot_usable

        return self._drawn(plot_usable, ["profile", "policy"], ax)

    def plot_cost(self, ax: "Axes | None" = None, by: str | Sequence[str] | None = None) -> "Axes":
        """Draw attempts per session against recovery: what a policy costs the server.

        Parameters
        ----------
        by
            A column or several, with a mark for each group; by default profile and policy, or policy alone
            where those would be too many marks.
        """
        from simlab.study.cell_plots import plot_cost
        from simlab.study.grouping import drawn_by

        return self._drawn(plot_cost, by or drawn_by(self.session_rows, ["profile", "policy"]), ax)

    def plot_gaps(self, ax: "Axes | None" = None) -> "Axes":
        """Draw for how long the media were silent."""
        from simlab.study.gap_plot import plot_gaps

        check(ax=ax)
        return plot_gaps(self.session_rows, "policy", ax)

    def _drawn(
        self, draw: "Callable[..., Axes]", by: str | Sequence[str] | None, ax: "Axes | None"
    ) -> "Axes":
        """Draw a cell for each group, and say what the groups have in them."""
        from simlab.study.grouping import drawn_by, together

        check(ax=ax)
        names = columns("by", by or drawn_by(self.session_rows, self.by), self._both_have)
        return draw(self.recovery(names), ax, together(self.session_rows, self.by, names))

    @property
    def _both_have(self) -> list[str]:
        return [name for name in self.sessions.columns if name in self.outages.columns]

    @property
    def pictures(self) -> "dict[str, Callable[[], Axes]]":
        """What can be drawn of it, by name."""
        heat = {"heat": self.plot_heat} if len(self.by) > 2 else {}
        media = any(row["media_up_sent"] or row["media_down_sent"] for row in self.session_rows)
        return {
            "recovery": self.plot_recovery,
            **heat,
            "usable": self.plot_usable,
            "cost": self.plot_cost,
            **({"gaps": self.plot_gaps} if media else {}),
        }

    def incidence(self) -> "Mapping[str, Incidence]":
        """Estimate which share of the outages is over, or given up, within which time."""
        from simlab.study.incidence import outage_incidences

        return outage_incidences(self.outage_rows)

    def report(
        self, out: "str | PathLike[str] | None" = None, worst: int = 8, jobs: int | None = None
    ) -> Path:
        """Write the study, which must be saved, as one HTML page, and return the file.

        Parameters
        ----------
        out
            The file; by default ``report.html`` in its folder.
        worst
            How many of its worst sessions to run again, for their timelines.
        jobs
            How many processes to do so with; None takes all cores.

        Raises
        ------
        InvalidInputError
            If the study is not saved, or an argument is wrong.
        SimlabError
            If the file could not be written.
        """
        from simlab.batch.reporting import write_report

        check(out=out, worst=worst, jobs=jobs)
        if self.folder is None:
            raise InvalidInputError(["the study is not saved, so nothing says how to run it: sweep(out=...)"])
        return write_report(self.folder, None if out is None else Path(out), worst, jobs or 0)

    def files(self) -> dict[str, bytes]:
        """Return what its folder holds, beside the matrix."""
        from simlab.study.comparison import comparison_json
        from simlab.study.summary import cell_json

        summary = {
            "cells": [cell_json(cell) for cell in self.recovery()],
            "comparisons": [comparison_json(one) for one in self.comparisons()],
            "failures": len(self.failures),
        }
        return {
            **self.tables(),
            "summary.json": store.to_json(summary).encode(),
            "recovery.png": self._picture(),
        }

    def tables(self) -> dict[str, bytes]:
        """Return what it can be opened again from, beside the matrix."""
        return study_files.written(self.sessions, self.outages, self.failures)

    def _picture(self) -> bytes:
        from simlab.batch.picture import as_file

        return as_file(self.plot_recovery(), "png")

    def __repr__(self) -> str:
        failed = f", {len(self.failures)} that could not be run" if self.failures else ""
        outages = count(self.outages.height, "outage")
        return f"<Study of {count(self.sessions.height, 'session')}, {outages}{failed}>"

    def _repr_png_(self) -> bytes:
        return self._picture()


def _unfinished(folder: Path) -> Study:
    """Return a study as far as it went."""
    matrix = store.load_study(folder, ()).matrix
    varied = matrix.get("vary", {})
    try:
        outcomes = [Outcome.of_record(record) for record in store.journal(folder)[0]]
        study = Study.of(["profile", "policy", *varied], outcomes)
    except (KeyError, TypeError) as error:
        raise InvalidInputError([f"{folder}: its journal is not what simlab wrote: {error!r}"]) from error
    study.folder = folder
    return study._with_settings_of(matrix)
