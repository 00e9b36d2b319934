"""Queues without a limit, which keep no count of unfinished tasks."""

import asyncio
import contextvars
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from simlab.virtual.loop import VirtualLoop


class OpenQueue(asyncio.Queue[Any]):
    """Wake a waiting ``get`` in the same way and order as ``asyncio.Queue``.

    It is for one loop, has room for everything, and knows neither ``task_done`` nor ``join``.
    """

    _getters: deque["asyncio.Future[None]"]

    def __init__(self) -> None:
        super().__init__()
        self._items: deque[Any] = deque()
        self._make_future = asyncio.get_running_loop().create_future

    def qsize(self) -> int:
        """Return how many items there are."""
        return len(self._items)

    def empty(self) -> bool:
        """Tell whether there is none."""
        return not self._items

    def put_nowait(self, item: Any) -> None:
        """Put an item in, and wake who has waited longest."""
        self._items.append(item)
        if self._getters:
            self._wake()

    def _wake(self) -> None:
        getters = self._getters
        while getters:
            waiter = getters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                break

    async def put(self, item: Any) -> None:
        """Put an item in, without waiting."""
        self.put_nowait(item)

    async def get(self) -> Any:
        """Take the next item, and wait for one if there is none."""
        items = self._items
        while not items:
            getter = self._make_future()
            self._getters.append(getter)
            try:
                await getter
            except BaseException:
                self._forget(getter)
                raise
        return items.popleft()

    def _forget(self, getter: "asyncio.Future[None]") -> None:
        """Wait no more, because the taker was interrupted; if it had been woken, another one is."""
        getter.cancel()
        if getter in self._getters:
            self._getters.remove(getter)
        if self._items and not getter.cancelled():
            self._wake()

    def get_nowait(self) -> Any:
        """Take the next item.

        Raises
        ------
        asyncio.QueueEmpty
            If there is none.
        """
        if not self._items:
            raise asyncio.QueueEmpty
        return self._items.popleft()


class Rest:
    """What is left to be done with a datagram by the task that waits for it."""

    __slots__ = ("_args", "_work")

    def __init__(self, work: Callable[..., Awaitable[None]], *args: Any) -> None:
        self._work = work
        self._args = args

    def __call__(self) -> Awaitable[None]:
        """Begin with it."""
        return self._work(*self._args)


Reader = Callable[[bytes], Rest | None]
"""Deals with a datagram, and returns what is left of it to do for the task that waits; None for nothing."""


class DatagramQueue(OpenQueue):
    """What a connection has received: pairs of data and component, or None when it is lost.

    Who waits may leave a reader. Then a datagram is read when the task would be woken, and in its context,
    but the task sleeps on as long as the reader leaves it nothing to do.
    """

    def __init__(self) -> None:
        super().__init__()
        self._loop: Any = asyncio.get_running_loop()  # a VirtualLoop, where there is a reader
        self._reader: Reader | None = None
        self._context = contextvars.copy_context()
        self._is_due = False

    def put_nowait(self, item: tuple[bytes, int] | None) -> None:
        """Put a datagram in, and have it read."""
        self._items.append(item)
        if self._getters and not self._is_due:
            if self._reader is not None and item is not None:
                self._is_due = True
                self._loop.call_next(self._read, self._context)
            else:
                self._wake()

    async def get_data(self, reader: Reader | None = None) -> bytes | Rest:
        """Take the next datagram, and wait for one, or for what a reader leaves, if there is none.

        Raises
        ------
        ConnectionError
            If the connection is lost.
        """
        if reader is not None and not self._items and isinstance(self._loop, VirtualLoop):
            self._reader, self._context = reader, contextvars.copy_context()
        try:
            item = await self.get()
        finally:
            self._reader = None
        if item is None:
            raise ConnectionError("Connection lost while receiving data")
        data: bytes | Rest = item[0]
        return data

    def _read(self) -> None:
        """Read in place of the task that waits, which is woken at once if that does not do."""
        items, reader = self._items, self._reader
        try:
            if reader is None or not self._getters or self._getters[0].done():
                return
            while items:
                item = items.popleft()
                rest = None if item is None else reader(item[0])
                if rest is not None or item is None:  # the end is for the task
                    items.appendleft(item if item is None else (rest, item[1]))
                    self._wake_now()
                    return
        except Exception as error:
            self._wake_now(error)
        finally:
            self._is_due = False

    def _wake_now(self, error: Exception | None = None) -> None:
        getter = self._getters.popleft() if self._getters else None
        if getter is None or getter.done():
            return
        if error is None:
            getter.set_result(None)
        else:
            getter.set_exception(error)
        self._loop.run_newest()
