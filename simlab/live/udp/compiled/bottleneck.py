"""The bottleneck of a way, compiled: what ``HeldRateStage`` does.

The packets in it are those from ``held_head`` on, and they have ``held_bytes``.
"""

from typing import Any

from simlab.core.impair.rate import HEADER_BYTES, NOTHING_S
from simlab.live.udp.compiled.compiling import part
from simlab.live.udp.compiled.layout import SLOTS


@part
def enter(way: Any, packets: Any, packet: Any, now_s: float) -> bool:
    """Note when it begins to send a packet and when it has sent it. Returns False if the queue is full."""
    packet.start_s = packet.sent_s = now_s
    if way.rate_bytes_per_s < 0.0:
        way.held_head = way.tail + 1
        return True
    whole_bytes = packet.size + HEADER_BYTES
    if way.busy_until_s <= now_s:
        way.held_head = way.tail
        way.held_bytes = 0
    else:
        _let_go(way, packets, now_s)
        if not _fits(way, packets, whole_bytes, now_s):
            return False
        packet.start_s = way.busy_until_s
    packet.sent_s = packet.start_s + whole_bytes / way.rate_bytes_per_s
    way.busy_until_s = packet.sent_s
    way.held_bytes += whole_bytes
    return True


@part
def leave(way: Any, packet: Any) -> None:
    """Forget the packet before ``head``, if it is still in there."""
    if way.held_head < way.head:
        way.held_bytes -= packet.size + HEADER_BYTES
        way.held_head = way.head


@part
def _let_go(way: Any, packets: Any, now_s: float) -> None:
    while way.held_head < way.tail:
        packet = packets[way.held_head & (SLOTS - 1)]
        if packet.sent_s > now_s:
            return
        way.held_bytes -= packet.size + HEADER_BYTES
        way.held_head += 1


@part
def _fits(way: Any, packets: Any, whole_bytes: int, now_s: float) -> bool:
    head = packets[way.held_head & (SLOTS - 1)]
    waiting_bytes = way.held_bytes - (head.size + HEADER_BYTES)
    if way.queue_bytes >= 0 and waiting_bytes + whole_bytes > way.queue_bytes:
        return False
    if way.queue_packets >= 0 and way.tail - way.held_head > way.queue_packets:
        return False
    wait_s = head.start_s + way.held_bytes / way.rate_bytes_per_s - now_s
    return bool(way.queue_s < 0.0 or wait_s <= way.queue_s + NOTHING_S)
