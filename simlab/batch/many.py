"""Many sessions: one after the other, or in several processes."""

import multiprocessing
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path

from simlab.batch.interrupt import Interrupt
from simlab.batch.result import Run
from simlab.batch.session import run_scenario, save
from simlab.core.errors import SessionFailedError
from simlab.profile.scenario import Scenario


def run_all(scenarios: Sequence[Scenario], parent: Path, jobs: int = 1) -> Iterator[Run]:
    """Run and save sessions, and yield them in the order of the scenarios.

    What comes out does not depend on ``jobs``.

    Parameters
    ----------
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
        run = save(run_scenario(scenario), parent)
        yield run
        if run.interrupted:
            raise KeyboardInterrupt


def _in_processes(scenarios: Sequence[Scenario], parent: Path, jobs: int) -> Iterator[Run]:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, context, _begin_worker) as executor:
        futures = [executor.submit(_work, scenario, parent) for scenario in scenarios]
        try:
            for future in futures:
                yield _result(future)
        except KeyboardInterrupt:
            _stop(executor)
            yield from (run for future in futures if (run := _interrupted(future)))
            raise
        except BaseException:
            _stop(executor)
            raise


def _stop(executor: ProcessPoolExecutor) -> None:
    executor.shutdown(wait=False, cancel_futures=True)
    for worker in multiprocessing.active_children():
        worker.terminate()


def _result(future: "Future[Run | None]") -> Run:
    try:
        run = future.result()
    except BrokenProcessPool as error:
        raise SessionFailedError("worker", "a process that ran sessions died") from error
    assert run is not None, "a worker leaves out a session only when it is told to stop"
    return run


def _interrupted(future: "Future[Run | None]") -> Run | None:
    """Return a session that was cut short; those that were finished before have been yielded."""
    try:
        run = future.result()
    except (CancelledError, BrokenProcessPool):
        return None
    return run if run is not None and run.interrupted else None


_interrupt = Interrupt(held=True, patient=True)


def _begin_worker() -> None:
    # Ctrl-C goes to every process of the terminal; only the parent decides, and tells the workers once.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _interrupt)


def _work(scenario: Scenario, parent: Path) -> Run | None:
    _interrupt.held = False
    try:
        run = None if _interrupt.asked else run_scenario(scenario)
    except KeyboardInterrupt:
        run = None
    finally:
        _interrupt.held = True
    return None if run is None else save(replace(run, stopped=_interrupt.asked > 0), parent)
