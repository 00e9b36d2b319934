"""Call at once what anyio would call in a worker thread, as the loop itself does with its executors."""

import contextvars
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from anyio._backends._asyncio import AsyncIOBackend

from simlab.virtual.replace import replaced


async def _at_once(
    cls: type[AsyncIOBackend], func: Callable[..., Any], args: tuple[Any, ...], *_: Any, **__: Any
) -> Any:
    await cls.checkpoint()
    return contextvars.copy_context().run(func, *args)


@contextmanager
def inline_workers() -> Iterator[None]:
    """Need no worker threads for as long as the context lasts."""
    with replaced(AsyncIOBackend, "run_sync_in_worker_thread", classmethod(_at_once)):
        yield
