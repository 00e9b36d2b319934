"""Events for whoever watches, as they happen."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from time import monotonic
from typing import Any

_MOST_WAITING = 1000
Row = dict[str, Any]


class Events:
    """Give each event to all who watch. Who does not keep up misses some, and is told how many.

    Parameters
    ----------
    watched
        Called with whether anybody watches, when that changes.
    """

    def __init__(self, watched: Callable[[bool], None] = lambda _: None) -> None:
        self._watched = watched
        self._zero_s = monotonic()
        self._watchers: dict[asyncio.Queue[Row], int] = {}

    def now_s(self) -> float:
        """Return the seconds since the relay began."""
        return monotonic() - self._zero_s

    def tell(self, kind: str, **data: Any) -> None:
        """Tell of an event."""
        row = {"t_s": round(self.now_s(), 6), "kind": kind, **data}
        for queue, missed in self._watchers.items():
            if queue.full():
                self._watchers[queue] = missed + 1
            else:
                queue.put_nowait({**row, "missed": missed} if missed else row)
                self._watchers[queue] = 0

    async def watch(self) -> AsyncGenerator[Row]:
        """Yield the events from now on, for ever."""
        queue: asyncio.Queue[Row] = asyncio.Queue(_MOST_WAITING)
        self._watchers[queue] = 0
        if len(self._watchers) == 1:
            self._watched(True)
        try:
            while True:
                yield await queue.get()
        finally:
            del self._watchers[queue]
            if not self._watchers:
                self._watched(False)
