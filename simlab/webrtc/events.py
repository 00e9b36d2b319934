"""Named events whose handlers run apart from what emits them."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any

Handler = Callable[..., Awaitable[None] | None]


class Events:
    """Call the handlers of an event; what a handler returns to be awaited becomes a task, as in Pipecat."""

    def __init__(self) -> None:
        self._handlers: dict[str, list[Handler]] = defaultdict(list)
        self._tasks: set[asyncio.Task[None]] = set()

    def on(self, name: str, handler: Handler) -> None:
        """Add a handler."""
        self._handlers[name].append(handler)

    def emit(self, name: str, *args: Any) -> None:
        """Call the handlers of an event."""
        for handler in self._handlers[name]:
            work = handler(*args)
            if work is not None:
                self.spawn(work)

    def spawn(self, work: Awaitable[None]) -> asyncio.Task[None]:
        """Do something in the background, and keep hold of it until it is done."""
        task = asyncio.ensure_future(work)
        assert isinstance(task, asyncio.Task)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def cancel(self) -> None:
        """Cancel what is still running."""
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
