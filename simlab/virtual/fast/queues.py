"""A queue without a limit, which keeps no count of unfinished tasks."""

import asyncio
from collections import deque
from typing import Any


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
