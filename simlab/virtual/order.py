"""Let sets of aiortc's and aioice's objects be gone through in the same order in every process.

aiortc keeps receivers and transports in sets, and goes through them when a connection ends. Python
orders such a set by the addresses of its members, which differ from run to run; here each member counts
as the number in which it first came into a set. aioice takes its candidates in the order in which it finds
the tasks that asked STUN and TURN servers for them, and these, too, are in a set. ``asyncio.as_completed``
begins coroutines in the order of a set.
"""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from types import ModuleType
from typing import Any

import aioice.ice
import anyio._backends._asyncio as anyio_on_asyncio
from aiortc import RTCDtlsTransport, RTCIceTransport, RTCRtpReceiver, RTCRtpSender

from simlab.virtual.replace import replaced

_CLASSES: tuple[type, ...] = (RTCRtpReceiver, RTCRtpSender, RTCIceTransport, RTCDtlsTransport)
_ATTRIBUTE = "_simlab_number"


@contextmanager
def numbered_members() -> Iterator[None]:
    """Number the members of sets for as long as the context lasts."""
    numbers = count()

    def number(self: object) -> int:
        found = self.__dict__.get(_ATTRIBUTE)
        if found is None:
            found = self.__dict__[_ATTRIBUTE] = next(numbers)
        return int(found)

    for cls in _CLASSES:
        cls.__hash__ = number  # type: ignore[method-assign,assignment]
    try:
        yield
    finally:
        for cls in _CLASSES:
            del cls.__hash__


async def _wait(
    tasks: Iterable["asyncio.Task[Any]"], **options: Any
) -> tuple[list["asyncio.Task[Any]"], list["asyncio.Task[Any]"]]:
    """Do as ``asyncio.wait``, and return the tasks in the order in which they were given."""
    given = list(tasks)
    done, _ = await asyncio.wait(given, **options)
    return [task for task in given if task in done], [task for task in given if task not in done]


@contextmanager
def candidates_in_order() -> Iterator[None]:
    """Let aioice have candidates in the order in which it asked for them."""
    ordered = ModuleType("asyncio")
    ordered.__dict__.update(asyncio.__dict__, wait=_wait)
    with replaced(aioice.ice, "asyncio", ordered):
        yield


def _as_completed(fs: Iterable[Any], *, timeout: float | None = None) -> Any:
    """Do as ``asyncio.as_completed``, and begin coroutines in the order in which they were given."""
    is_one = asyncio.isfuture(fs) or asyncio.iscoroutine(fs)
    begun = fs if is_one else [asyncio.ensure_future(one) for one in dict.fromkeys(fs)]
    return asyncio.tasks.as_completed(begun, timeout=timeout)


@contextmanager
def begun_in_order() -> Iterator[None]:
    """Let ``asyncio.as_completed`` begin coroutines in order for as long as the context lasts."""
    with replaced(asyncio, "as_completed", _as_completed):
        yield


@contextmanager
def scopes_in_order() -> Iterator[None]:
    """Let anyio cancel tasks in the same order in every run: each has a scope, and scopes are in a set."""
    numbers = count()

    class CancelScope(anyio_on_asyncio.CancelScope):
        __slots__ = ("_simlab_number",)

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self._simlab_number = next(numbers)
            super().__init__(*args, **kwargs)

        def __hash__(self) -> int:
            return self._simlab_number

    with replaced(anyio_on_asyncio, "CancelScope", CancelScope):
        yield
