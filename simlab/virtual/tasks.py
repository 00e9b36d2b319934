"""Tasks, and results of executors, that know in which order they were made.

asyncio and anyio keep tasks in sets, and so does code that waits for several: who is cancelled first, whose
result is looked at first. Python orders such a set by the addresses of the tasks, which differ from run to
run; here each counts as its number. asyncio numbers the names of tasks through all sessions of a process.
"""

import asyncio
from typing import Any, TypeVar

T = TypeVar("T")


class Task(asyncio.Task[T]):
    """A task of a loop that numbers its tasks."""

    __slots__ = ("_number",)

    def __init__(self, coro: Any, *, number: int, name: str | None = None, **options: Any) -> None:
        self._number = number  # asyncio puts it into a set at once
        super().__init__(coro, name=f"Task-{number}" if name is None else name, **options)

    def __hash__(self) -> int:
        return self._number


class Future(asyncio.Future[T]):
    """A result of a loop that numbers its results."""

    __slots__ = ("_number",)

    def __init__(self, *, number: int, loop: asyncio.AbstractEventLoop) -> None:
        self._number = number
        super().__init__(loop=loop)

    def __hash__(self) -> int:
        return self._number
