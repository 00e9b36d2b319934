"""Named events whose handlers run apart from what emits them."""

import asyncio
import inspect
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from typing import Any

Handler = Callable[..., Awaitable[None] | None]


class Events:
    """Run the handlers of an event, each as a task of its own, as Pipecat does.

    Parameters
    ----------
    names
        The events that there are.
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names
        self._handlers: dict[str, list[tuple[Handler, bool]]] = defaultdict(list)  # and whether it is a task
        self._tasks: dict[asyncio.Task[None], None] = {}  # in order, unlike a set
        self._due: deque[asyncio.Handle] = deque()

    def on(self, name: str, handler: Handler) -> None:
        """Add a handler.

        Raises
        ------
        ValueError
            If there is no such event.
        """
        if name not in self._names:
            raise ValueError(f"no event {name!r}, want one of {', '.join(self._names)}")
        self._handlers[name].append((handler, inspect.iscoroutinefunction(handler)))

    def emit(self, name: str, *args: Any) -> None:
        """Let the handlers of an event run."""
        for handler, is_task in self._handlers[name]:
            if is_task:
                work = handler(*args)
                assert work is not None
                self.spawn(work)
            else:  # begins when a task would, and costs less
                self._due.append(asyncio.get_running_loop().call_soon(self._run, handler, args))

    def _run(self, handler: Handler, args: tuple[Any, ...]) -> None:
        self._due.popleft()
        result = handler(*args)
        if result is not None:
            self.spawn(result)

    def spawn(self, work: Awaitable[None]) -> asyncio.Task[None]:
        """Do something in the background, and keep hold of it until it is done."""
        task = asyncio.ensure_future(work)
        assert isinstance(task, asyncio.Task)
        self._tasks[task] = None
        task.add_done_callback(self._tasks.pop)
        return task

    async def cancel(self) -> None:
        """Cancel what is still running, or about to."""
        while self._due:
            self._due.popleft().cancel()
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
