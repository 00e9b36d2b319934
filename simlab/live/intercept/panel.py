"""The live page of an intercept, and what it is told."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

from simlab.core.timeline import Recorder
from simlab.live.addresses import Address
from simlab.live.intercept.commands import Commands
from simlab.live.intercept.log import Log
from simlab.live.remote.http_api import HttpApi, Told
from simlab.live.remote.live_page import live_page

_PAGE = Path(__file__).parent / "page"
_SHOWN_S = 120.0
_STATE_S = 1.0


def panel(commands: Commands, log: Log, record: Recorder, address: Address) -> HttpApi:
    """Return what serves the live page with the events of the timeline, and every second the state."""

    async def events() -> AsyncGenerator[Told]:
        async for event in log.listen(_SHOWN_S, record.now_s()):
            yield "event", {"t_s": event.t_s, "source": event.source, "kind": event.kind, **event.data}

    async def states() -> AsyncGenerator[Told]:
        while True:
            state = await commands.do("status", {})
            yield "state", {**state, **await commands.do("clients", {})}
            await asyncio.sleep(_STATE_S)

    return HttpApi(commands, address, address[0], page, (events, states))


def page() -> str:
    """Return the page with its style and script in it."""
    return live_page(_PAGE / "index.html", _PAGE / "panel.js")
