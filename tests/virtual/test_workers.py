"""What would run in a worker thread, and is called by the loop."""

import asyncio

import pytest

from simlab.virtual.loop import VirtualLoop
from simlab.virtual.workers import inline_workers


def test_who_waits_for_the_loop_there_is_told_so():
    async def answer():
        return 3

    async def ask():
        loop = asyncio.get_running_loop()
        asked = asyncio.run_coroutine_threadsafe(answer(), loop)
        with pytest.raises(RuntimeError, match="waits for the event loop, which has called it"):
            asked.result()
        await asyncio.sleep(0.1)
        return asked.result()

    loop = VirtualLoop()
    with inline_workers():
        assert loop.run_until_complete(ask()) == 3
    loop.close()
