"""A call through an intercept, beside whoever looks at its live page."""

import asyncio
import contextlib
import threading

from tests.live.test_intercept import calling, on_loopback


class Call(threading.Thread):
    """Clients that talk with the server until they are told to end."""

    def __init__(self, url, clients=1):
        super().__init__()
        self._url = url
        self._clients = clients
        self._ended = threading.Event()
        self.began = threading.Event()

    def run(self):
        async def talk():
            async with contextlib.AsyncExitStack() as stack:
                for _ in range(self._clients):
                    await stack.enter_async_context(calling(self._url))
                self.began.set()
                await asyncio.to_thread(self._ended.wait)

        on_loopback(talk)

    def end(self):
        self._ended.set()
        self.join()
