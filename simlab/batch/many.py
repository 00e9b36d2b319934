"""Many sessions that are saved: one after the other, or in several processes."""

from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError, Future
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path

from simlab.batch.result import Run
from simlab.batch.session import run_scenario, save
from simlab.batch.workers import pool, stop, work
from simlab.core.errors import SessionFailedError
from simlab.profile.scenario import Scenario


def run_all(scenarios: Sequence[Scenario], parent: Path, jobs: int = 1) -> Iterator[Run]:
    """Run and save sessions, and yield them in the order of the scenarios.

    What comes out does not depend on ``jobs``.

    Parameters
    ----------
    parent
        Where the run folders go.
    jobs
        How many processes to use; 1 runs the sessions in this one.

    Raises
    ------
    SimlabError
        If a session could not be saved, or a process died.
    KeyboardInterrupt
        If the user interrupted, after the sessions that this cut short.
    """
    if jobs == 1 or len(scenarios) == 1:
        return _one_by_one(scenarios, parent)
    return _in_processes(scenarios, parent, min(jobs, len(scenarios)))


def _one_by_one(scenarios: Sequence[Scenario], parent: Path) -> Iterator[Run]:
    for scenario in scenarios:
        finished = save(run_scenario(scenario), parent)
        yield finished
        if finished.interrupted:
            raise KeyboardInterrupt


def _in_processes(scenarios: Sequence[Scenario], parent: Path, jobs: int) -> Iterator[Run]:
    with pool(jobs) as executor:
        futures = [executor.submit(work, partial(save, parent=parent), scenario) for scenario in scenarios]
        try:
            for future in futures:
                yield _result(future)
        except KeyboardInterrupt:
            stop(executor)
            yield from (finished for future in futures if (finished := _interrupted(future)))
            raise
        except BaseException:
            stop(executor)
            raise


def _result(future: "Future[Run | None]") -> Run:
    try:
        finished = future.result()
    except BrokenProcessPool as error:
        raise SessionFailedError("worker", "a process that ran sessions died") from error
    assert finished is not None, "a worker leaves out a session only when it is told to stop"
    return finished


def _interrupted(future: "Future[Run | None]") -> Run | None:
    """Return a session that was cut short; those that were finished before have been yielded."""
    try:
        finished = future.result()
    except (CancelledError, BrokenProcessPool):
        return None
    return finished if finished is not None and finished.interrupted else None
