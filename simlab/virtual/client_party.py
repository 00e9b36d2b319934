"""A client of a virtual session, as a process on a host that can be frozen and closed."""

import asyncio
import contextvars
from collections.abc import Coroutine
from typing import Any

from simlab.core.rng import stream
from simlab.core.timeline import Recorder
from simlab.own_client.choose import ClientHalf, client_of
from simlab.profile.scenario import Scenario
from simlab.virtual.addresses import Site
from simlab.virtual.hosts import current_host
from simlab.virtual.loop import Process, current_process
from simlab.virtual.network import VirtualNetworkLoop
from simlab.webrtc.clients import working_for
from simlab.webrtc.iceserver.servers import IceSettings


def on(
    loop: VirtualNetworkLoop, host: str, work: Coroutine[Any, Any, Any], process: Process | None = None
) -> "asyncio.Task[Any]":
    """Do something on a host, in a process of it."""
    context = contextvars.copy_context()
    context.run(current_host.set, host)
    context.run(current_process.set, process)
    return loop.create_task(work, context=context)


class ClientParty:
    """One client: start it, let it run, and do to its process what faults say.

    Parameters
    ----------
    scenario
        Its own: see ``Scenario.of_client``.
    site
        Where it is.
    number
        By which it is told from others; None where there are none.
    """

    def __init__(
        self,
        scenario: Scenario,
        loop: VirtualNetworkLoop,
        record: Recorder,
        site: Site,
        number: int | None = None,
    ) -> None:
        self.scenario = scenario
        self._loop = loop
        self._record = record
        self.site = site
        self.number = number
        self._process = Process("client")
        self._session: ClientHalf | None = None
        self._gone = asyncio.Event()
        self._present = False

    @property
    def arrives_s(self) -> float:
        """When it comes, in seconds since the session began."""
        within_s = self.scenario.profile.peers.arriving_s
        return 0.0 if within_s is None else float(stream(self.scenario.seed, "arrival").random()) * within_s

    def on_host(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        """Do something in the client's process."""
        with working_for(self.number):
            return on(self._loop, self.site.client, work, self._process)

    async def start(self, endpoint: str, ice: IceSettings) -> None:
        """Make the client, whose offers go to ``endpoint``."""

        async def make() -> ClientHalf:
            return client_of(self.scenario, endpoint, self._record, ice)

        self._session = await self.on_host(make())
        self._present = True

    async def run(self, duration_s: float) -> None:
        """Let the client come and run, and return at the end of the session, though it may be gone before."""
        assert self._session is not None
        if self.arrives_s > 0.0:
            await asyncio.sleep(self.arrives_s)
        running = self.on_host(self._session.run(duration_s))
        gone = self._loop.create_task(self._gone.wait())
        await asyncio.wait([running, gone], return_when=asyncio.FIRST_COMPLETED)
        if not gone.done():
            gone.cancel()
            running.result()
        await asyncio.sleep(duration_s - self._record.now_s())

    def finish(self) -> None:
        """Record what is still open, once."""
        if self._present and self._session is not None:
            self._present = False
            with working_for(self.number):
                self._session.finish()

    async def close(self) -> None:
        """Free everything."""
        if self._session is not None:
            await self._session.close()

    def freeze(self) -> None:
        """Stop its process."""
        self._loop.halt(self._process)

    def thaw(self) -> None:
        """Let its process go on."""
        self._loop.resume(self._process)

    def close_tab(self) -> None:
        """End its process, as a browser does to a tab's."""
        self.finish()  # nobody is there any more to miss anything
        self._loop.kill(self._process)
        self._gone.set()
