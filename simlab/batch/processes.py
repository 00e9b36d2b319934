"""Several processes of this machine that run the sessions of a study, of which each may die."""

import os
import signal
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError, Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing.process import BaseProcess
from queue import Empty, SimpleQueue
from typing import NamedTuple

from simlab.batch.alike import Unit, Waiting
from simlab.batch.interrupt import uninterrupted
from simlab.batch.outcome import Outcome, died
from simlab.batch.plan import PlannedSession
from simlab.batch.workers import RUN_AGAIN, Pool, work_unit
from simlab.core.errors import InvalidInputError, SimlabError

Result = Future[list[Outcome]]


class Worker:
    """A process that runs one session at a time, or several that are alike.

    A pool of one: where one of several dies, ``concurrent.futures`` gives up the sessions of all of them, and
    does not say whose process it was.
    """

    def __init__(self) -> None:
        self.pool = Pool(1)
        self._process: BaseProcess | None = None
        self._pid: Future[int] | None = None

    def run(self, unit: Unit) -> Result:
        """Begin sessions that are alike.

        Raises
        ------
        BrokenProcessPool
            If the process died since the one before.
        """
        if self._pid is None:
            self._pid = self.pool.submit(os.getpid)
            self._process = next(iter(self.pool.started), None)
        return self.pool.submit(work_unit, unit)

    def end(self, *, others_ran: bool) -> str:
        """Return how the process died, in brackets.

        Raises
        ------
        InvalidInputError
            If it ran the user's script again, which asks for processes.
        SimlabError
            If it died before it could run anything, and nor did another: the next one would die, too.
        """
        self.pool.shutdown()
        exit_code = None if self._process is None else self._process.exitcode
        how = _how(exit_code)
        if not others_ran and self._pid is not None and self._pid.exception() is not None:
            if exit_code == RUN_AGAIN:
                raise InvalidInputError([_unguarded()])
            raise SimlabError(f"the processes that run sessions die as they begin{how}")
        return how


def _unguarded() -> str:
    """Say what a script of the user's own lacks: each process imports it, and must not run it again."""
    script = getattr(sys.modules["__main__"], "__file__", "the script")
    return f'what {script} does must stand below if __name__ == "__main__":, or take jobs=1'


def _how(exit_code: int | None) -> str:
    if exit_code is None:
        return ""
    return f" ({signal.Signals(-exit_code).name})" if exit_code < 0 else f" (exit status {exit_code})"


class _Running(NamedTuple):
    worker: Worker
    unit: Unit
    again: bool


class Processes:
    """Several processes of this machine.

    Sessions that differ in their policy alone are run together. One whose process dies runs again once, by
    itself, when nothing else runs: the system ends the biggest process where memory runs out, whosoever's
    fault that is. Where that one dies, too, the session could not be run.
    """

    def __init__(self, jobs: int) -> None:
        self._free = [Worker() for _ in range(jobs)]
        self._running: dict[Result, _Running] = {}
        self._waiting = Waiting(jobs)
        self._again: deque[PlannedSession] = deque()
        self._over: SimpleQueue[Result] = SimpleQueue()
        self._have_run = False

    def submit(self, sessions: Iterable[PlannedSession]) -> None:
        """Run these too."""
        self._waiting.add(sessions)

    def finished(self) -> Iterator[Outcome]:
        """Yield what became of the sessions, as they end.

        Raises
        ------
        SimlabError
            If the processes die before they can run anything.
        """
        while self._begin_next():
            outcomes = self._outcomes(self._over.get())
            self._begin_waiting()  # whoever takes the outcomes may need a while
            yield from outcomes

    def _begin_next(self) -> bool:
        """Begin what can be begun, and tell whether anything runs."""
        self._begin_waiting()
        if self._again and not self._running:
            self._begin([self._again.popleft()], again=True)
        return bool(self._running)

    def _begin_waiting(self) -> None:
        while self._free and self._waiting:
            self._begin(self._waiting.take())

    def _begin(self, unit: Unit, *, again: bool = False) -> None:
        # What a signal raises inside Thread.start() leaves a lock taken, for which the thread waits for ever.
        with uninterrupted():
            worker = self._free.pop()
            try:
                future = worker.run(unit)
            except BrokenProcessPool:  # it died with nothing to do, which is no session's fault
                worker.end(others_ran=self._have_run)
                worker = Worker()
                future = worker.run(unit)
            self._running[future] = _Running(worker, unit, again)
            future.add_done_callback(self._over.put)

    def _outcomes(self, future: Result) -> list[Outcome]:
        worker, unit, again = self._running.pop(future)
        try:
            outcomes = list(_uninterrupted(future.result()))
        except BrokenProcessPool:
            how = worker.end(others_ran=self._have_run)
            return self._without(unit, Worker(), f"died{how}" if again else None)
        self._have_run = True
        over = {outcome.number for outcome in outcomes}
        rest = [session for session in unit if session.number not in over]
        if not rest:
            self._free.append(worker)
            return outcomes
        # Somebody else asked the process to end, and it would leave out all that is to come.
        worker.end(others_ran=True)
        return outcomes + self._without(rest, Worker(), "were told to end" if again else None)

    def _without(self, unit: Unit, worker: Worker, how: str | None) -> list[Outcome]:
        """Put another worker in the place of a lost one, and run its sessions again, or give them up."""
        self._free.append(worker)
        if how is None:
            self._again.extend(unit)
            return []
        return [died(session.labels, f"two processes that ran it {how}") for session in unit]

    def stop(self) -> Iterable[Outcome]:
        """End the processes, and return what was over before."""
        self.close()
        found: list[Outcome] = []
        with suppress(Empty):
            while True:
                future = self._over.get_nowait()
                with suppress(CancelledError, BrokenProcessPool):
                    found += _uninterrupted(future.result())
        return found

    def close(self) -> None:
        """End the processes."""
        pools = [worker.pool for worker in (*self._free, *(one.worker for one in self._running.values()))]
        for one in pools:
            one.stop()
        for one in pools:
            one.shutdown()


def _uninterrupted(outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
    return (outcome for outcome in outcomes if not outcome.interrupted)
