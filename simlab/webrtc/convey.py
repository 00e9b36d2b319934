"""Let the pieces of a stream cross a network one behind the other, each as it comes."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import aclosing
from typing import Any, NamedTuple

_MOST_UNDER_WAY = 256


class Piece(NamedTuple):
    """A piece of a stream, and what is to be done when it is there."""

    size_bytes: int
    deliver: Callable[[], Awaitable[None]]


_UnderWay = asyncio.Queue[tuple[Piece, "asyncio.Task[None]"] | None]


async def convey(pieces: AsyncGenerator[Piece], cross: Callable[[int], Coroutine[Any, Any, None]]) -> None:
    """Deliver pieces in their order, each when it has crossed; return after the last.

    Parameters
    ----------
    cross
        Returns when so many bytes have arrived. It is called for the next piece meanwhile.

    What any of them raises is raised here, and ends what is under way.
    """
    under_way: _UnderWay = asyncio.Queue()
    room = asyncio.Semaphore(_MOST_UNDER_WAY)
    tasks = [asyncio.create_task(_load(pieces, cross, under_way, room))]
    try:
        while (entry := await under_way.get()) is not None:
            piece, crossing = entry
            tasks[1:] = [crossing]
            await crossing
            await piece.deliver()
            room.release()
        await tasks[0]
    finally:
        while not under_way.empty():
            tasks += [entry[1]] if (entry := under_way.get_nowait()) is not None else []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _load(
    pieces: AsyncGenerator[Piece],
    cross: Callable[[int], Coroutine[Any, Any, None]],
    under_way: _UnderWay,
    room: asyncio.Semaphore,
) -> None:
    try:
        async with aclosing(pieces):
            async for piece in pieces:
                await room.acquire()
                under_way.put_nowait((piece, asyncio.create_task(cross(piece.size_bytes))))
    finally:
        under_way.put_nowait(None)
