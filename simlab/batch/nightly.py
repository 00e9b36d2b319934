"""Run a night: the sweeps of a suite, judged against what is expected and against the nights before."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from simlab import store
from simlab.batch.arguments import Faults
from simlab.batch.baseline import Before, Record, baseline_of, missing
from simlab.batch.night_begun import BegunNight, NightNotSavedError
from simlab.batch.night_counted import finished, is_left, night_named
from simlab.batch.parts import Part
from simlab.batch.planning import PlannedSweep, plan, read_suite
from simlab.batch.resume import NIGHT, resume
from simlab.batch.study_baseline import StudyBaseline
from simlab.batch.sweep import Sweep
from simlab.batch.sweep_of_night import SweepOfNight
from simlab.batch.trend import (
    commit_of,
    latest,
    next_number,
    now_versions,
)
from simlab.batch.trend_changes import recent
from simlab.batch.trend_records import records_in
from simlab.batch.wishes import Wishes
from simlab.core.errors import InvalidInputError
from simlab.study.night import Night, name_of

__all__ = ["NightNotSavedError", "PlannedNight", "Wishes"]


WANTS_OUT = "resume: want out, where the night was cut short"


class PlannedNight:
    """A night, ready to be run.

    Raises
    ------
    InvalidInputError
        If anything is wrong with the suite, its profiles, the trend or the baseline.
    """

    def __init__(self, file: str, wishes: Wishes) -> None:
        self.file, self.wishes = file, wishes
        out, faults = wishes.out, Faults()
        with faults.kept():
            if wishes.resume and out is None:
                raise InvalidInputError([WANTS_OUT])
        with faults.kept():
            self.suite = read_suite(file)
        faults.tell()
        self.commit = commit_of(Path(file).resolve().parent)
        self.trend = wishes.trend or (None if out is None else out / f"{self.suite.name}-trend.jsonl")
        with faults.kept():
            self._count(out)
        with faults.kept():
            self.sweeps = plan(self.suite, file, self.number, wishes.overrides)
        with faults.kept():
            study = self.suite.baseline.study
            self._study = None if study is None else StudyBaseline(study)
        faults.tell()
        if out is not None:
            store.prepare(out)
        if self.trend is not None:
            store.prepare_append(self.trend)

    def _count(self, out: Path | None) -> None:
        """Read the nights before, and say which one this is."""
        self.number, self.counted = 1, False
        self.records = [] if self.trend is None else records_in(self.trend, self.suite.name)
        last = latest(self.records)
        if self.wishes.resume and out is not None:
            self.counted = is_left(out, self.suite.name, self.commit, last)
        if self.counted:
            self.records = self.records[: -len(last)]
        self.number = last[0]["night"] if self.counted else next_number(self.records)

    @property
    def sessions(self) -> int:
        """How many sessions it has, if none is stopped early."""
        return sum(len(sweep.plan) for sweep in self.sweeps)

    @contextmanager
    def begun(self) -> Iterator[BegunNight]:
        """Make the folders of its studies, or find them, and give them back at the end.

        Raises
        ------
        InvalidInputError
            If nothing can be written there, or another process is running this night.
        SimlabError
            If the disk is full.
        """
        before, suite = [self._before(one) for one in self.sweeps], store.content(Path(self.file))
        with ExitStack() as stack:
            kept, told = self._all_kept(stack)
            sweeps = [
                SweepOfNight(one, place, self.suite, baseline, self._tests())
                for one, place, baseline in zip(self.sweeps, kept, before, strict=True)
            ]
            begun = self._empty(), sweeps, self.wishes, suite, told
            yield BegunNight(*begun, changed=self._changed, counted=self.counted)

    def run(self, watch: Callable[[int, int], object] | None = None) -> Night:
        """Begin it, run it, save it, and add it to the trend.

        Parameters
        ----------
        watch
            Called after each session with how many are over, and how many there may be in all.

        Raises
        ------
        NightNotSavedError
            If something could not be saved; what could is.
        SimlabError
            If it could not be begun, or the disk was full before the end.
        """
        with self.begun() as night:
            return night.run(lambda _: watch and watch(night.over, self.sessions))

    def _all_kept(self, stack: ExitStack) -> tuple[list[Sweep], list[str]]:
        """Return where the sessions of each sweep are kept; where one has no place, none is left behind."""
        kept: list[Sweep] = []
        told = [f"Night {self.number} is in the trend: not added again."] if self.counted else []
        try:
            for one in self.sweeps:
                place, said = self._kept(one)
                kept.append(stack.enter_context(place))
                told += said
        except BaseException:
            for place in kept:
                if not place.outcomes:
                    place.discard()
            raise
        return kept, told

    def _kept(self, one: PlannedSweep) -> tuple[Sweep, list[str]]:
        """Return where the sessions of a sweep are kept, and what is to be said of that."""
        out, name = self.wishes.out, f"{self.suite.name}-{one.sweep.name}"
        if out is None:
            return Sweep(one.plan), []
        plan = replace(one.plan, asked={**one.plan.asked, NIGHT: self._which})
        if self.counted and finished(out, name, self._which):
            return Sweep(one.plan), [f"{one.sweep.name}: its study is finished: run again to be judged."]
        if self.wishes.resume:
            kept, told = resume(plan, out, name=name)
        else:
            kept, told = Sweep.begin(plan, out, name), []
        if kept.unfinished is not None:
            kept.unfinished.option = self.wishes.again(self.file)
        return kept, [f"{one.sweep.name}: {line}" for line in told]

    @property
    def _which(self) -> str:
        """Which night it is."""
        return night_named(self.number, self.suite.name, self.commit)

    def _changed(self, records: Sequence[Record]) -> list[str]:
        return recent([*self.records, *records], self.suite.baseline.measures)

    def _empty(self) -> Night:
        return Night(
            self.suite.name,
            self.number,
            store.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            self.commit,
            now_versions(),
            self.suite.alpha,
            [],
            strict=self.suite.undecided == "fail",
            missing=[name_of(labels) for labels in missing(self.records, self._parts)],
            notes=self.notes,
            trend=None if self.trend is None else str(self.trend),
        )

    @property
    def notes(self) -> list[str]:
        """What is to be known of the keys that are set or vary, sweep by sweep."""
        return [f"{one.sweep.name}: {note}" for one in self.sweeps for note in one.plan.notes]

    def _tests(self) -> int:
        measures = len(self.suite.baseline.measures)
        return sum(len(s.parts) * (len(s.sweep.expect.sure()) + measures) for s in self.sweeps)

    @property
    def _parts(self) -> list[Part]:
        return [part for sweep in self.sweeps for part in sweep.parts]

    def _before(self, sweep: PlannedSweep) -> dict[int, Before]:
        return {number: self._baseline(part) for number, part in enumerate(sweep.parts)}

    def _baseline(self, part: Part) -> Before:
        if self.wishes.accept:
            return Before(None)
        if self._study is not None:
            return self._study.of(part)
        return baseline_of(self.records, part, self.suite.baseline.nights)
