"""The workers of a Dask cluster: its scheduler's address is all that is needed, and simlab on the workers."""

import logging
from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError
from typing import Any
from uuid import uuid4

from simlab.batch.apart import run_apart
from simlab.batch.outcome import Outcome, died
from simlab.batch.plan import PlannedSession
from simlab.core.errors import InvalidInputError, SimlabError
from simlab.profile.header import versions

try:
    import distributed
except ImportError as error:
    raise InvalidInputError(
        ['--executor: distributed is not installed: pip install "simlab[distributed]"']
    ) from error

# It writes tracebacks to stderr; what matters of them becomes an error.
logging.getLogger("distributed.client").setLevel(logging.CRITICAL)

_ANSWER_S = 10.0
_RETRIES = 2


class DaskCluster:
    """A cluster, by its scheduler.

    A session whose worker dies runs again on another one; where it takes several workers with it, it is a
    session that could not be run.

    Parameters
    ----------
    address
        ``HOST:PORT``.

    Raises
    ------
    SimlabError
        If no scheduler answers there.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        try:
            self._client = distributed.Client(
                f"tcp://{address}", timeout=_ANSWER_S, set_as_default=False, name="simlab"
            )
        except (OSError, TimeoutError, ValueError) as error:
            raise SimlabError(f"dask://{address}: no scheduler answers there: {error}") from error
        self._running = distributed.as_completed(
            loop=self._client.loop, with_results=True, raise_errors=False
        )
        self._sessions: dict[str, PlannedSession] = {}
        self._study = uuid4().hex
        self._versions = versions()

    def submit(self, sessions: Iterable[PlannedSession]) -> None:
        """Run these too."""
        named = {f"simlab-{self._study}-{session.number}": session for session in sessions}
        if not named:
            return
        self._sessions |= named
        futures = self._client.map(
            run_apart,
            list(named.values()),
            wanted=self._versions,
            key=list(named),
            pure=False,
            retries=_RETRIES,
        )
        self._running.update(futures)

    def finished(self) -> Iterator[Outcome]:
        """Yield what became of the sessions, as they end.

        Raises
        ------
        SimlabError
            If the scheduler is gone, or another version is installed on a worker.
        """
        for future, result in self._running:
            yield self._outcome(result, self._sessions.pop(future.key))

    def _outcome(self, result: Any, session: PlannedSession) -> Outcome:
        if isinstance(result, Outcome):
            return result
        error = result[1] if isinstance(result, tuple) else result
        if isinstance(error, distributed.KilledWorker | EOFError | ConnectionError):
            return died(session.labels, "every process that ran it died")
        if isinstance(error, CancelledError):
            raise SimlabError(f"dask://{self._address}: the scheduler is gone") from error
        raise error

    def stop(self) -> Iterable[Outcome]:
        """Begin no other, and return what is over."""
        over = [result for _, result in self._running.next_batch(block=False)]
        self.close()
        return [result for result in over if isinstance(result, Outcome)]

    def close(self) -> None:
        """Leave the cluster, which then drops what waits."""
        self._client.close(timeout=_ANSWER_S)
