"""A night that has begun: run, judged and saved, whatever ends it."""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from simlab import store
from simlab.batch.baseline import Record
from simlab.batch.executors import LOCAL, executor_of
from simlab.batch.reporting import add_report
from simlab.batch.study import Study
from simlab.batch.sweep_of_night import SweepOfNight, Told
from simlab.batch.trend import record
from simlab.batch.wishes import Wishes
from simlab.core.errors import InvalidInputError, SimlabError
from simlab.report.junit import junit
from simlab.report.markdown import markdown
from simlab.study.night import Night


class NightNotSavedError(SimlabError):
    """A night that could not be saved, or not all of it; ``night`` is what was found."""

    def __init__(self, night: Night, faults: Sequence[str]) -> None:
        super().__init__("\n  ".join(faults))
        self.night = night


class BegunNight:
    """A night whose studies have their folders.

    Parameters
    ----------
    night
        What is known of it before it is run.
    suite
        The content of the suite's file.
    told
        What is to be said of what it goes on with, as sentences.
    changed
        Tells what the trend says, with the records of this night.
    counted
        Whether it is in the trend already.
    """

    def __init__(
        self,
        night: Night,
        sweeps: Sequence[SweepOfNight],
        wishes: Wishes,
        suite: bytes,
        told: Sequence[str],
        *,
        changed: Callable[[Sequence[Record]], Sequence[str]],
        counted: bool = False,
    ) -> None:
        self._night, self._sweeps, self._wishes, self._suite = night, sweeps, wishes, suite
        self._changed = changed
        self.told, self._counted = told, counted
        self._studies: list[Study] = []

    @property
    def resumed(self) -> int:
        """How many sessions were over when it began."""
        return sum(sweep.kept.resumed for sweep in self._sweeps)

    @property
    def over(self) -> int:
        """How many sessions are over now."""
        return sum(len(sweep.kept.outcomes) for sweep in self._sweeps)

    def run(
        self, tell: Told = lambda failed: None, stopping: Callable[[int], None] = lambda over: None
    ) -> Night:
        """Run it, save it, and add it to the trend.

        Parameters
        ----------
        tell
            Called after each session, with whether it could not be run.
        stopping
            Called when the user interrupted, with how many sessions are over.

        Raises
        ------
        NightNotSavedError
            If something could not be saved when all was over; what could is.
        InvalidInputError
            If the processes cannot begin, since each runs the user's script again.
        SimlabError
            If the disk was full before that; the sessions that are over are kept.
        """
        night = self._night
        try:
            with closing(executor_of(LOCAL, self._wishes.jobs)) as executor:
                for sweep in self._sweeps:
                    sweep.run(executor, tell)
        except InvalidInputError:
            for sweep in self._sweeps:
                sweep.kept.leave()
            raise
        except KeyboardInterrupt:
            night = replace(night, interrupted=True)
            stopping(self.over)
        overrides = self._wishes.overrides
        cells = [cell for sweep in self._sweeps for cell in sweep.cells(overrides, night.interrupted)]
        return self._all_saved(replace(night, cells=cells, trend=None))

    def _all_saved(self, night: Night) -> Night:
        """Save what can be saved: the finding, perhaps, where there is no room for a study."""
        faults: dict[str, None] = {}
        for save in (self._kept, self._saved, self._reported):
            try:
                night = save(night)
            except SimlabError as error:
                faults[str(error)] = None
        if faults:
            raise NightNotSavedError(night, list(faults))
        return night

    def _kept(self, night: Night) -> Night:
        """Write the studies, and only then count the night: until then it can be gone on with."""
        for sweep in self._sweeps:
            sweep.kept.leave()
        if night.interrupted:
            return night
        records = self._records(night)
        night = replace(night, trend_changes=self._changed(records))
        if self._night.trend is not None and not self._counted:
            store.append(Path(self._night.trend), records)
        night = replace(night, trend=self._night.trend)
        for sweep in self._sweeps:
            self._studies.append(sweep.kept.settle())
        return night

    def _records(self, night: Night) -> list[Record]:
        samples = [(part, sweep.sample(part)) for sweep in self._sweeps for part in sweep.planned.parts]
        return [
            record(night, cell, part, sample, self._wishes.accept)
            for cell, (part, sample) in zip(night.cells, samples, strict=True)
        ]

    def _saved(self, night: Night) -> Night:
        if self._wishes.out is None:
            return night
        files = {
            "junit.xml": junit(night),
            "summary.md": store.utf8(markdown(night)),
            "suite.toml": self._suite,
        }
        folder = store.save_files(self._wishes.out, f"{night.suite}-night-{night.number}", files)
        return replace(night, folder=str(folder))

    def _reported(self, night: Night) -> Night:
        """Add the page of each study, last of all: without one nothing is lost."""
        for study in self._studies:
            if study.folder is not None and study.folder.exists():
                add_report(study)
        return night
