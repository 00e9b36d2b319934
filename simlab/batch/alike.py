"""Run sessions that differ in their policy alone: what they have in common, once.

Until two policies want different things, their sessions are the same one. From there on, each goes on in a
copy of the process.
"""

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from simlab.batch.branches import Branches, can_branch
from simlab.batch.outcome import Outcome, outcome_of
from simlab.batch.plan import PlannedSession
from simlab.batch.session import judged, run_scenario
from simlab.core.errors import SessionFailedError
from simlab.core.timeline import Timeline
from simlab.profile.header import header
from simlab.profile.scenario import Scenario

T = TypeVar("T")

Unit = Sequence[PlannedSession]
"""Sessions that differ in their policy alone."""


class Waiting:
    """Sessions that wait to be run, and are taken with those that they can be run with.

    Parameters
    ----------
    takers
        How many take some at the same time: the last ones are shared out, so that none has nothing to do.
    """

    def __init__(self, takers: int) -> None:
        self._takers = takers
        self._alike: dict[object, list[PlannedSession]] = {}

    def add(self, sessions: Iterable[PlannedSession]) -> None:
        """Let these wait, too."""
        for session in sessions:
            self._alike.setdefault(session.alike or session.number, []).append(session)

    def take(self) -> Unit:
        """Return what is to be run next, which waits no more.

        Raises
        ------
        StopIteration
            If nothing waits.
        """
        key, several = next(iter(self._alike.items()))
        parts = math.ceil(self._takers / len(self._alike))
        taken = several[: math.ceil(len(several) / parts)]
        del several[: len(taken)]
        if not several:
            del self._alike[key]
        return taken

    def __bool__(self) -> bool:
        """Tell whether any session waits."""
        return bool(self._alike)


def run_unit(unit: Unit, is_stopped: Callable[[], bool]) -> list[Outcome]:
    """Run the sessions of a unit, and return what remains of them, in the order of their numbers.

    Parameters
    ----------
    is_stopped
        Tells whether the user wants them to end; those that are not over then may be left out.
    """
    over: list[Outcome] = []
    if len(unit) > 1 and can_branch():

        def outcome(number: int, timeline: Timeline, wall_s: float) -> Outcome:
            run = judged(unit[number].scenario, timeline, wall_s)
            return outcome_of(unit[number].labels, replace(run, stopped=is_stopped()))

        over = run_together([session.scenario for session in unit], outcome, is_stopped)
    known = {one.number for one in over}
    for session in unit:
        if session.number not in known and not is_stopped():
            run = run_scenario(session.scenario)
            over.append(outcome_of(session.labels, replace(run, stopped=is_stopped())))
    return sorted(over, key=lambda one: one.number)


def run_together(
    scenarios: Sequence[Scenario],
    finish: Callable[[int, Timeline, float], T],
    is_stopped: Callable[[], bool] = lambda: False,
) -> list[T]:
    """Run scenarios under the virtual clock that differ in their policy alone, as long as one is as another.

    Parameters
    ----------
    finish
        Makes, in whatever process, of a session that is over what remains of it; called with the scenario's
        number, the timeline, and the seconds that it took, with those of the ones before it.

    Returns
    -------
    list of T
        In no order. Those are missing whose process died, and all if the session could not begin.
    """
    from simlab.virtual.session import run
    from simlab.webrtc.following import following

    branches: Branches[list[T]] = Branches(is_stopped)

    def work() -> list[T]:
        began_s = time.perf_counter()

        def finished(timeline: Timeline) -> list[T]:
            wall_s = time.perf_counter() - began_s
            return [finish(n, retold(timeline, scenarios[n]), wall_s) for n in followed.kept]

        def over(timeline: Timeline) -> None:
            branches.end_copy(lambda: finished(timeline))

        with following(scenarios, branches.choose) as followed:
            try:
                timeline = run(scenarios[0], over=over)
            except SessionFailedError:
                return []
        return finished(timeline)

    return [one for found in branches.run(work) for one in found]


def retold(timeline: Timeline, scenario: Scenario) -> Timeline:
    """Return a timeline as that of another scenario, with which the same happened."""
    return Timeline.of(header(scenario, dtls_timer=timeline.header["dtls_timer"]), timeline.events)
