"""A bottleneck that follows a recorded trace of delivery opportunities, in Mahimahi's format."""

import math
from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise

from simlab.core.impair.rate import HEADER_BYTES, RateSpec, Waiting
from simlab.core.packet import Direction, Transit

OPPORTUNITY_BYTES = 1504
"""What leaves at each opportunity: Mahimahi's PACKET_SIZE (its documentation says 1500)."""


@dataclass(frozen=True, slots=True)
class TraceSpec:
    """When bytes may leave, over and over.

    Parameters
    ----------
    opportunities_ms
        Milliseconds from the start, in ascending order; the last, more than 0, is where it starts again.
    queue
        What may wait (its own rate does not matter).

    Raises
    ------
    ValueError
        If there is none, they do not ascend, one is negative, or the last is 0.

    Source: ``LinkQueue`` in Mahimahi's ``src/frontend/link_queue.cc``.
    """

    opportunities_ms: tuple[int, ...]
    queue: RateSpec

    def __post_init__(self) -> None:
        times = self.opportunities_ms
        if not times or times[0] < 0 or times[-1] == 0:
            raise ValueError("want at least one opportunity, the last of them after 0 ms")
        if any(later < sooner for sooner, later in pairwise(times)):
            raise ValueError("want opportunities in ascending order")

    @property
    def mean_rate_bytes_per_s(self) -> float:
        """The capacity over a whole round."""
        return OPPORTUNITY_BYTES * len(self.opportunities_ms) * 1000 / self.opportunities_ms[-1]


class TraceStage:
    """Let bytes leave at their opportunities; drop what finds the queue full. Nothing is random here.

    Small packets share an opportunity and large ones span several. What an opportunity has left when nothing
    waits is lost; a packet that comes at the very millisecond of an opportunity is too late for it.
    """

    name = "queue"

    def __init__(self, spec: TraceSpec, seed: int, direction: Direction) -> None:
        self.spec = spec
        self._times_ms = spec.opportunities_ms
        self._period_ms = spec.opportunities_ms[-1]
        self._round, self._index, self._left_bytes = 0, 0, OPPORTUNITY_BYTES
        self._opens_s = self._at_s()
        self._waiting = Waiting()

    def apply(self, transit: Transit) -> tuple[Transit, ...]:
        """Put the transit's due time off until its last byte leaves, or drop it."""
        now_s = transit.due_s
        size_bytes = len(transit.payload) + HEADER_BYTES
        self._waiting.leave(now_s)
        if self._opens_s <= now_s:
            self._skip_to(now_s)
        place = self._round, self._index, self._left_bytes, self._opens_s
        due_s = self._consume(size_bytes)
        if not self._waiting.fits(self.spec.queue, size_bytes, due_s - now_s):
            self._round, self._index, self._left_bytes, self._opens_s = place
            return ()
        self._waiting.join(due_s, size_bytes)
        transit.due_s = due_s
        return (transit,)

    def _at_s(self) -> float:
        return (self._round * self._period_ms + self._times_ms[self._index]) / 1000

    def _skip_to(self, now_s: float) -> None:
        """Go to the first opportunity after ``now_s``."""
        now_ms = now_s * 1000
        self._round = max(math.floor(now_ms / self._period_ms) - 1, 0)
        self._index = 0
        while (opens_s := self._at_s()) <= now_s:
            here_ms = now_ms - self._round * self._period_ms
            # Rounding may leave bisect at one that is not later than now_s; the loop sees to it.
            self._index = max(bisect_right(self._times_ms, here_ms), self._index + 1)
            if self._index >= len(self._times_ms):
                self._round, self._index = self._round + 1, 0
        self._left_bytes = OPPORTUNITY_BYTES
        self._opens_s = opens_s

    def _consume(self, size_bytes: int) -> float:
        """Take bytes from this opportunity on, and return when the last of them leaves."""
        while size_bytes > self._left_bytes:
            size_bytes -= self._left_bytes
            self._next()
        at_s = self._opens_s
        if size_bytes == self._left_bytes:
            self._next()
        else:
            self._left_bytes -= size_bytes
        return at_s

    def _next(self) -> None:
        """Go to the next opportunity."""
        self._left_bytes = OPPORTUNITY_BYTES
        self._index += 1
        if self._index == len(self._times_ms):
            self._round, self._index = self._round + 1, 0
        self._opens_s = self._at_s()
