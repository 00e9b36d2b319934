"""Run one scenario under the clock that it names."""

import asyncio
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

from simlab import store
from simlab.batch.interrupt import interrupt_now, interruptible, running_loop, uninterrupted
from simlab.batch.result import Run, RunTimeline
from simlab.capture import CAPTURE, TABLE
from simlab.core.errors import SessionFailedError, SimlabError
from simlab.core.timeline import Event, Timeline
from simlab.live.ctrl_c import noted
from simlab.profile.header import header
from simlab.profile.scenario import Scenario
from simlab.study.expect import judge
from simlab.study.invariants import violations
from simlab.study.metrics import metrics

Runner = Callable[[Scenario, Path | None], Timeline]

_POLL_S = 0.05  # until somebody looks whether the session is to be interrupted


def _virtual(scenario: Scenario, capture_in: Path | None) -> Timeline:
    from simlab.virtual.session import run

    run_it = partial(run, capture_in=capture_in)
    return run_it(scenario) if running_loop() is None else _in_thread(run_it, scenario)


def _real(scenario: Scenario, capture_in: Path | None) -> Timeline:
    from simlab.live import chromium_page
    from simlab.live.session import Settings, run

    if scenario.profile.peers.client == "chromium":
        chromium_page.build()
    return run(
        scenario, Settings(capture_in=capture_in)
    )  # in a thread of its own, so that another loop is not in its way


CLOCKS: dict[str, Runner] = {"virtual": _virtual, "real": _real}
"""What runs a scenario, by clock; what one clock needs is not imported for the other."""


def run_scenario(scenario: Scenario, capture_under: Path | None = None) -> Run:
    """Run a session, and work out what it comes to.

    A session that could not be run is a result too: its timeline ends with ``session failed``. Works also
    inside a running event loop, as in a notebook.

    Parameters
    ----------
    capture_under
        Where run folders go, if the packets are to be captured; ``save`` then takes the files from there.

    Raises
    ------
    SimlabError
        If the packets could not be captured.
    """
    captured = None if capture_under is None else store.capture_folder(capture_under, scenario)
    # The wall clock of the process shows virtual time during a session; this one goes on.
    began_s = time.perf_counter()
    with _gone_if_empty(captured), interruptible() as interrupt:
        try:
            timeline = CLOCKS[scenario.clock](scenario, captured)
        except SessionFailedError as error:
            timeline = _failed(scenario, error)
        # What a session in real time has recorded is not to be had again.
        cut_short = interrupt.hold()
        run = judged(scenario, timeline, time.perf_counter() - began_s)
    return replace(run, stopped=cut_short or interrupt.asked > 0, captured=captured)


@contextmanager
def _gone_if_empty(captured: Path | None) -> Iterator[None]:
    """Remove the folder of a capture that was interrupted before there was anything in it."""
    try:
        yield
    except BaseException:
        if captured is not None:
            with suppress(OSError):
                captured.rmdir()
        raise


def save(run: Run, parent: Path) -> Run:
    """Save a run in a folder of its own in ``parent``, and return it with that folder.

    Raises
    ------
    SimlabError
        If it could not be saved.
    """
    with uninterrupted():
        more = {} if run.captured is None else _table_of(run.captured)
        folder = store.save(
            parent, run.scenario, run.timeline, run.metrics, run.picture_png, run.captured, more
        )
    return replace(run, folder=folder, captured=None)


def _table_of(captured: Path) -> dict[str, bytes]:
    """Return the packets of a capture as a file with a table; a session that failed early has no capture."""
    if not (captured / CAPTURE).exists():
        return {}
    from simlab.capture.table import table

    file = BytesIO()
    try:
        table(captured / CAPTURE).write_parquet(file)
    except OSError as error:
        raise SimlabError(f"{captured / CAPTURE}: {store.reason(error)}") from error
    return {TABLE: file.getvalue()}


def judged(scenario: Scenario, timeline: Timeline, wall_s: float) -> Run:
    """Work out what a session comes to that took ``wall_s`` on the clock of the wall."""
    found = metrics(timeline) | {"wall_s": round(wall_s, 3)}
    failed = any(True for _ in timeline.select("session", "failed"))
    # Half a session says nothing about what was expected of the whole.
    found["expectations"] = judge(() if failed else scenario.profile.expectations, found)
    whole = with_violations(timeline)
    return Run(scenario, RunTimeline(whole.header, whole.events), found)


def with_violations(timeline: Timeline) -> Timeline:
    """Return the timeline with an event for each violated invariant."""
    found = [
        Event(violation.t_s, "session", "violation", _without_time(violation.record()))
        for violation in violations(timeline)
    ]
    # Before the last event, which says how the session ended and stays the last one.
    return Timeline.of(timeline.header, [*timeline.events[:-1], *found, *timeline.events[-1:]])


def _without_time(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name != "t_s"}


def _failed(scenario: Scenario, error: SessionFailedError) -> Timeline:
    events = (
        Event(0.0, "session", "begin"),
        Event(0.0, "session", "failed", {"stage": error.stage, "reason": error.reason}),
    )
    return Timeline.of(header(scenario), events)


def _in_thread(runner: Callable[[Scenario], Timeline], scenario: Scenario) -> Timeline:
    """Run a session in a thread, and pass Ctrl-C, which only the main thread gets, on to its loop."""
    thread_ids: list[int] = []

    def work() -> Timeline:
        thread_ids.append(threading.get_ident())
        return runner(scenario)

    told = False
    with noted() as asked, ThreadPoolExecutor(1, "simlab-session") as executor:
        future = executor.submit(work)
        while not future.done():
            wait([future], _POLL_S)
            told = told or (asked() and any(map(_interrupt_thread, thread_ids)))
        return future.result()


def _interrupt_thread(thread_id: int) -> bool:
    """End what the loop of a thread is doing; False if there is no loop running yet."""
    # An exception thrown into the thread itself could land in a callback from C, which swallows it.
    frame = sys._current_frames().get(thread_id)
    while frame is not None:
        loop = frame.f_locals.get("self")
        if frame.f_code.co_name == "run_forever" and isinstance(loop, asyncio.AbstractEventLoop):
            loop.call_soon_threadsafe(interrupt_now)
            return True
        frame = frame.f_back
    return False
