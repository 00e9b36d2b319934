"""How long two aiortc peers take to an open data channel, under the virtual and under a real clock."""

import asyncio
import math
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

import aioice.ice
from aiortc import RTCConfiguration, RTCPeerConnection

from benchmarks.memory_network import MemoryLoop, RealWire
from simlab.core.packet import Direction
from simlab.core.timeline import Recorder
from simlab.profile import Scenario, load
from simlab.profile.build import links
from simlab.virtual.addresses import CLIENT, SERVER
from simlab.virtual.client_party import on
from simlab.virtual.replace import replaced
from simlab.virtual.routes import Routes
from simlab.virtual.world import virtual_world

LIMIT_S = 60.0
_PROFILE = """
duration = "60s"
[peers]
media = []
[link]
delay = "{delay_ms}ms"
loss = "{loss_percent}%"
"""
On = Callable[[str, Coroutine[Any, Any, Any]], "asyncio.Task[Any]"]


def scenario(loss_chance: float, delay_s: float, seed: int) -> Scenario:
    """Return a network with the same constant delay and independent loss each way."""
    text = _PROFILE.format(delay_ms=round(delay_s * 1000, 6), loss_percent=round(loss_chance * 100, 6))
    return Scenario.of(load(text, "agreement.toml"), seed=seed)


async def opening_s(client: str, server: str, limit_s: float = LIMIT_S) -> float:
    """Let two peers connect, and return the seconds from the offer until the offerer's channel is open.

    Infinite if that takes longer than the limit, or ICE fails. The offer and the answer are handed over at
    once, and once.
    """
    loop: Any = asyncio.get_running_loop()
    near, far = (RTCPeerConnection(RTCConfiguration(iceServers=[])) for _ in range(2))
    over: asyncio.Future[float] = loop.create_future()

    def end(at_s: float) -> None:
        if not over.done():
            over.set_result(at_s)

    near.createDataChannel("chat").on("open", lambda: end(loop.time()))
    for peer in (near, far):
        peer.on("connectionstatechange", lambda peer=peer: peer.connectionState == "failed" and end(math.inf))
    loop.call_later(limit_s, end, math.inf)
    await on(loop, client, near.setLocalDescription(await near.createOffer()))
    began_s = loop.time()
    await on(loop, server, far.setRemoteDescription(near.localDescription))
    await on(loop, server, far.setLocalDescription(await far.createAnswer()))
    await on(loop, client, near.setRemoteDescription(far.localDescription))
    took_s = await over - began_s
    await asyncio.gather(on(loop, client, near.close()), on(loop, server, far.close()))
    return took_s


def virtual_s(one: Scenario, dither: bool = True, limit_s: float = LIMIT_S) -> float:
    """Measure one session in virtual time."""
    with virtual_world(one.seed) as world:
        asyncio.set_event_loop(world.loop)
        try:
            Routes(world.loop, one, Recorder(world.loop.time), dither=dither)
            return world.loop.run_until_complete(opening_s(CLIENT, SERVER, limit_s))
        finally:
            asyncio.set_event_loop(None)


def real_s(
    several: Iterable[Scenario], gap_s: float, late: Callable[[float], None], limit_s: float = LIMIT_S
) -> list[float]:
    """Measure sessions in real time, on one loop, each with hosts and links of its own.

    Parameters
    ----------
    gap_s
        How long after one session has begun the next one begins, so that they seldom compute at once.
    late
        Told of each packet how many seconds after its time it was delivered.
    """
    loop = MemoryLoop()

    async def one_of_them(number: int, one: Scenario) -> float:
        await asyncio.sleep(number * gap_s)
        client, server = (f"10.{side}.{number // 250}.{number % 250 + 1}" for side in (1, 2))
        way = {direction: RealWire(loop, link, late) for direction, link in links(one).items()}
        loop.wires[client, server], loop.wires[server, client] = way[Direction.UP], way[Direction.DOWN]
        return await opening_s(client, server, limit_s)

    async def measure() -> list[float]:
        return await asyncio.gather(*(one_of_them(number, one) for number, one in enumerate(several)))

    here = replaced(aioice.ice, "get_host_addresses", loop.addresses_here)
    with here, asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(measure())
