"""What runs in the processes that run sessions."""

import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from multiprocessing import resource_tracker
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import ParamSpec, TypeVar

from simlab.batch.alike import Unit, run_unit
from simlab.batch.interrupt import Interrupt
from simlab.batch.outcome import Outcome
from simlab.batch.result import Run
from simlab.batch.session import run_scenario
from simlab.batch.told_once import ToldOnce
from simlab.core.errors import InvalidInputError
from simlab.live.ending import ASKING, parent_alone_is_asked
from simlab.profile.model import Clock
from simlab.profile.scenario import Scenario

P = ParamSpec("P")
R = TypeVar("R")

_DAEMONIC = "a daemonic process of multiprocessing, such as one of its Pool, may have no others"

_interrupt = Interrupt(held=True, patient=True)


RUN_AGAIN = 78
"""The exit status of a process that ran a script again which starts processes: EX_CONFIG of sysexits.h."""


def end_if_run_again() -> None:
    """End this process if it is itself one of a pool and imports the user's script, which asks for another.

    Raises
    ------
    SystemExit
        If so: nobody but the first process can tell the user.
    """
    if getattr(multiprocessing.current_process(), "_inheriting", False):  # as multiprocessing.spawn has it
        raise SystemExit(RUN_AGAIN)


class Pool(ProcessPoolExecutor):
    """Processes for ``work`` and ``work_unit``.

    Raises
    ------
    InvalidInputError
        If this process may have no others.
    """

    def __init__(self, jobs: int) -> None:
        end_if_run_again()
        if multiprocessing.current_process().daemon:
            raise InvalidInputError([f"--jobs: want 1: {_DAEMONIC}"])
        with parent_alone_is_asked():  # or multiprocessing's own process dies when the terminal is closed
            resource_tracker.ensure_running()
        super().__init__(jobs, multiprocessing.get_context("spawn"), _begin)

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Run something in one of the processes, which this may start: see ``parent_alone_is_asked``."""
        with parent_alone_is_asked(), _no_script_to_import_that_is_no_file():
            return super().submit(fn, *args, **kwargs)

    @property
    def started(self) -> list[BaseProcess]:
        """The processes that there are, without those that others have started; none after the end."""
        return list((self._processes or {}).values())

    def stop(self) -> None:
        """End the sessions that run, and begin no other."""
        started = self.started
        self.shutdown(wait=False, cancel_futures=True)
        for process in started:
            process.terminate()


@contextmanager
def _no_script_to_import_that_is_no_file() -> Iterator[None]:
    """Start processes that do not look for the script where Python has read it from stdin."""
    main = vars(sys.modules["__main__"])
    name = main.get("__file__")
    if name is None or Path(name).exists():
        yield
        return
    del main["__file__"]  # "<stdin>", which multiprocessing.spawn takes for a path
    try:
        yield
    finally:
        main["__file__"] = name


def _begin() -> None:
    # Ctrl-C goes to every process of the terminal, as does its end; only the parent decides, and tells the
    # workers once.
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _interrupt)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ASKING)  # what it was started with
    threading.Thread(target=_end_with_parent, daemon=True).start()
    logging.getLogger("asyncio").addFilter(ToldOnce())


def _end_with_parent() -> None:
    # A killed parent tells nobody, and a worker would wait for ever for its next session.
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def work(finish: Callable[[Run], R], scenario: Scenario, capture_under: Path | None = None) -> R | None:
    """Run a session in a process of a pool, and return what remains of it.

    Parameters
    ----------
    finish
        Makes of a session that is over what remains of it. It is not interrupted.
    capture_under
        Where run folders go, if packets are to be captured.

    Returns
    -------
    R or None
        None where the pool was stopped before it began.
    """
    run = None
    with _interruptible(scenario.clock):
        if not _interrupt.asked:
            run = run_scenario(scenario, capture_under)
    return None if run is None else finish(replace(run, stopped=_interrupt.asked > 0))


def work_unit(unit: Unit) -> list[Outcome]:
    """Run sessions that are alike in a process of a pool, and return what remains of those that are over."""
    with _interruptible("virtual"):
        if not _interrupt.asked:
            return run_unit(unit, lambda: _interrupt.asked > 0)
    return []


@contextmanager
def _interruptible(clock: Clock) -> Iterator[None]:
    """Let the pool's end also end a session."""
    # A virtual session is over soon, and its loop runs nearly all the time.
    _interrupt.for_loops = clock == "virtual"
    _interrupt.held = False
    try:
        with suppress(KeyboardInterrupt):
            yield
    finally:
        _interrupt.held = True
