"""A bottleneck: packets are sent one after the other at a rate, behind a drop-tail queue."""

import math
from collections import deque
from dataclasses import dataclass

from simlab.core.packet import Transit

HEADER_BYTES = 28
"""What IPv4 (20) and UDP (8) add to a payload: RFC 791, RFC 768."""


@dataclass(frozen=True, slots=True)
class RateSpec:
    """How fast the bottleneck sends, and how much may wait in front of it.

    Parameters
    ----------
    rate_bytes_per_s
        More than 0; counts the payload and ``HEADER_BYTES`` of each packet.
    queue_bytes
        What may wait, counted alike. The packet that is being sent does not count: with 0, a packet gets
        through only if nothing else is being sent.
    """

    rate_bytes_per_s: float
    queue_bytes: int


class RateStage:
    """Send packets one at a time, in the order in which they come; drop what finds the queue full.

    Nothing is random here. ``busy_until_s`` is when the last accepted packet will have been sent.
    """

    name = "queue"

    def __init__(self, spec: RateSpec) -> None:
        self.spec = spec
        self.busy_until_s = -math.inf
        self.waiting_bytes = 0
        self._waiting: deque[tuple[float, int]] = deque()  # when its sending starts, and its size

    def apply(self, transit: Transit) -> tuple[Transit, ...]:
        """Put the transit's due time off until it has been sent, or drop it."""
        now_s = transit.due_s
        size_bytes = len(transit.payload) + HEADER_BYTES
        self._start_sending(now_s)
        if now_s >= self.busy_until_s:
            start_s = now_s
        elif self.waiting_bytes + size_bytes > self.spec.queue_bytes:
            return ()
        else:
            start_s = self.busy_until_s
            self._waiting.append((start_s, size_bytes))
            self.waiting_bytes += size_bytes
        self.busy_until_s = transit.due_s = start_s + size_bytes / self.spec.rate_bytes_per_s
        return (transit,)

    def _start_sending(self, now_s: float) -> None:
        waiting = self._waiting
        while waiting and waiting[0][0] <= now_s:
            self.waiting_bytes -= waiting.popleft()[1]
