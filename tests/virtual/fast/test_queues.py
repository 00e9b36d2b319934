"""The open queue wakes who waits exactly as asyncio's does."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simlab.virtual.fast.queues import OpenQueue
from simlab.virtual.loop import VirtualLoop


def _log(make_queue, steps):
    """Return who got what and when, among takers that come, are cancelled, and a queue that is fed."""
    log = []

    async def take(queue, number):
        try:
            log.append((number, await queue.get()))
        except asyncio.CancelledError:
            log.append((number, "cancelled"))
            raise

    async def act():
        queue, takers = make_queue(), []
        for step, value in steps:
            if step == "put":
                queue.put_nowait(value)
            elif step == "take":
                takers.append(asyncio.create_task(take(queue, len(takers))))
            elif step == "cancel" and takers:
                takers[value % len(takers)].cancel()
            elif step == "pause":
                await asyncio.sleep(0)
            log.append((step, queue.qsize(), queue.empty()))
        for taker in takers:
            taker.cancel()
        await asyncio.gather(*takers, return_exceptions=True)

    loop = VirtualLoop()
    loop.run_until_complete(act())
    loop.close()
    return log


@given(
    st.lists(st.tuples(st.sampled_from(["put", "take", "cancel", "pause"]), st.integers(0, 9)), max_size=30)
)
def test_takers_get_the_same_in_the_same_order(steps):
    assert _log(OpenQueue, steps) == _log(asyncio.Queue, steps)


def test_an_empty_queue_says_so():
    async def act():
        queue = OpenQueue()
        await queue.put("a")
        assert queue.get_nowait() == "a"
        with pytest.raises(asyncio.QueueEmpty):
            queue.get_nowait()

    asyncio.run(act())
