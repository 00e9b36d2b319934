"""A link, compiled: what ``StraightLink`` and ``Way.release`` do."""

from typing import Any

import numpy as np

from simlab.live.udp.compiled.bottleneck import enter, leave
from simlab.live.udp.compiled.compiling import kept, part
from simlab.live.udp.compiled.kind import kind_of
from simlab.live.udp.compiled.layout import BOTH_WAYS, DRAWS, SLOT_BYTES, SLOTS, TO_TARGET
from simlab.live.udp.compiled.system import memcpy, monotonic_s, send
from simlab.live.udp.tally import BINS, BINS_PER_OCTAVE, LEAST_S


@kept
def admit(
    way: Any, packets: Any, payloads: Any, draws: Any, scratch: Any, size: int, flow: int, at_s: float
) -> int:
    """Do what ``StraightLink.receive`` does. Returns 0 if there was no room, or no number drawn ahead."""
    if way.head == way.tail:
        # The same few slots again and again: those are in the caches.
        way.head = way.tail = way.held_head = way.held_bytes = 0
    if way.tail - way.head >= SLOTS or size > SLOT_BYTES:
        way.no_room = 1
        return 0
    kind = kind_of(scratch, size)
    nth = way.seen[kind]
    place = nth - way.draws_from[kind]
    if way.loss_chance > 0.0 and (place < 0 or place >= DRAWS):
        return 0
    way.seen[kind] = nth + 1
    way.offered += 1
    seq = way.seq
    way.seq = seq + 1
    slot = way.tail & (SLOTS - 1)
    packet = packets[slot]
    packet.arrived_s = at_s - way.zero_s
    packet.size = size
    if not enter(way, packets, packet, packet.arrived_s):
        way.dropped_queue += 1
        return 1
    packet.due_s = packet.sent_s + way.delay_s
    packet.flow = flow
    packet.kind = kind
    packet.seq = seq
    packet.nth = nth
    packet.lost = way.loss_chance > 0.0 and draws[kind, place] < way.loss_chance
    memcpy(payloads[slot].ctypes.data, scratch.ctypes.data, size)
    way.tail += 1
    return 1


@kept
def release(
    way: Any, is_up: bool, packets: Any, payloads: Any, flows: Any, counts: Any, clock: Any, at_s: float
) -> None:
    """Do what ``Way.release`` does."""
    if at_s < way.held_until_s:
        return
    now_s = at_s - way.zero_s
    while way.head < way.tail:
        slot = way.head & (SLOTS - 1)
        packet = packets[slot]
        if packet.due_s > now_s:
            return
        way.head += 1
        leave(way, packet)
        flow = flows[packet.flow]
        if packet.lost:
            way.lost += 1
        elif flow.leads < (TO_TARGET if is_up else BOTH_WAYS):
            way.dropped_nat += 1
        elif not send(is_up, flow, payloads[slot], packet.size):
            way.dropped_relay += 1
        else:
            sent_s = monotonic_s(clock) - way.zero_s
            way.delivered += 1
            way.delivered_bytes += packet.size
            counts[0, _bin_of(sent_s - packet.arrived_s)] += 1
            counts[1, _bin_of(sent_s - max(packet.due_s, way.held_until_s - way.zero_s))] += 1


@part
def _bin_of(value_s: float) -> int:
    """Return the bin of a time: see ``simlab.live.udp.tally``."""
    return min(int(np.log2(max(value_s, LEAST_S) / LEAST_S) * BINS_PER_OCTAVE), BINS - 1)
