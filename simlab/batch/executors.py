"""What runs the sessions of a study: this process, several of them, or a Dask cluster."""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Protocol

from simlab.batch.outcome import Outcome, outcome_of
from simlab.batch.plan import PlannedSession
from simlab.batch.processes import Processes
from simlab.batch.session import run_scenario
from simlab.core.errors import InvalidInputError

LOCAL = "local"
DASK = "dask://"


class Executor(Protocol):
    """Runs sessions, and gives what became of each when it is over."""

    def submit(self, sessions: Iterable[PlannedSession]) -> None:
        """Run these too."""

    def finished(self) -> Iterator[Outcome]:
        """Yield what became of the sessions, as they end, until none is left; more may come meanwhile.

        Raises
        ------
        SimlabError
            If it cannot go on.
        KeyboardInterrupt
            If the user interrupted.
        """

    def stop(self) -> Iterable[Outcome]:
        """End the sessions that run, begin no other, and return those that are over and were not yielded."""

    def close(self) -> None:
        """Give back what it has taken."""


def executor_of(name: str, jobs: int, *, here: bool = True) -> Executor:
    """Return an executor.

    Parameters
    ----------
    name
        ``"local"``, or ``"dask://HOST:PORT"``.
    jobs
        How many processes a local one uses.
    here
        Whether the sessions run in this process, if it is one job.

    Raises
    ------
    InvalidInputError
        If there is none of that name, Dask is not installed, or this process may have no others.
    SimlabError
        If no scheduler answers there.
    """
    if name.startswith(DASK):
        from simlab.batch.dask_cluster import DaskCluster

        return DaskCluster(name.removeprefix(DASK))
    if name != LOCAL:
        raise InvalidInputError([f'--executor is "{name}", want "{LOCAL}" or "{DASK}HOST:PORT"'])
    return Here() if here and jobs == 1 else Processes(jobs)


class Here:
    """One session after the other, each by itself, in this process."""

    def __init__(self) -> None:
        self._waiting: deque[PlannedSession] = deque()

    def submit(self, sessions: Iterable[PlannedSession]) -> None:
        """Run these too."""
        self._waiting.extend(sessions)

    def finished(self) -> Iterator[Outcome]:
        """Run the sessions, and yield what became of them.

        Raises
        ------
        KeyboardInterrupt
            If the user interrupted.
        """
        while self._waiting:
            session = self._waiting.popleft()
            outcome = outcome_of(session.labels, run_scenario(session.scenario))
            if outcome.interrupted:
                raise KeyboardInterrupt
            yield outcome

    def stop(self) -> Iterable[Outcome]:
        """Begin no other."""
        self._waiting.clear()
        return ()

    def close(self) -> None:
        """Nothing was taken."""
