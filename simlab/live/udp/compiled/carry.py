"""The compiled loop: take packets in, and send those that are due, until something else is to be done.

All that is compiled is in this one file: numba compiles again when the file of a function changes, and does
not see a change in another file, such as that of the numbers from ``layout``.
"""

from typing import Any

import numpy as np
from numba import njit, types

from simlab.core.impair.rate import HEADER_BYTES
from simlab.live.udp.compiled.layout import (
    AT_ONCE,
    BOTH_WAYS,
    DRAWS,
    IS_LISTENING,
    IS_UPSTREAM,
    SLOT_BYTES,
    SLOTS,
    TABLE,
    TABLE_BITS,
    TO_TARGET,
)
from simlab.live.udp.tally import BINS, BINS_PER_OCTAVE, LEAST_S

_int, _long, _address, _unsigned = types.int32, types.int64, types.uintp, types.uint32
_epoll_wait: Any = types.ExternalFunction("epoll_wait", _int(_int, _address, _int, _int))
_ppoll: Any = types.ExternalFunction("ppoll", _int(_address, _address, _address, _address))
_recvfrom: Any = types.ExternalFunction("recvfrom", _long(_int, _address, _long, _int, _address, _address))
_recvmmsg: Any = types.ExternalFunction("recvmmsg", _int(_int, _address, _unsigned, _int, _address))
_sendto: Any = types.ExternalFunction("sendto", _long(_int, _address, _address, _int, _address, _unsigned))
_poll: Any = types.ExternalFunction("poll", _int(_address, _address, _int))
_memcpy: Any = types.ExternalFunction("memcpy", _address(_address, _address, _address))
_errno_location: Any = types.ExternalFunction("__errno_location", _address())
_clock_gettime: Any = types.ExternalFunction("clock_gettime", _int(_int, _address))
_MONOTONIC = 1
_MSG_DONTWAIT = 0x40
SOCKADDR_BYTES = 16
_EAGAIN = 11
_SPIN_S = 20e-6
_FINE_S = 0.002
_SOON_S = 1e-6
"""Asking whether there is something to read takes as long."""
MOST_EVENTS = 64
UP, DOWN = 0, 1

TIME_IS_UP, READABLE, STRANGER, WAITS, FULL, FAILED = range(6)
"""Why the loop returned: ``until_s`` is over; what Python reads can be read; a packet came from a client
without a mapping; packets wait for their time, for the first time; there is no room, or there are no numbers
drawn ahead; a socket reported an error."""


def _compiled(function: Any) -> Any:
    # Without counting who uses an array, which is 0.3 us of a core for each packet: all of them stay.
    return njit(cache=True, nogil=True, _nrt=False)(function)  # type: ignore[call-overload]


@_compiled
def _now_s(clock: Any) -> float:
    _clock_gettime(_MONOTONIC, clock.ctypes.data)
    return float(clock[0]) + 1e-9 * float(clock[1])


@_compiled
def kind_of(payload: Any, size: int) -> int:
    """Return the place in ``KINDS`` of what ``simlab.core.packet.classify`` says."""
    if size == 0:
        return 10
    first = payload[0]
    if 128 <= first <= 191:
        return 9 if size > 1 and 192 <= payload[1] <= 223 else 8
    if 20 <= first <= 63:
        return 7 if first == 23 or first >= 32 else 6
    if first <= 3:
        if size < 20 or not (
            payload[4] == 0x21 and payload[5] == 0x12 and payload[6] == 0xA4 and payload[7] == 0x42
        ):
            return 10
        kind = np.int64(first) << 8 | np.int64(payload[1])
        method = (kind & 0x000F) | (kind & 0x00E0) >> 1 | (kind & 0x3E00) >> 2
        if method != 1:
            return 4
        code = (kind & 0x0100) >> 7 | (kind & 0x0010) >> 4
        return 0 if code == 0 else 3 if code == 1 else 1 if code == 2 else 2
    if 16 <= first <= 19:
        return 5
    return 4 if 64 <= first <= 79 else 10


@_compiled
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
    lost = 0
    if way.loss_chance > 0.0:
        place = nth - way.draws_from[kind]
        if place < 0 or place >= DRAWS:
            return 0
        lost = 1 if draws[kind, place] < way.loss_chance else 0
    way.seen[kind] = nth + 1
    way.offered += 1
    seq = way.seq
    way.seq = seq + 1
    now_s = at_s - way.zero_s
    start_s = sent_s = now_s
    if way.rate_bytes_per_s >= 0.0:
        whole_bytes = size + HEADER_BYTES
        if way.busy_until_s <= now_s:
            way.held_head = way.tail
            way.held_bytes = 0
        else:
            _let_go(way, packets, now_s)
            if not _fits(way, packets, whole_bytes, now_s):
                way.dropped_queue += 1
                return 1
            start_s = way.busy_until_s
        sent_s = start_s + whole_bytes / way.rate_bytes_per_s
        way.busy_until_s = sent_s
        way.held_bytes += whole_bytes
    else:
        way.held_head = way.tail + 1
    slot = way.tail & (SLOTS - 1)
    packet = packets[slot]
    packet.due_s = sent_s + way.delay_s
    packet.arrived_s = now_s
    packet.start_s = start_s
    packet.sent_s = sent_s
    packet.size = size
    packet.flow = flow
    packet.kind = kind
    packet.seq = seq
    packet.nth = nth
    packet.lost = lost
    _memcpy(payloads[slot].ctypes.data, scratch.ctypes.data, size)
    way.tail += 1
    return 1


@_compiled
def _let_go(way: Any, packets: Any, now_s: float) -> None:
    while way.held_head < way.tail:
        packet = packets[way.held_head & (SLOTS - 1)]
        if packet.sent_s > now_s:
            return
        way.held_bytes -= packet.size + HEADER_BYTES
        way.held_head += 1


@_compiled
def _fits(way: Any, packets: Any, whole_bytes: int, now_s: float) -> bool:
    head = packets[way.held_head & (SLOTS - 1)]
    waiting_bytes = way.held_bytes - (head.size + HEADER_BYTES)
    if way.queue_bytes >= 0 and waiting_bytes + whole_bytes > way.queue_bytes:
        return False
    if way.queue_packets >= 0 and way.tail - way.held_head > way.queue_packets:
        return False
    wait_s = head.start_s + way.held_bytes / way.rate_bytes_per_s - now_s
    return bool(way.queue_s < 0.0 or wait_s <= way.queue_s)


@_compiled
def _send(is_up: bool, flow: Any, payload: Any, size: int) -> bool:
    # The first error may be about an earlier packet, which had left in order.
    for _ in range(2):
        if is_up:
            sent = _sendto(flow.upstream, payload.ctypes.data, size, _MSG_DONTWAIT, 0, 0)
        else:
            sent = _sendto(
                flow.listening,
                payload.ctypes.data,
                size,
                _MSG_DONTWAIT,
                flow.client.ctypes.data,
                SOCKADDR_BYTES,
            )
        if sent >= 0:
            return True
    return False


@_compiled
def _bin_of(value_s: float) -> int:
    """Return the bin of a time: see ``simlab.live.udp.tally``."""
    return min(int(np.log2(max(value_s, LEAST_S) / LEAST_S) * BINS_PER_OCTAVE), BINS - 1)


@_compiled
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
        if way.held_head < way.head:
            way.held_bytes -= packet.size + HEADER_BYTES
            way.held_head = way.head
        flow = flows[packet.flow]
        if packet.lost:
            way.lost += 1
        elif flow.leads < (TO_TARGET if is_up else BOTH_WAYS):
            way.dropped_nat += 1
        elif not _send(is_up, flow, payloads[slot], packet.size):
            way.dropped_relay += 1
        else:
            sent_s = _now_s(clock) - way.zero_s
            way.delivered += 1
            way.delivered_bytes += packet.size
            counts[0, _bin_of(sent_s - packet.arrived_s)] += 1
            counts[1, _bin_of(sent_s - max(packet.due_s, way.held_until_s - way.zero_s))] += 1


@_compiled
def find(keys: Any, places: Any, key: int) -> int:
    """Return the flow of a key, or -1."""
    at = hash_of(key)
    while keys[at]:
        if keys[at] == key:
            return int(places[at])
        at = (at + 1) & (TABLE - 1)
    return -1


@_compiled
def hash_of(key: Any) -> Any:
    """Return where a key would stand in an empty table."""
    return np.int64((np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(64 - TABLE_BITS))


@_compiled
def _take(control: Any, batch: Any, tables: Any, links: Any, clock: Any) -> int:
    """Take in what has been read, from where ``control`` says on. Returns why it stopped, or -1."""
    messages, names, scratch = batch
    roles, flow_of, keys, places, flows = tables
    ways, packets, payloads, draws, _ = links
    fd = control.fd
    way = DOWN if roles[fd] == IS_UPSTREAM else UP
    at_s = _now_s(clock)
    while control.next < control.count:
        number = control.next
        if way == DOWN:
            place = flow_of[fd]
        else:
            place = find(keys, places, key_of(names[number], flow_of[fd]))
            if place < 0:
                return STRANGER
        if not admit(
            ways[way],
            packets[way],
            payloads[way],
            draws[way],
            scratch[number],
            messages[number].size,
            place,
            at_s,
        ):
            return FULL
        control.next += 1
        flow = flows[place]
        if way == UP:
            flow.up += 1
            flow.used_s = at_s
        else:
            flow.down += 1
            if flow.refreshes:
                flow.used_s = at_s
    return -1


@_compiled
def key_of(name: Any, listening: int) -> Any:
    """Return the key of a client, its sockaddr_in and the number of the socket that it sent to; not 0."""
    key = np.int64(listening + 1)
    for place in range(2, 8):
        key = key << 8 | np.int64(name[place])
    return key


@_compiled
def _read(control: Any, batch: Any, fd: int, with_names: bool, clock: Any) -> bool:
    """Read some packets. Returns whether the socket reported an error.

    Where one comes at a time, asking for another that is not there takes as long as taking it.
    """
    messages, names, payloads = batch
    most = control.most[int(with_names)]
    name_bytes = SOCKADDR_BYTES if with_names else 0
    if most == 1:
        clock[0] = name_bytes
        name, its_bytes = (names.ctypes.data, clock.ctypes.data) if with_names else (0, 0)
        # recvfrom takes less than recvmmsg.
        size = _recvfrom(fd, payloads.ctypes.data, payloads.shape[1], _MSG_DONTWAIT, name, its_bytes)
        count = 1 if size >= 0 else -1
        messages[0].size = max(size, 0)
    else:
        for number in range(most):
            messages[number].name_bytes = name_bytes
        count = _recvmmsg(fd, messages.ctypes.data, most, _MSG_DONTWAIT, 0)
        for number in range(count):
            messages[number].size &= 0xFFFFFFFF
    control.most[int(with_names)] = max(1, min(2 * most if count == most else count, AT_ONCE))
    control.fd = fd
    control.next = 0
    control.count = max(count, 0)
    if count < 0:
        clock[0] = 0
        _memcpy(clock.ctypes.data, _errno_location(), 4)
        control.error = clock[0]
        return bool(control.error != _EAGAIN)
    return False


@_compiled
def _due_s(ways: Any, packets: Any, until_s: float) -> float:
    due_s = until_s
    for way in range(2):
        one = ways[way]
        if one.head < one.tail:
            its_s = max(packets[way, one.head & (SLOTS - 1)].due_s + one.zero_s, one.held_until_s)
            due_s = min(due_s, its_s)
    return due_s


@_compiled
def _wait(control: Any, watched: Any, ready: Any, events: Any, left_s: float, pause: Any) -> int:
    """Wait until something can be read, or the time is over; return how many sockets are in ``ready``."""
    timeout_ms = 0
    if left_s > _FINE_S:
        timeout_ms = int((left_s - _FINE_S / 2) * 1000)
    elif left_s > 0.0:
        pause[0] = 0
        pause[1] = int(left_s * 1e9)
        if _ppoll(watched.ctypes.data, control.watched, pause.ctypes.data, 0) <= 0:
            return 0
    count = 0
    if control.has_epoll:
        count = _epoll_wait(watched[0].fd, events.ctypes.data, MOST_EVENTS, timeout_ms)
        for number in range(count):
            ready[number] = events[number].fd
    elif _poll(watched.ctypes.data, control.watched, timeout_ms) > 0:
        for number in range(control.watched):
            if watched[number].happened:
                ready[count] = watched[number].fd
                count += 1
    return count


@_compiled
def _release_both(links: Any, flows: Any, clock: Any) -> float:
    """Send what is due. Returns what time it was."""
    ways, packets, payloads, _, counts = links
    now_s = _now_s(clock)
    for way in range(2):
        if ways[way].head < ways[way].tail:
            release(ways[way], way == UP, packets[way], payloads[way], flows, counts[way], clock, now_s)
    return float(now_s)


@_compiled
def _serve(control: Any, ready: Any, count: int, batch: Any, tables: Any, links: Any, clock: Any) -> int:
    """Read from wherever something can be read; return why that ended, or -1."""
    control.ready = 0
    for number in range(count):
        fd = ready[number]
        role = tables[0][fd]
        if role == 0:
            ready[control.ready] = fd
            control.ready += 1
            continue
        if _read(control, batch, fd, role == IS_LISTENING, clock):
            return FAILED
        reason = _take(control, batch, tables, links, clock)
        if reason >= 0:
            return int(reason)
        if number + 1 < count:
            _release_both(links, tables[4], clock)
    return READABLE if control.ready else -1


@_compiled
def carry(
    until_s: float,
    control: Any,
    watched: Any,
    ready: Any,
    events: Any,
    batch: Any,
    tables: Any,
    links: Any,
    clock: Any,
    pause: Any,
) -> int:
    """Carry packets, and return why that ended."""
    reason = _take(control, batch, tables, links, clock)
    while reason < 0:
        now_s = _release_both(links, tables[4], clock)
        if now_s >= until_s:
            return TIME_IS_UP
        due_s = _due_s(links[0], links[1], until_s)
        if due_s - now_s <= _SOON_S:
            continue
        left_s = due_s - now_s - _SPIN_S
        if left_s > 0.0 and due_s < until_s and not control.have_waited:
            control.have_waited = 1
            return WAITS
        count = _wait(control, watched, ready, events, left_s, pause)
        reason = _serve(control, ready, count, batch, tables, links, clock)
    return int(reason)
