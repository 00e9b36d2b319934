"""Everything that must be virtual for a session to be so, in one context."""

import asyncio
import gc
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import aioice.ice
import aioice.mdns
from aiortc import rtcsctptransport

from simlab.own_server.pipecat_changes import OWN, PLACES
from simlab.virtual.aiohttp_sockets import aiohttp_connects
from simlab.virtual.decoding import inline_decoding
from simlab.virtual.encoding import encoding_on_one_thread
from simlab.virtual.entropy import seeded_entropy
from simlab.virtual.exits import exits_withheld
from simlab.virtual.fast.piece import in_place
from simlab.virtual.fast.pieces import pieces
from simlab.virtual.kept_sound import kept_sound
from simlab.virtual.names import names_unknown_outside
from simlab.virtual.network import VirtualNetworkLoop
from simlab.virtual.openssl_clock import openssl_on_virtual_time
from simlab.virtual.order import begun_in_order, candidates_in_order, numbered_members, scopes_in_order
from simlab.virtual.replace import replaced
from simlab.virtual.signals import signals_withheld
from simlab.virtual.wall_clock import wall_clock_completed
from simlab.virtual.workers import inline_workers
from simlab.webrtc import connection
from simlab.webrtc.lean import time_machine

# What the wall clock shows when a session begins; any moment would do.
EPOCH_S = 1_750_000_000

# Collecting garbage at Python's own threshold of 700 objects takes a twentieth of a session's time.
_GARBAGE_THRESHOLD = 20_000


@dataclass(frozen=True)
class World:
    """A virtual world: its loop, and how OpenSSL's timer was dealt with."""

    loop: VirtualNetworkLoop
    dtls_timer: str


@dataclass(frozen=True)
class _Clock:
    """Stand in for the ``time`` module where it is asked most: the same answers, ten times as fast."""

    loop: VirtualNetworkLoop

    def time(self) -> float:
        return EPOCH_S + self.loop.now_s


async def _mdns_protocol() -> aioice.mdns.MDnsProtocol:
    """Ask for ``.local`` names in the virtual network: nobody there answers."""
    loop = asyncio.get_running_loop()
    address = (aioice.mdns.MDNS_ADDRESS, aioice.mdns.MDNS_PORT)
    _, protocol = await loop.create_datagram_endpoint(aioice.mdns.MDnsProtocol, local_addr=address)
    return protocol


ALONE = threading.RLock()
"""Held by the thread that has a world: what it replaces, it replaces for the whole process."""


@contextmanager
def virtual_world(seed: int, redirect_openssl: bool = True, only_kept_sound: bool = False) -> Iterator[World]:
    """Make a loop in which time, network, entropy and decoding are virtual, and close it after use.

    While it lasts, the wall clock of the whole process shows the virtual time. One in another thread waits
    until it is over.

    Parameters
    ----------
    only_kept_sound
        Whether there is no sound but simlab's own tone and silence, which need no codec.
    """
    with ExitStack() as stack:
        stack.enter_context(ALONE)
        stack.callback(gc.set_threshold, *gc.get_threshold())
        gc.set_threshold(_GARBAGE_THRESHOLD)
        loop = VirtualNetworkLoop()
        stack.callback(loop.close)
        traveller = stack.enter_context(time_machine.travel(EPOCH_S, tick=False))
        # Asked when somebody looks, which is far more seldom than the clock moves.
        for module in (rtcsctptransport, connection):
            stack.enter_context(replaced(module, "time", _Clock(loop)))
        epoch_ns, here, get_ident = EPOCH_S * 1_000_000_000, threading.get_ident(), threading.get_ident

        def time_ns() -> int:
            return epoch_ns + int(loop.now_s * 1e9)

        def counted_time_ns() -> int:
            if get_ident() == here:
                loop.time()  # which counts
            return time_ns()

        traveller.time_ns = counted_time_ns  # type: ignore[method-assign]
        stack.enter_context(wall_clock_completed())
        for (owner, name), own in zip(PLACES, OWN, strict=True):
            stack.enter_context(replaced(owner, name, own))
        stack.enter_context(seeded_entropy(seed))
        stack.enter_context(inline_decoding())
        stack.enter_context(encoding_on_one_thread())
        if only_kept_sound:
            stack.enter_context(kept_sound())
        stack.enter_context(inline_workers())
        stack.enter_context(names_unknown_outside())
        stack.enter_context(signals_withheld())
        stack.enter_context(exits_withheld())
        stack.enter_context(aiohttp_connects())
        stack.enter_context(numbered_members())
        stack.enter_context(in_place(pieces(time_ns)))
        stack.enter_context(candidates_in_order())
        stack.enter_context(begun_in_order())
        stack.enter_context(scopes_in_order())
        stack.enter_context(replaced(aioice.ice, "get_host_addresses", loop.addresses_here))
        stack.enter_context(replaced(aioice.mdns, "create_mdns_protocol", _mdns_protocol))
        timer = openssl_on_virtual_time(lambda: EPOCH_S + loop.now_s, redirect_openssl)
        yield World(loop, stack.enter_context(timer))
