"""A loop of the virtual network."""

import asyncio

import pytest

from simlab.virtual.network import VirtualNetworkLoop


@pytest.fixture
def network_loop():
    """A loop that is current, and whose tasks are ended with it."""
    loop = VirtualNetworkLoop()
    asyncio.set_event_loop(loop)
    yield loop
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    asyncio.set_event_loop(None)
    loop.close()
