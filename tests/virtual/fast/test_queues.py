"""The open queue wakes who waits exactly as asyncio's does."""

import asyncio

import pytest
from hypothesis import example, given
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


_SECOND_OF_THREE_LEAVES = [
    ("take", 0),
    ("take", 0),
    ("take", 0),
    ("pause", 0),
    ("cancel", 1),
    ("pause", 0),
    ("put", 0),
]


@example(_SECOND_OF_THREE_LEAVES)
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


class _Reading:
    """A task that reads datagrams, with a reader to relieve it or without, and a log of what was done."""

    def __init__(self, has_reader):
        self.log = []
        self.loop = asyncio.get_running_loop()
        self.queue = DatagramQueue()
        self._reader = self._read if has_reader else None
        self.task = self.loop.create_task(self._work())

    async def _wait_and_note(self, data):
        await asyncio.sleep(0)
        self.log.append(data)

    def _read(self, data):
        if data == BROKEN:
            raise RuntimeError
        if data == LEFT:
            return Rest(self._wait_and_note, data)
        self.log.append(data)
        return None

    async def _work(self):
        try:
            while True:
                data = await self.queue.get_data(self._reader)
                rest = data if isinstance(data, Rest) else self._read(data)
                if rest is not None:
                    await rest()
        except (ConnectionError, RuntimeError, asyncio.CancelledError) as error:
            self.log.append(type(error))

    async def step(self, step):
        if step == "pause":
            await asyncio.sleep(0)
        elif step == "note":
            self.loop.call_soon(self.log.append, "something else")
        elif step == "cancel":
            await asyncio.sleep(1)
            self.task.cancel()
        else:
            self.queue.put_nowait(None if step is None else (step, 1))


def _read_log(has_reader, steps):
    """Return what the task did and when, and how many datagrams it has left."""

    async def act():
        reading = _Reading(has_reader)
        await asyncio.sleep(0)
        for step in steps:
            await reading.step(step)
        await asyncio.sleep(1)
        reading.task.cancel()
        await asyncio.gather(reading.task)
        return reading.log, reading.queue.qsize()

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
    assert woken == []
