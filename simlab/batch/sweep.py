"""A study from its plan to its folder: begun, interrupted, gone on with and finished."""

from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from simlab import store
from simlab.batch.executors import Executor
from simlab.batch.interrupt import uninterrupted
from simlab.batch.outcome import Outcome
from simlab.batch.plan import Plan
from simlab.batch.schedule import Schedule
from simlab.batch.study import Study
from simlab.core.errors import InvalidInputError, SimlabError

Watch = Callable[[Outcome, int], object]
"""Called with each session that is over, and how many there may be in all, as far as is known by then."""


class Sweep:
    """A study that is being run. Use it as a context, so that its folder is given back.

    Parameters
    ----------
    plan
        What is to be run.
    unfinished
        Where what is over is kept; None keeps it in memory alone.
    """

    def __init__(self, plan: Plan, unfinished: store.Unfinished | None = None) -> None:
        self.plan = plan
        self.unfinished = unfinished
        records = [] if unfinished is None else unfinished.records
        self.outcomes = {outcome.number: outcome for outcome in map(Outcome.of_record, records)}
        self.resumed = len(self.outcomes)
        self._schedule = Schedule(plan, self.outcomes.values())

    @classmethod
    def begin(cls, plan: Plan, parent: Path, name: str | None = None) -> Self:
        """Begin a study in a folder of its own in ``parent``, called as the plan is where no name is given.

        Raises
        ------
        InvalidInputError
            If nothing can be written there.
        SimlabError
            If the disk is full.
        KeyboardInterrupt
            If the user interrupted; then there is no folder.
        """
        store.prepare(parent)
        begun = None
        try:
            with uninterrupted():
                begun = cls(plan, store.Unfinished.begin(parent, name or plan.name, plan.files()))
        except KeyboardInterrupt:
            if begun is not None:
                begun.discard()
            raise
        return begun

    @property
    def most(self) -> int:
        """How many sessions there may be in all, as far as is known now."""
        return self._schedule.most

    def run(
        self, executor: Executor, watch: Watch = lambda _, __: None, numbers: Iterable[int] | None = None
    ) -> None:
        """Run what is left, and keep each session that is over.

        Parameters
        ----------
        numbers
            Of these sessions alone, where the caller decides which come next; None runs all.

        Raises
        ------
        SimlabError
            If the disk is full, or the executor cannot go on.
        KeyboardInterrupt
            If the user interrupted. What was over by then is kept.
        """
        try:
            begin_with = self._schedule.begin() if numbers is None else numbers
            self._submit(executor, [number for number in begin_with if number not in self.outcomes])
            for outcome in executor.finished():
                self._keep(outcome)
                if numbers is None:
                    self._submit(executor, self._schedule.after(outcome))
                watch(outcome, self.most)
        except BaseException as error:
            over = executor.stop()
            if isinstance(error, KeyboardInterrupt):
                for outcome in over:
                    self._keep(outcome)
            if isinstance(error, SimlabError):
                raise self._kept(error) from error
            raise

    def _kept(self, error: SimlabError) -> SimlabError:
        if self.unfinished is None or isinstance(error, store.StudyNotWrittenError | InvalidInputError):
            return error
        told = f"the sessions that are over are kept, and {self.unfinished.option} goes on"
        return SimlabError(f"{error}; {told}")

    def _submit(self, executor: Executor, numbers: list[int]) -> None:
        executor.submit(self.plan.session(number) for number in numbers)

    def _keep(self, outcome: Outcome) -> None:
        with uninterrupted():
            if self.unfinished is not None:
                self.unfinished.append(outcome.record())
            self.outcomes[outcome.number] = outcome

    def forget(self, numbers: Iterable[int]) -> None:
        """Leave sessions out of the study that are over, but would not have been run."""
        for number in numbers:
            self.outcomes.pop(number, None)

    def study(self) -> Study:
        """Return what the sessions that are over come to."""
        study = Study.of(self.plan.by, self.outcomes.values())
        study.overrides, study.notes = self.plan.overrides, self.plan.notes
        study.folder = None if self.unfinished is None else self.unfinished.folder
        return study

    def finish(self) -> Study:
        """Return the study, in a folder of its own if it is kept in one.

        Raises
        ------
        SimlabError
            If the disk is full or cannot be written. What is over is kept.
        """
        study = self.study()
        if self.unfinished is not None:
            with uninterrupted():
                study.folder = self.unfinished.finish(study.files())
        return study

    def leave(self) -> Study:
        """Return the study as far as it went, and leave its folder so that it can be gone on with.

        Raises
        ------
        SimlabError
            If the disk is full or cannot be written. What is over is kept.
        KeyboardInterrupt
            If the user interrupted. What is over is kept, without its tables perhaps.
        """
        study = self.study()
        if self.unfinished is not None:
            files = study.files() if self.outcomes else {}  # takes seconds on a busy machine
            with uninterrupted():
                if self.outcomes:
                    self.unfinished.add(files)
                else:
                    self.unfinished.discard()
                    study.folder = None
        return study

    def settle(self) -> Study:
        """Make a study folder of one that ``leave`` has written, and return the study.

        Raises
        ------
        SimlabError
            If the disk cannot be written. What is over is kept.
        """
        study = self.study()
        if self.unfinished is not None and self.outcomes:
            with uninterrupted():
                study.folder = self.unfinished.finish({})
        return study

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.unfinished is not None:
            if kind in {KeyboardInterrupt, InvalidInputError} and not self.outcomes:
                self.discard()
            self.unfinished.close()

    def discard(self) -> None:
        """Leave nothing of a study of which no session is over."""
        if self.unfinished is not None and self.unfinished.folder.exists():
            self.unfinished.discard()
