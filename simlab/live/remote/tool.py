"""The relay as a tool: from its start to its end."""

import asyncio
import contextlib
import math
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simlab.core.errors import SessionFailedError
from simlab.live.ending import ending_signals
from simlab.live.remote.service import Service
from simlab.live.remote.unix_server import UnixServer
from simlab.live.sockets import endpoint_text, from_here
from simlab.live.udp.flows import Address
from simlab.live.udp.forward import Place
from simlab.profile.scenario import Scenario

if TYPE_CHECKING:
    from simlab.live.remote.http_api import HttpApi


_IMPATIENT_S = 0.5
"""A second signal before that belongs to the first: ``timeout`` sends it to a process, and to its group."""


@dataclass(frozen=True)
class Wishes:
    """What relay is wanted.

    Parameters
    ----------
    socket
        Where its control socket is to be.
    http
        Where its HTTP API is to listen, and the host by which that was named; None for no API.
    capture
        The file for its packets; None for no capture.
    compiled
        Whether packets go the compiled way, as far as they can.
    """

    scenario: Scenario
    place: Place
    socket: Path
    http: tuple[Address, str] | None = None
    capture: Path | None = None
    compiled: bool = False


@dataclass(frozen=True)
class Running:
    """A relay that runs."""

    service: Service
    socket: Path
    http: str | None
    token: str | None

    def told(self) -> dict[str, Any]:
        """Return where it is, for JSON."""
        row = {"listen": endpoint_text(self.service.address), "socket": str(self.socket)}
        return row if self.http is None else {**row, "control": self.http, "token": self.token}


@contextlib.asynccontextmanager
async def running(wishes: Wishes) -> AsyncIterator[Running]:
    """Run a relay for a while.

    Raises
    ------
    SessionFailedError
        If it cannot listen.
    """
    service = Service(wishes.scenario, wishes.place, wishes.capture, compiled=wishes.compiled)
    unix = UnixServer(service, wishes.socket)
    api = None if wishes.http is None else _http_api(service, *wishes.http)
    try:
        await service.start()
        await unix.start()
        where = None if api is None else f"http://{endpoint_text(from_here(await api.start()))}"
        yield Running(service, unix.path, where, None if api is None else api.token)
    finally:
        if api is not None:
            await api.stop()
        await unix.stop()
        await service.stop()


def _http_api(service: Service, address: Address, name: str) -> "HttpApi":
    from simlab.live.remote.http_api import HttpApi, Told  # what it needs takes a while to import
    from simlab.live.remote.live_page import relay_page

    async def events() -> "AsyncGenerator[Told]":
        async with contextlib.aclosing(service.watch()) as rows:
            async for row in rows:
                yield None, row

    return HttpApi(service, address, name, relay_page, [events])


def relay(
    wishes: Wishes, listening: Callable[[Running], None], happened: Callable[[dict[str, Any]], None]
) -> dict[str, Any]:
    """Relay until SIGINT, SIGTERM or SIGHUP, and return the last statistics.

    Parameters
    ----------
    listening
        Called when clients may come.
    happened
        Called with each event.

    Raises
    ------
    SessionFailedError
        If it cannot listen, or its packet process ends by itself, or does not answer.
    OSError
        From ``happened``: nobody watches any more.
    KeyboardInterrupt
        If a second signal comes before it listens: the first one waits for that.
    """
    try:
        return asyncio.run(_relay(wishes, listening, happened))
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


async def _relay(
    wishes: Wishes, listening: Callable[[Running], None], happened: Callable[[dict[str, Any]], None]
) -> dict[str, Any]:
    stop, at_once = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    first_s = math.inf
    beginning = asyncio.current_task()

    def asked() -> None:
        nonlocal first_s
        first_s = min(first_s, loop.time())
        stop.set()
        if loop.time() - first_s >= _IMPATIENT_S:
            at_once.set()
            if beginning is not None:
                beginning.cancel()

    for number in ending_signals():
        loop.add_signal_handler(number, asked)
    async with running(wishes) as it:
        beginning = None
        listening(it)
        tasks = [
            asyncio.create_task(_tell(it.service, happened)),
            asyncio.create_task(stop.wait()),
            asyncio.create_task(it.service.engine.ended()),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if tasks[0].done():
                tasks[0].result()
            if tasks[2].done():
                raise SessionFailedError("relay", "the packet process has ended")
            return await it.service.engine.end(at_once)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _tell(service: Service, happened: Callable[[dict[str, Any]], None]) -> None:
    async for event in service.events.watch():
        happened(event)
