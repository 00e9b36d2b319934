import math
import time

import pytest
import trio
import trio.testing

from simlab.live.timer import KernelTimer, TrioTimer


async def waited_s(timer, now_s, *settings):
    """Set a timer once, wait in a task, set it again a few times, and say when it fired."""
    first, *later = settings
    timer.set(first)
    fired = []

    async def wait():
        await timer.wait()
        fired.append(now_s())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait)
        await trio.testing.wait_all_tasks_blocked()
        for at_s in later:
            timer.set(at_s)
    return fired[0]


@pytest.mark.parametrize(
    "settings", [(0.25,), (math.inf, 0.25), (0.5, 0.25), (0.125, 0.25), (0.125, math.inf, 0.25)]
)
def test_trios_timer_fires_at_the_last_time_set(settings):
    async def main():
        return await waited_s(TrioTimer(0), trio.current_time, *settings)

    assert trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0)) == 0.25


@pytest.mark.parametrize(
    "settings", [(0.02,), (math.inf, 0.02), (60, 0.02), (0.01, math.inf, 0.02), (-5,), (60, -5)]
)
def test_the_kernels_timer_fires_at_the_last_time_set(settings):
    async def main():
        zero_s = time.monotonic()
        timer = KernelTimer(zero_s)
        try:
            return await waited_s(timer, lambda: time.monotonic() - zero_s, *settings)
        finally:
            timer.close()

    fired_s = trio.run(main)
    assert fired_s >= settings[-1]
    assert fired_s < 30
