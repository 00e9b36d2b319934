"""The compiled loop: take packets in, and send those that are due, until something else is to be done."""

from typing import Any

from simlab.live.udp.compiled.clients import find, key_of
from simlab.live.udp.compiled.compiling import kept, part
from simlab.live.udp.compiled.layout import DOWN, IS_LISTENING, IS_UPSTREAM, SLOTS, UP
from simlab.live.udp.compiled.link import admit, release
from simlab.live.udp.compiled.reading import read, wait
from simlab.live.udp.compiled.system import monotonic_s

_SPIN_S = 20e-6
_SOON_S = 1e-6
"""Asking whether there is something to read takes as long."""

TIME_IS_UP, READABLE, STRANGER, WAITS, FULL, FAILED = range(6)
"""Why the loop returned: ``until_s`` is over; what Python reads can be read; a packet came from a client
without a mapping; packets wait for their time, for the first time; there is no room, or there are no numbers
drawn ahead; a socket reported an error."""


@kept
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
        count = wait(control, watched, ready, events, left_s, pause)
        reason = _serve(control, ready, count, batch, tables, links, clock)
    return int(reason)


@part
def _take(control: Any, batch: Any, tables: Any, links: Any, clock: Any) -> int:
    """Take in what has been read, from where ``control`` says on. Returns why it stopped, or -1."""
    messages, names, scratch = batch
    roles, flow_of, keys, places, flows = tables
    ways, packets, payloads, draws, _ = links
    fd = control.fd
    way = DOWN if roles[fd] == IS_UPSTREAM else UP
    at_s = monotonic_s(clock)
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


@part
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
        if read(control, batch, fd, role == IS_LISTENING, clock):
            return FAILED
        reason = _take(control, batch, tables, links, clock)
        if reason >= 0:
            return int(reason)
        if number + 1 < count:
            _release_both(links, tables[4], clock)
    return READABLE if control.ready else -1


@part
def _release_both(links: Any, flows: Any, clock: Any) -> float:
    """Send what is due. Returns what time it was."""
    ways, packets, payloads, _, counts = links
    now_s = monotonic_s(clock)
    for way in range(2):
        if ways[way].head < ways[way].tail:
            release(ways[way], way == UP, packets[way], payloads[way], flows, counts[way], clock, now_s)
    return float(now_s)


@part
def _due_s(ways: Any, packets: Any, until_s: float) -> float:
    due_s = until_s
    for way in range(2):
        one = ways[way]
        if one.head < one.tail:
            its_s = max(packets[way, one.head & (SLOTS - 1)].due_s + one.zero_s, one.held_until_s)
            due_s = min(due_s, its_s)
    return due_s
