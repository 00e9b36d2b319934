"""Notice a client that is gone without a word."""

import asyncio
from collections.abc import Callable

SILENCE_S = 20
"""Whole seconds; ``docs/behaviour.md`` says why so many."""

_TICK_S = 1.0


class Silence:
    """Tell when a client that has pinged did not for 20 s.

    The seconds are counted one by one, so that those in which the server itself was stopped do not count:
    pings may have come meanwhile, and wait to be read.
    """

    def __init__(self, fell: Callable[[], None]) -> None:
        self._fell = fell
        self._timer: asyncio.TimerHandle | None = None

    def broken(self) -> None:
        """Begin again: the client has pinged."""
        self.stop()
        self._wait(SILENCE_S)

    def stop(self) -> None:
        """Tell nothing any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wait(self, ticks: int) -> None:
        self._timer = asyncio.get_running_loop().call_later(_TICK_S, self._tick, ticks - 1)

    def _tick(self, left: int) -> None:
        if left:
            self._wait(left)
        else:
            self._fell()
