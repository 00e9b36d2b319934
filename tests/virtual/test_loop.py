import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from simlab.core.errors import SessionFailedError
from simlab.virtual import loop as virtual_loop
from simlab.virtual.loop import VirtualLoop
from simlab.virtual.standstill import TimeStandsStillError


@pytest.fixture
def loop():
    loop = VirtualLoop()
    yield loop
    loop.close()


def test_sleeping_moves_the_clock_by_exactly_that(loop):
    async def nap():
        await asyncio.sleep(3600.25)
        return asyncio.get_running_loop().time()

    assert loop.run_until_complete(nap()) == 3600.25


def test_timers_of_one_time_run_in_the_order_of_their_making(loop):
    order = []
    for n in range(1000):
        loop.call_at(1.0, order.append, n)
    loop.call_at(0.5, order.append, "first")
    loop.call_at(1.0, loop.stop)
    loop.run_forever()
    assert order == ["first", *range(1000)]


def test_a_cancelled_timer_does_not_move_the_clock(loop):
    loop.call_later(5.0, lambda: None).cancel()
    loop.call_later(2.0, loop.stop)
    loop.run_forever()
    assert loop.time() == 2.0


def test_a_timer_that_has_run_can_be_used_again(loop):
    times = []
    timer = loop.call_at(1.0, lambda: times.append(loop.time()))
    loop.call_at(2.0, lambda: loop.call_again(timer, 3.5))
    loop.call_at(3.5, lambda: times.append("made before"))
    loop.call_at(4.0, loop.stop)
    loop.run_forever()
    assert times == [1.0, "made before", 3.5]
    assert timer.when() == 3.5


def test_the_fault_of_a_callback_reaches_the_handler_and_nobody_else(loop):
    told = []
    loop.set_exception_handler(lambda _, context: told.append(context))
    loop.call_soon(divmod, 1, 0)
    loop.call_soon(loop.stop)
    loop.run_forever()
    assert [type(context["exception"]) for context in told] == [ZeroDivisionError]
    assert "divmod" in told[0]["message"]


def test_a_closed_loop_takes_nothing():
    loop = VirtualLoop()
    loop.close()
    with pytest.raises(RuntimeError, match="closed"):
        loop.call_soon(print)
    nap = asyncio.sleep(1)
    with pytest.raises(RuntimeError, match="closed"):
        loop.create_task(nap)
    nap.close()


def test_a_timer_in_the_past_runs_now(loop):
    loop.call_later(1.0, lambda: loop.call_at(0.25, loop.stop))
    loop.run_forever()
    assert loop.time() == 1.0


def test_a_timeout_takes_no_time_of_ours(loop):
    async def wait():
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), timeout=86400)

    loop.run_until_complete(wait())
    assert loop.time() == 86400


def test_when_nothing_is_scheduled_it_says_so_instead_of_hanging(loop):
    with pytest.raises(SessionFailedError, match="stuck"):
        loop.run_until_complete(asyncio.Event().wait())


def test_an_executor_runs_its_work_in_place(loop):
    ident = loop.run_until_complete(loop.run_in_executor(None, threading.get_ident))
    assert ident == threading.get_ident()


def test_the_fault_of_an_executor_reaches_the_caller(loop):
    with pytest.raises(ZeroDivisionError):
        loop.run_until_complete(loop.run_in_executor(None, divmod, 1, 0))


def test_another_thread_can_schedule_a_callback(loop):
    def poke():
        loop.call_soon_threadsafe(loop.stop)

    thread = threading.Thread(target=poke)

    async def tick():
        thread.start()
        for _ in range(10_000_000):
            await asyncio.sleep(1)

    task = loop.create_task(tick())
    loop.run_forever()
    thread.join()
    task.cancel()
    loop.run_until_complete(asyncio.gather(task, return_exceptions=True))


def test_what_lets_no_time_pass_is_stuck_and_named(loop, monkeypatch):
    monkeypatch.setattr(virtual_loop, "_MOST_ROUNDS", 1000)

    async def spin():
        while True:  # noqa: ASYNC110
            await asyncio.sleep(0)

    async def begin():
        await asyncio.sleep(2.5)
        await spin()

    line = spin.__code__.co_firstlineno + 2
    stuck = f"the time stays 2.500 s, for this goes on for ever: .*spin \\({__file__}:{line}\\)"
    with pytest.raises(SessionFailedError, match=stuck):
        loop.run_until_complete(begin())


def test_looks_at_the_clock_are_counted_at_one_time(loop, monkeypatch):
    monkeypatch.setattr(virtual_loop, "MOST_READINGS", 1000)

    async def looks(number):
        for _ in range(number):
            loop.time()

    async def begin():
        for _ in range(3):
            await looks(1000)
            await asyncio.sleep(1)
        await looks(1001)

    line = looks.__code__.co_firstlineno + 2
    stuck = f"the time stays 3.000 s, for .*looks \\({__file__}:{line}\\) looks at the clock"
    with pytest.raises(TimeStandsStillError, match=stuck):
        loop.run_until_complete(begin())


def test_another_thread_may_look_at_the_clock_as_often_as_it_likes(loop, monkeypatch):
    monkeypatch.setattr(virtual_loop, "MOST_READINGS", 1000)

    async def begin():
        with ThreadPoolExecutor(1) as threads:
            looks = threads.submit(lambda: [loop.time() for _ in range(5000)])
        return len(looks.result())

    assert loop.run_until_complete(begin()) == 5000


def test_a_thousand_rounds_at_one_time_are_no_matter(loop, monkeypatch):
    monkeypatch.setattr(virtual_loop, "_MOST_ROUNDS", 1000)

    async def yields():
        for _ in range(4):
            for _ in range(400):
                await asyncio.sleep(0)
            await asyncio.sleep(0.001)

    loop.run_until_complete(yields())
