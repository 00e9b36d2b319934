"""Everything that has happened: for whoever watches, and for whoever records."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from simlab.core.timeline import Event

_KEPT = 20_000
_MOST_WAITING = 50_000


class Log:
    """Take events in, and pass each on to all who listen."""

    def __init__(self) -> None:
        self._past: deque[Event] = deque(maxlen=_KEPT)
        self._listeners: list[asyncio.Queue[Event]] = []
        self._recorded: list[Event] | None = None

    def __call__(self, event: Event) -> None:
        """Take in an event."""
        self._past.append(event)
        if self._recorded is not None:
            self._recorded.append(event)
        for listener in self._listeners:
            if listener.qsize() < _MOST_WAITING:  # one that does not listen is told no more
                listener.put_nowait(event)

    def since(self, from_s: float) -> list[Event]:
        """Return the events from a time on, as far as they are still known."""
        return [event for event in self._past if event.t_s >= from_s]

    async def listen(self, past_s: float, now_s: float) -> AsyncIterator[Event]:
        """Yield the events of the last ``past_s`` seconds, and then each as it happens, for ever."""
        queue: asyncio.Queue[Event] = asyncio.Queue()
        self._listeners.append(queue)
        try:
            for event in self.since(now_s - past_s):
                yield event
            while True:
                yield await queue.get()
        finally:
            self._listeners.remove(queue)

    def record(self) -> None:
        """Keep all events from now on."""
        self._recorded = []

    def recorded(self) -> list[Event]:
        """Return the events since ``record``, and keep no more."""
        events, self._recorded = self._recorded or [], None
        return events
