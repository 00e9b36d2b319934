"""Call at once what anyio would call in a worker thread, as the loop itself does with its executors."""

import asyncio
import contextvars
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

from anyio._backends._asyncio import AsyncIOBackend

from simlab.virtual.replace import replaced


async def _at_once(
    cls: type[AsyncIOBackend], func: Callable[..., Any], args: tuple[Any, ...], *_: Any, **__: Any
) -> Any:
    await cls.checkpoint()
    return contextvars.copy_context().run(func, *args)


def _threadsafe(owner: int) -> Callable[..., "Future[Any]"]:
    """Make a ``run_coroutine_threadsafe`` whose result the loop's own thread cannot wait for.

    It waits for ever in life, too. Here it is where a worker thread would be.
    """
    run = asyncio.run_coroutine_threadsafe

    def run_in_loop(coro: Coroutine[Any, Any, Any], loop: asyncio.AbstractEventLoop) -> "Future[Any]":
        future = run(coro, loop)
        wait = future.result

        def result(timeout: float | None = None) -> Any:
            if threading.get_ident() == owner and not future.done():
                raise RuntimeError(
                    "waits for the event loop, which has called it: here are no worker threads"
                )
            return wait(timeout)

        future.result = result  # type: ignore[method-assign]
        return future

    return run_in_loop


@contextmanager
def inline_workers() -> Iterator[None]:
    """Need no worker threads for as long as the context lasts."""
    threadsafe = _threadsafe(threading.get_ident())
    with (
        replaced(AsyncIOBackend, "run_sync_in_worker_thread", classmethod(_at_once)),
        replaced(asyncio, "run_coroutine_threadsafe", threadsafe),
    ):
        yield
