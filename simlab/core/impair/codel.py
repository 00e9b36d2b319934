"""A bottleneck whose queue is managed by CoDel (RFC 8289)."""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from simlab.core.impair.capacity import Capacity, RateStep
from simlab.core.impair.rate import HEADER_BYTES, RateSpec
from simlab.core.packet import Transit

_MAX_PACKET_BYTES = 1500
"""With no more than this behind it, a packet is never dropped: RFC 8289's ``maxpacket``, Ethernet's MTU."""


@dataclass(frozen=True, slots=True)
class CodelSpec:
    """A rate, and how long packets may go on waiting for it.

    Parameters
    ----------
    rate
        With the queue's own limits, which hold beside CoDel.
    target_s
        Waiting longer than this is too long …
    interval_s
        … when it has lasted for that long.
    """

    rate: RateSpec
    target_s: float = 0.005
    interval_s: float = 0.1


_Held = tuple[Transit, float, int]  # since when it waits, and its size


class CodelStage:
    """Keep packets until they are sent, and drop from the head what CoDel says. Nothing is random here.

    Source: the pseudocode of RFC 8289 section 5; the names are the RFC's.
    """

    name = "queue"

    def __init__(self, spec: CodelSpec, steps: Sequence[RateStep] = ()) -> None:
        self.spec = spec
        self.decides_s = math.inf
        self.waiting_bytes = 0
        self._waiting: deque[_Held] = deque()
        self._sent_s = Capacity(spec.rate.rate_bytes_per_s, steps).sent_s
        self._busy_until_s = -math.inf
        self._dropping = False
        self._drop_next_s = 0.0
        self._first_above_s = 0.0
        self._count = 0
        self._last_count = 0

    def __len__(self) -> int:
        """Return how many packets it holds."""
        return len(self._waiting)

    def hold(self, transit: Transit) -> bool:
        """Take in a transit; False if the queue is full."""
        now_s = transit.due_s
        size_bytes = len(transit.payload) + HEADER_BYTES
        if now_s < self._busy_until_s and not self._fits(size_bytes, now_s):
            return False
        self._waiting.append((transit, now_s, size_bytes))
        self.waiting_bytes += size_bytes
        if self.decides_s == math.inf:
            self.decides_s = max(now_s, self._busy_until_s)
        return True

    def _fits(self, size_bytes: int, now_s: float) -> bool:
        rate = self.spec.rate
        if not rate.has_room(len(self._waiting), self.waiting_bytes, size_bytes):
            return False
        return rate.may_wait(self._sent_s(self._busy_until_s, self.waiting_bytes) - now_s)

    def decide(self) -> tuple[Transit, list[Transit]]:
        """Choose the next packet to send, and drop those before it that waited too long."""
        now_s = self.decides_s
        dropped: list[Transit] = []
        held, ok_to_drop = self._dodequeue(now_s)
        if self._dropping:
            held = self._go_on_dropping(held, ok_to_drop, now_s, dropped)
        elif ok_to_drop:
            held = self._start_dropping(held, now_s, dropped)
        transit, _, size_bytes = held
        self._busy_until_s = transit.due_s = self._sent_s(now_s, size_bytes)
        self.decides_s = self._busy_until_s if self._waiting else math.inf
        return transit, dropped

    def _dodequeue(self, now_s: float) -> tuple[_Held, bool]:
        # There always is one: after a packet that may be dropped, more than a packet's bytes are waiting.
        held = self._waiting.popleft()
        _, since_s, size_bytes = held
        self.waiting_bytes -= size_bytes
        if now_s - since_s < self.spec.target_s or self.waiting_bytes <= _MAX_PACKET_BYTES:
            self._first_above_s = 0.0
            return held, False
        if self._first_above_s == 0.0:
            self._first_above_s = now_s + self.spec.interval_s
            return held, False
        return held, now_s >= self._first_above_s

    def _go_on_dropping(self, held: _Held, ok_to_drop: bool, now_s: float, dropped: list[Transit]) -> _Held:
        self._dropping = ok_to_drop
        while self._dropping and now_s >= self._drop_next_s:
            dropped.append(held[0])
            self._count += 1
            held, ok_to_drop = self._dodequeue(now_s)
            if ok_to_drop:
                self._drop_next_s = self._control_law(self._drop_next_s)
            else:
                self._dropping = False
        return held

    def _start_dropping(self, held: _Held, now_s: float, dropped: list[Transit]) -> _Held:
        dropped.append(held[0])
        held, _ = self._dodequeue(now_s)
        self._dropping = True
        since_last = self._count - self._last_count
        # A queue that was being dropped from a short while ago goes on at the rate that it needed then.
        recent = now_s - self._drop_next_s < 16 * self.spec.interval_s
        self._count = since_last if since_last > 1 and recent else 1
        self._drop_next_s = self._control_law(now_s)
        self._last_count = self._count
        return held

    def _control_law(self, from_s: float) -> float:
        return from_s + self.spec.interval_s / math.sqrt(self._count)
