import asyncio
import contextvars

import pytest

from simlab.core.timeline import Recorder
from simlab.virtual.hosts import current_host
from simlab.virtual.world import virtual_world


@pytest.fixture
def world():
    """A virtual world in which a test can run coroutines."""
    with virtual_world(seed=1) as world:
        asyncio.set_event_loop(world.loop)
        yield world
        tasks = asyncio.all_tasks(world.loop)
        for task in tasks:
            task.cancel()
        world.loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        asyncio.set_event_loop(None)


@pytest.fixture
def run(world):
    """Run a coroutine on the host 10.0.0.1."""

    def run(work):
        context = contextvars.copy_context()
        context.run(current_host.set, "10.0.0.1")
        return world.loop.run_until_complete(world.loop.create_task(work, context=context))

    return run


@pytest.fixture
def record(world):
    return Recorder(world.loop.time)
