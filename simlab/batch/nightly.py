"""Run a night: the sweeps of a suite, judged against what is expected and against the nights before."""

import os
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from simlab import store
from simlab.batch.door import toml_text
from simlab.batch.executors import LOCAL, executor_of
from simlab.batch.planning import Part, PlannedSweep, plan, read_suite
from simlab.batch.sweep_of_night import SweepOfNight, Told
from simlab.batch.trend import (
    StudyBaseline,
    baseline_of,
    commit_of,
    next_number,
    now_versions,
    record,
    records_in,
)
from simlab.core.errors import SimlabError
from simlab.report.junit import junit
from simlab.report.markdown import markdown
from simlab.study.night import Night
from simlab.study.nights import Sample

_NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Wishes:
    """How to run a night, beside what the suite says.

    Parameters
    ----------
    out
        Where the folders go; None saves nothing but the trend, if that is named.
    trend
        The file of the nights before, to which this one is added; None is ``SUITE-trend.jsonl`` in ``out``.
    overrides
        Dotted keys and values over those of every sweep.
    accept
        Whether this night is as it should be: the baseline begins anew with it.
    """

    out: Path | None
    trend: Path | None
    jobs: int
    overrides: Mapping[str, str] = field(default_factory=dict)
    accept: bool = False


class NightNotSavedError(SimlabError):
    """A night that could not be saved, or not all of it; ``night`` is what was found."""

    def __init__(self, night: Night, faults: Sequence[str]) -> None:
        super().__init__("\n  ".join(faults))
        self.night = night


class PlannedNight:
    """A night, ready to be run.

    Raises
    ------
    InvalidInputError
        If anything is wrong with the suite, its profiles, the trend or the baseline.
    """

    def __init__(self, file: str, wishes: Wishes) -> None:
        self.suite, self.file, self.wishes = read_suite(file), file, wishes
        out = wishes.out
        self.trend = wishes.trend or (None if out is None else out / f"{self.suite.name}-trend.jsonl")
        self.records = [] if self.trend is None else records_in(self.trend, self.suite.name)
        self.number = next_number(self.records)
        self.sweeps = plan(self.suite, file, self.number, wishes.overrides)
        self._study = None if self.suite.baseline.study is None else StudyBaseline(self.suite.baseline.study)
        if out is not None:
            store.prepare(out)

    @property
    def sessions(self) -> int:
        """How many sessions it has, if none is stopped early."""
        return sum(len(sweep.plan) for sweep in self.sweeps)

    def run(self, tell: Told = lambda failed: None) -> Night:
        """Run it, save it, and add it to the trend.

        Parameters
        ----------
        tell
            Called after each session, with whether it could not be run.

        Raises
        ------
        NightNotSavedError
            If something could not be saved; what could is.
        """
        night = self._empty()
        sweeps = [SweepOfNight(one, self.suite, self._before(one), self._tests()) for one in self.sweeps]
        try:
            with closing(executor_of(LOCAL, self.wishes.jobs)) as executor:
                for sweep in sweeps:
                    sweep.run(executor, tell)
        except KeyboardInterrupt:
            night = replace(night, interrupted=True)
        cells = [cell for sweep in sweeps for cell in sweep.cells(self.wishes.overrides, night.interrupted)]
        return self._all_saved(replace(night, cells=cells), sweeps)

    def _all_saved(self, night: Night, sweeps: Sequence[SweepOfNight]) -> Night:
        """Save what can be saved: a full disk takes the trend, perhaps, where it takes no folder."""
        faults: dict[str, None] = {}
        for save in (self._studies_saved, self._added, self._saved):
            try:
                night = save(night, sweeps)
            except SimlabError as error:
                faults[str(error)] = None
        if faults:
            raise NightNotSavedError(night, list(faults))
        return night

    def _empty(self) -> Night:
        return Night(
            self.suite.name,
            self.number,
            datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            commit_of(Path(self.file).resolve().parent),
            now_versions(),
            self.suite.alpha,
            [],
            strict=self.suite.undecided == "fail",
            trend=None if self.trend is None else str(self.trend),
        )

    def _tests(self) -> int:
        measures = len(self.suite.baseline.measures)
        return sum(len(s.parts) * (len(s.sweep.expect.sure()) + measures) for s in self.sweeps)

    def _before(self, sweep: PlannedSweep) -> dict[int, Sample | None]:
        return {number: self._baseline(part) for number, part in enumerate(sweep.parts)}

    def _baseline(self, part: Part) -> Sample | None:
        if self.wishes.accept:
            return None
        if self._study is not None:
            return self._study.of(part)
        return baseline_of(self.records, part, self.suite.baseline.nights)

    def _studies_saved(self, night: Night, sweeps: Sequence[SweepOfNight]) -> Night:
        for sweep in sweeps:
            if self.wishes.out is not None and (sweep.study.session_rows or sweep.study.failures):
                name = f"{self.suite.name}-{sweep.planned.sweep.name}"
                files = {**sweep.planned.plan.files(), **sweep.study.files()}
                store.save_files(self.wishes.out, name, files)
        return night

    def _added(self, night: Night, sweeps: Sequence[SweepOfNight]) -> Night:
        if self.trend is None or night.interrupted:
            return night
        samples = [(part, sweep.sample(part)) for sweep in sweeps for part in sweep.planned.parts]
        accept = self.wishes.accept
        records = [
            record(night, cell, part, sample, accept)
            for cell, (part, sample) in zip(night.cells, samples, strict=True)
        ]
        store.append(self.trend, records)
        return night

    def _saved(self, night: Night, _: Sequence[SweepOfNight]) -> Night:
        if self.wishes.out is None:
            return night
        files = {"junit.xml": junit(night), "summary.md": markdown(night).encode()}
        suite = {"suite.toml": Path(self.file).read_bytes()}
        folder = store.save_files(self.wishes.out, f"{night.suite}-night-{night.number}", files | suite)
        return replace(night, folder=str(folder))


def nightly(
    suite: str | PathLike[str],
    *,
    out: str | PathLike[str] | None = None,
    trend: str | PathLike[str] | None = None,
    jobs: int | None = None,
    set: Mapping[str, Any] = _NOTHING,  # noqa: A002 - as the option is called
    accept: bool = False,
) -> Night:
    """Run the sweeps of a suite, and judge them.

    Parameters
    ----------
    suite
        A TOML file.
    out
        The folder to save in; by default nothing is saved.
    trend
        The file of the nights before, to which this one is added; by default that of the suite in ``out``.
    jobs
        How many processes; None takes all cores.
    set
        Dotted keys and values over those of every sweep.
    accept
        Whether the baseline begins anew with this night.

    Returns
    -------
    Night
        ``passed``, ``finding``, ``cells``; ``simlab.trend`` opens the nights before.

    Raises
    ------
    InvalidInputError
        If something is wrong with the suite, a profile, or the trend.
    NightNotSavedError
        If it could not be saved; its ``night`` is what was found.
    KeyboardInterrupt
        If the user ended it; with ``out``, what was finished is saved before.
    """
    texts = {key: value if isinstance(value, str) else toml_text(value) for key, value in set.items()}
    places = [None if place is None else Path(place) for place in (out, trend)]
    wishes = Wishes(places[0], places[1], jobs or os.cpu_count() or 1, texts, accept)
    night = PlannedNight(fspath(suite), wishes).run()
    if night.interrupted:
        raise KeyboardInterrupt
    return night
