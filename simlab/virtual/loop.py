"""An asyncio event loop that never waits: asked to, it moves its own clock forward."""

import asyncio
import contextvars
import heapq
from collections import deque
from collections.abc import Callable
from itertools import count
from typing import TypeVar, TypeVarTuple

from simlab.core.errors import SessionFailedError

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class VirtualLoop(asyncio.BaseEventLoop):
    """Run callbacks in the order of their times, and of their making where these are equal.

    asyncio's own loop compares timers by their time alone, so a heap of them may return equal ones in
    any order; it also asks a selector in every round. Neither is wanted here, and half of its time was
    spent on them.
    """

    _ready: deque[asyncio.Handle]

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._ties = count()

    def time(self) -> float:
        """Return the virtual seconds since the loop was made."""
        return self.now_s

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        """Call ``callback`` at the virtual time ``when``, or at once if that has passed."""
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        heapq.heappush(self._timers, (when, next(self._ties), timer))
        return timer

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Leave a cancelled timer where it is: it is skipped when its time comes."""

    def _run_once(self) -> None:
        ready = self._ready
        if not ready:
            self._advance()
        for _ in range(len(ready)):
            handle = ready.popleft()
            if not handle._cancelled:
                handle._run()

    def _advance(self) -> None:
        """Move the clock to the next timer, and make what is due then ready to run.

        Raises
        ------
        SessionFailedError
            If there is none: then nothing will ever happen again.
        """
        timers = self._timers
        while timers and timers[0][2]._cancelled:
            heapq.heappop(timers)
        if not timers:
            raise SessionFailedError("session", "stuck: everything waits and nothing is scheduled")
        if timers[0][0] > self.now_s:
            self.now_s = timers[0][0]
        while timers and timers[0][0] <= self.now_s:
            self._ready.append(heapq.heappop(timers)[2])

    def _write_to_self(self) -> None:
        """Wake nobody: the loop never sleeps, so a callback of another thread is found in time."""

    def close(self) -> None:
        """Drop what is still scheduled."""
        self._timers.clear()
        super().close()

    def run_in_executor(self, executor: object, func: Callable[[*Ts], T], *args: *Ts) -> asyncio.Future[T]:
        """Call ``func`` here and now: a thread would bring real time in."""
        future: asyncio.Future[T] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # whatever it is, it belongs to the caller
            future.set_exception(error)
        return future
