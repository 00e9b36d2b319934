"""Run a night: the sweeps of a suite, judged against what is expected and against the nights before."""

import os
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from simlab import store
from simlab.batch.door import toml_text
from simlab.batch.executors import LOCAL, Executor, executor_of
from simlab.batch.outcome import Outcome
from simlab.batch.planning import Part, PlannedSweep, plan, read_suite
from simlab.batch.policies import policy_keys
from simlab.batch.study import Study
from simlab.batch.trend import (
    StudyBaseline,
    baseline_of,
    commit_of,
    next_number,
    now_versions,
    record,
    records_in,
)
from simlab.profile.suite_tables import Baseline, Suite
from simlab.report.junit import junit
from simlab.report.markdown import markdown
from simlab.study.alarms import share_of_look
from simlab.study.night import Night, NightCell
from simlab.study.nights import Check, Group, Rules, Sample, judge, sample_of
from simlab.study.rows import Row
from simlab.study.summary import summarise

_NOTHING: Mapping[str, Any] = {}
_MOST_REPLAYS = 3
Told = Callable[[bool], None]


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
        SimlabError
            If something could not be saved.
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
        night = replace(night, cells=cells)
        self._save_studies(sweeps)
        if not night.interrupted:
            self._add(night, sweeps)
        return self._saved(night)

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

    def _save_studies(self, sweeps: Iterable["SweepOfNight"]) -> None:
        for sweep in sweeps:
            if self.wishes.out is not None and (sweep.study.session_rows or sweep.study.failures):
                name = f"{self.suite.name}-{sweep.planned.sweep.name}"
                files = {**sweep.planned.plan.files(), **sweep.study.files()}
                store.save_files(self.wishes.out, name, files)

    def _add(self, night: Night, sweeps: Iterable["SweepOfNight"]) -> None:
        if self.trend is None:
            return
        samples = [(part, sweep.sample(part)) for sweep in sweeps for part in sweep.planned.parts]
        accept = self.wishes.accept
        records = [
            record(night, cell, part, sample, accept)
            for cell, (part, sample) in zip(night.cells, samples, strict=True)
        ]
        store.append(self.trend, records)

    def _saved(self, night: Night) -> Night:
        if self.wishes.out is None:
            return night
        files = {"junit.xml": junit(night), "summary.md": markdown(night).encode()}
        suite = {"suite.toml": Path(self.file).read_bytes()}
        folder = store.save_files(self.wishes.out, f"{night.suite}-night-{night.number}", files | suite)
        return replace(night, folder=str(folder))


class SweepOfNight:
    """A sweep of a night, and what is known of it so far.

    Parameters
    ----------
    before
        The baseline of each part.
    tests
        How many tests the whole night has: this sweep gets its share of alpha.
    """

    def __init__(
        self, planned: PlannedSweep, suite: Suite, before: Mapping[int, Sample | None], tests: int
    ) -> None:
        self.planned, self._suite, self._before = planned, suite, before
        self.study = Study.of(planned.plan.by, ())
        self._outcomes: list[Outcome] = []
        self._expectations = planned.sweep.expect.sure()
        per_part = len(self._expectations) + len(suite.baseline.measures)
        self._tests = per_part * len(planned.parts)
        self._alpha = suite.alpha * self._tests / tests if tests else suite.alpha
        self._checks: dict[int, list[Check]] = {}
        self._stopped: set[int] = set()

    def run(self, executor: Executor, tell: Told) -> None:
        """Run its sessions, look by look.

        Raises
        ------
        KeyboardInterrupt
            If the user interrupted.
        """
        looks = self.planned.sweep.looks
        for look in range(1, looks + 1):
            executor.submit(self.planned.plan.session(number) for number in self._next(look))
            self._take_in(executor, tell)
            self._look(self._alpha * share_of_look(look, looks), last=look == looks)

    def _next(self, look: int) -> Iterator[int]:
        """Yield the numbers of the sessions up to a look that the one before did not have."""
        seeds, looks = self.planned.sweep.seeds, self.planned.sweep.looks
        ends = slice(seeds * (look - 1) // looks, seeds * look // looks)
        for number, part in enumerate(self.planned.parts):
            if number not in self._stopped:
                yield from part.numbers[ends]

    def _take_in(self, executor: Executor, tell: Told) -> None:
        try:
            for outcome in executor.finished():
                self._outcomes.append(outcome)
                tell(outcome.failed is not None)
        except KeyboardInterrupt:
            self._outcomes += executor.stop()
            raise
        finally:
            self.study = Study.of(self.planned.plan.by, self._outcomes)

    def _look(self, alpha: float, *, last: bool) -> None:
        baseline = self._suite.baseline
        rules = Rules(alpha, baseline.measures, _tolerances(baseline))
        going_on = [number for number in range(len(self.planned.parts)) if number not in self._stopped]
        groups = {number: self._group(number) for number in going_on}
        judged = {number: group for number, group in groups.items() if group.sessions}
        checks = judge(list(judged.values()), rules, self._tests)
        for number, group in judged.items():
            mine = [check for check in checks if check.labels is group.labels]
            if any(check.alarms for check in mine) and not last:
                self._stopped.add(number)
            self._checks[number] = mine

    def _group(self, number: int) -> Group:
        part = self.planned.parts[number]
        sessions, outages = self._rows(part)
        sample = sample_of(sessions, outages)
        return Group(part.labels, sessions, outages, sample, self._before[number], self._expectations)

    def _rows(self, part: Part) -> tuple[list[Row], list[Row]]:
        sessions, outages = (
            [row for row in rows if row["session"] in part.numbers]
            for rows in (self.study.session_rows, self.study.outage_rows)
        )
        return sessions, outages

    def sample(self, part: Part) -> Sample:
        """Return the numbers of the sessions of a part that have been run."""
        return sample_of(*self._rows(part))

    def cells(self, overrides: Mapping[str, str], interrupted: bool) -> Iterator[NightCell]:
        """Yield what its parts come to; those of an interrupted night are not judged."""
        for number, part in enumerate(self.planned.parts):
            sessions, outages = self._rows(part)
            failures = [
                f"seed {row['seed']}: {row['stage']}: {row['reason']}"
                for row in self.study.failures
                if row["session"] in part.numbers
            ]
            labels = [name for name in part.labels if name != "sweep"]
            summaries = summarise(sessions, outages, labels)
            checks = [] if interrupted else self._checks.get(number, [])
            yield NightCell(
                part.labels,
                summaries[0] if summaries else None,
                failures,
                checks,
                self._replays(part, sessions, outages),
                stopped=number in self._stopped,
            )

    def _replays(
        self, part: Part, sessions: Sequence[Row], outages: Sequence[Row]
    ) -> Sequence[tuple[str, str]]:
        sample = sample_of(sessions, outages)
        values = sample.values
        order = sorted(
            range(len(sample.seeds)),
            key=lambda at: (values["success_rate"][at], -values["violations"][at], -values["down_time"][at]),
        )
        return [(_told(sample, at), self._command(part, sample.seeds[at])) for at in order[:_MOST_REPLAYS]]

    def _command(self, part: Part, seed: int) -> str:
        """Return the command that runs a session again."""
        wanted = self.planned.matrix.wanted
        words = ["simlab", "run", part.profile]
        named = [name for name in wanted.policies if policy_keys(name).name == part.labels["policy"]]
        words += [word for name in named[:1] for word in ("--policy", name)]
        words += ["--seed", str(seed)]
        words += [] if wanted.clock is None else ["--clock", wanted.clock]
        for key, value in {**wanted.overrides, **part.varied}.items():
            words += ["--set", f"{key}={value}"]
        return shlex.join(words)


def _told(sample: Sample, at: int) -> str:
    values = {name: numbers[at] for name, numbers in sample.values.items()}
    told = [f"seed {sample.seeds[at]}", f"{values['down_time']:.1f} s of outage"]
    told += [] if values["success_rate"] else ["not saved"]
    told += [f"{values['violations']:.0f} violated"] if values["violations"] else []
    return ", ".join(told)


def _tolerances(baseline: Baseline) -> dict[str, float]:
    return {name: baseline.tolerance.of(name) for name in baseline.measures}


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
    SimlabError
        If it could not be saved.
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
