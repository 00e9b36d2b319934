"""The workers of a Dask cluster: its scheduler's address is all that is needed, and simlab on the workers."""

import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import CancelledError
from typing import Any
from uuid import uuid4

from simlab.batch.alike import Unit, Waiting
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

# What distributed says of another one is an error with a traceback, 20 s later.
_ADDRESS = re.compile(r"(?:[^\s/:\[\]]+|\[[0-9A-Fa-f:.%\w]+\]):[0-9]{1,5}")
_ANSWER_S = 10.0
_RETRIES = 2


class DaskCluster:
    """A cluster, by its scheduler.

    Sessions that differ in their policy alone are run together. Those whose worker dies run again on another
    one; where they take several workers with them, each runs by itself, and one that does so even then is a
    session that could not be run.

    Parameters
    ----------
    address
        ``HOST:PORT``.

    Raises
    ------
    InvalidInputError
        If it is no address.
    SimlabError
        If no scheduler answers there.
    """

    def __init__(self, address: str) -> None:
        if not _ADDRESS.fullmatch(address):
            raise InvalidInputError([f'--executor is "dask://{address}", want "dask://HOST:PORT"'])
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
        self._waiting = Waiting(sum(self._client.nthreads().values()) or 1)
        self._units: dict[str, Unit] = {}
        self._study = uuid4().hex
        self._versions = versions()

    def submit(self, sessions: Iterable[PlannedSession]) -> None:
        """Run these too."""
        self._waiting.add(sessions)

    def finished(self) -> Iterator[Outcome]:
        """Yield what became of the sessions, as they end.

        Raises
        ------
        SimlabError
            If the scheduler is gone, or another version is installed on a worker.
        """
        self._begin_waiting()
        for future, result in self._running:
            yield from self._outcomes(result, self._units.pop(future.key))
            self._begin_waiting()

    def _begin_waiting(self) -> None:
        units = []
        while self._waiting:
            units.append(self._waiting.take())
        self._begin(units)

    def _begin(self, units: Sequence[Unit]) -> None:
        named = {f"simlab-{self._study}-{unit[0].number}-{len(unit)}": unit for unit in units}
        if not named:
            return
        self._units |= named
        futures = self._client.map(
            run_apart,
            list(named.values()),
            wanted=self._versions,
            key=list(named),
            pure=False,
            retries=_RETRIES,
        )
        self._running.update(futures)

    def _outcomes(self, result: Any, unit: Unit) -> list[Outcome]:
        if isinstance(result, list):
            return result
        error = result[1] if isinstance(result, tuple) else result
        if isinstance(error, distributed.KilledWorker | EOFError | ConnectionError):
            if len(unit) == 1:
                return [died(unit[0].labels, "every process that ran it died")]
            self._begin([[session] for session in unit])
            return []
        if isinstance(error, CancelledError):
            raise SimlabError(f"dask://{self._address}: the scheduler is gone") from error
        raise error

    def stop(self) -> Iterable[Outcome]:
        """Begin no other, and return what is over."""
        over = [result for _, result in self._running.next_batch(block=False)]
        self.close()
        return [outcome for result in over if isinstance(result, list) for outcome in result]

    def close(self) -> None:
        """Leave the cluster, which then drops what waits."""
        self._client.close(timeout=_ANSWER_S)
