"""The virtual world of tests/webrtc, with two servers to choose from."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from tests.needs import needs_pipecat
from tests.webrtc.conftest import record, run, world

needs_pipecat()

from tests.parity.servers import Ours, Published  # noqa: E402 - it needs what is needed above

__all__ = ["record", "run", "world"]


@pytest.fixture
def both(run, record):
    """Run the same steps against the published server and against ours, and return what each answered."""

    def both(steps, **settings):
        @asynccontextmanager
        async def running(kind):
            server = kind(record, **settings)
            await server.start()
            try:
                yield server
            finally:
                await server.close()
                await asyncio.sleep(5.0)  # aiortc's and Pipecat's own tasks end within their next poll

        async def work(kind):
            async with running(kind) as server:
                return await steps(server)

        return run(work(Published)), run(work(Ours))

    return both
