"""Many sessions: one after the other, or in several processes."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from simlab.batch.interrupt import uninterrupted
from simlab.batch.result import Run
from simlab.batch.session import run_scenario, save
from simlab.batch.workers import Pool, work
from simlab.core.errors import SessionFailedError
from simlab.profile.scenario import Scenario


class Finished(Protocol):
    """What remains of a session."""

    @property
    def interrupted(self) -> bool:
        """Whether the user wanted it to end, and nothing to follow."""


R = TypeVar("R", bound=Finished)
Finish = Callable[[Run], R]


def run_all(
    scenarios: Sequence[Scenario], parent: Path, jobs: int = 1, capture: bool = False
) -> Iterator[Run]:
    """Run and save sessions, and yield them in the order of the scenarios: see ``run_each``.

    Parameters
    ----------
    capture
        Whether to capture their packets.
    """
    return run_each(partial(save, parent=parent), scenarios, jobs, parent if capture else None)


def run_each(
    finish: Finish[R], scenarios: Sequence[Scenario], jobs: int = 1, capture_under: Path | None = None
) -> Iterator[R]:
    """Run sessions, and yield what remains of each in the order of the scenarios.

    What comes out does not depend on ``jobs``.

    Parameters
    ----------
    finish
        Makes of a session that is over what remains of it. A function of a module, so that other processes
        find it.
    jobs
        How many processes to use; 1 runs the sessions in this one.
    capture_under
        Where run folders go, if packets are to be captured.

    Raises
    ------
    SimlabError
        If a session could not be saved, or a process died.
    KeyboardInterrupt
        If the user interrupted, after the sessions that this cut short.
    """
    if jobs == 1 or len(scenarios) <= 1:
        return _one_by_one(finish, scenarios, capture_under)
    return _in_processes(finish, scenarios, min(jobs, len(scenarios)), capture_under)


def _one_by_one(finish: Finish[R], scenarios: Sequence[Scenario], capture_under: Path | None) -> Iterator[R]:
    for scenario in scenarios:
        finished = finish(run_scenario(scenario, capture_under))
        yield finished
        if finished.interrupted:
            raise KeyboardInterrupt


def _in_processes(
    finish: Finish[R], scenarios: Sequence[Scenario], jobs: int, capture_under: Path | None
) -> Iterator[R]:
    with Pool(jobs) as executor:
        futures: list[Future[R | None]] = []
        try:
            with uninterrupted():  # see Processes
                futures += [executor.submit(work, finish, scenario, capture_under) for scenario in scenarios]
            for future in futures:
                yield _result(future)
        except KeyboardInterrupt:
            executor.stop()
            yield from (finished for future in futures if (finished := _interrupted(future)))
            raise
        except BaseException:
            executor.stop()
            raise


def _result(future: "Future[R | None]") -> R:
    try:
        finished = future.result()
    except BrokenProcessPool as error:
        raise SessionFailedError("worker", "a process that ran sessions died") from error
    if finished is None:  # not by this process, which would not ask any more
        raise SessionFailedError("worker", "a process that ran sessions was told to end")
    return finished


def _interrupted(future: "Future[R | None]") -> R | None:
    """Return a session that was cut short; those that were finished before have been yielded."""
    try:
        finished = future.result()
    except (CancelledError, BrokenProcessPool):
        return None
    return finished if finished is not None and finished.interrupted else None
