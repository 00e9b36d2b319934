"""The open queue wakes who waits exactly as asyncio's does."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simlab.virtual.fast.queues import DatagramQueue, OpenQueue, Rest
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


RECORD, LEFT, MEDIA, BROKEN = b"\x17now", b"\x17later", b"\x80media", b"\x17broken"


def _read_log(reads, steps):
    """Return what a task that reads datagrams did and when, with a reader to relieve it or without."""
    log = []

    async def wait_and_note(data):
        await asyncio.sleep(0)
        log.append(data)

    def read(data):
        if data == BROKEN:
            raise RuntimeError
        if data == LEFT:
            return Rest(wait_and_note, data)
        log.append(data)
        return None

    async def work(queue):
        try:
            while True:
                data = await queue.get_data(read if reads else None)
                rest = data if isinstance(data, Rest) else read(data)
                if rest is not None:
                    await rest()
        except (ConnectionError, RuntimeError, asyncio.CancelledError) as error:
            log.append(type(error))

    async def act():
        loop, queue = asyncio.get_running_loop(), DatagramQueue()
        task = loop.create_task(work(queue))
        await asyncio.sleep(0)
        for step in steps:
            if step == "pause":
                await asyncio.sleep(0)
            elif step == "note":
                loop.call_soon(log.append, "something else")
            elif step == "cancel":
                await asyncio.sleep(1)
                task.cancel()
            else:
                queue.put_nowait(None if step is None else (step, 1))
        await asyncio.sleep(1)
        task.cancel()
        await asyncio.gather(task)
        return log, queue.qsize()

    loop = VirtualLoop()
    try:
        return loop.run_until_complete(act())
    finally:
        loop.close()


@given(
    st.lists(
        st.sampled_from(
            [RECORD, RECORD, LEFT, MEDIA, BROKEN, None, "pause", "pause", "note", "note", "cancel"]
        ),
        max_size=15,
    )
)
def test_a_reader_does_what_the_task_would_do_when_it_would(steps):
    assert _read_log(True, steps) == _read_log(False, steps)


def test_a_reader_relieves_the_task():
    woken = []

    async def work(queue):
        while True:
            woken.append(await queue.get_data(lambda _: None))

    async def act():
        queue = DatagramQueue()
        task = asyncio.create_task(work(queue))
        for datagram in (RECORD, MEDIA, RECORD):
            await asyncio.sleep(0)
            queue.put_nowait((datagram, 1))
        await asyncio.sleep(1)
        task.cancel()

    loop = VirtualLoop()
    loop.run_until_complete(act())
    loop.close()
    assert woken == [MEDIA]
