"""Sets of tasks are gone through in the same order in every session, wherever the tasks lie in memory."""

import asyncio

import anyio
import pytest

from simlab.virtual.code import run_code
from simlab.virtual.loop import VirtualLoop
from tests.virtual.sessions import scenario

CLEAN = 'name = "clean"\nduration = "3s"\n[peers]\nmedia = []\n'
MANY = 50


async def after(wait_s, value=None, seen=None):
    try:
        await asyncio.sleep(wait_s)
    finally:
        if seen is not None:
            seen.append(value)
    return value


async def waited_for(kept):
    done, _ = await asyncio.wait({asyncio.create_task(after(1, n)) for n in range(MANY)})
    kept.append(done)
    return [task.result() for task in done]


async def worked_off(kept):
    loop = asyncio.get_running_loop()
    kept.append([loop.run_in_executor(None, int, n) for n in range(MANY)])
    done, _ = await asyncio.wait(kept[-1])
    return [future.result() for future in done]


async def fail_beside_many(kept, seen):
    async with asyncio.TaskGroup() as group:
        kept.append([group.create_task(after(2, n, seen)) for n in range(MANY)])
        await asyncio.sleep(1)
        raise ValueError


async def cancelled(kept):
    seen = []
    with pytest.raises(ExceptionGroup):
        await fail_beside_many(kept, seen)
    return seen


async def cancelled_by_anyio(kept):
    seen = []
    async with anyio.create_task_group() as group:
        for n in range(MANY):
            group.start_soon(after, 2, n, seen)
        await anyio.sleep(1)
        kept.append([*group.cancel_scope._child_scopes, *asyncio.all_tasks()])
        group.cancel_scope.cancel()
    return seen


async def named(kept):
    tasks = [asyncio.create_task(after(1)), asyncio.create_task(after(1), name="mine")]
    await asyncio.wait(tasks)
    return [task.get_name() for task in (asyncio.current_task(), *tasks)]


async def as_completed(kept):
    seen = []
    kept.append([after(0, n, seen) for n in range(MANY)])
    for following in asyncio.as_completed(kept[-1]):
        await following
    return seen


def in_a_session(code, kept):
    found = []

    async def here(_):
        found.append(await code(kept))

    run_code(scenario(CLEAN), here)
    return found[0]


@pytest.mark.parametrize("code", [waited_for, worked_off, cancelled, cancelled_by_anyio, named, as_completed])
def test_the_order_is_the_same_in_the_next_session(code):
    kept = []  # so that those of the next session lie elsewhere
    first, second = in_a_session(code, kept), in_a_session(code, kept)
    assert first == second
    assert len(set(first)) == len(first)


def test_what_is_taken_as_it_is_completed_begins_in_the_order_given():
    assert in_a_session(as_completed, []) == list(range(MANY))


def test_what_is_no_list_of_awaitables_is_refused():
    async def one(kept):
        with pytest.raises(TypeError, match=r"an iterable of (futures|awaitables), not Task"):
            list(asyncio.as_completed(asyncio.create_task(after(0))))

    in_a_session(one, [])


def test_tasks_of_a_factory_have_the_same_names_in_each_session():
    def factory(loop, coro, **options):
        return asyncio.Task(coro, loop=loop, **options)

    async def names():
        asyncio.get_running_loop().set_task_factory(factory)
        made = [asyncio.create_task(after(0)), asyncio.create_task(after(0), name="own")]
        await asyncio.gather(*made)
        return [task.get_name() for task in made]

    first, second = (in_a_loop(names()) for _ in range(2))
    assert first == second
    assert first[1] == "own"


def in_a_loop(work):
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()
