"""A bottleneck: packets are sent one after the other at a rate, behind a drop-tail queue."""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from simlab.core.impair.capacity import Capacity, RateStep
from simlab.core.packet import Direction, Transit

HEADER_BYTES = 28
"""What IPv4 (20) and UDP (8) add to a payload: RFC 791, RFC 768."""

NOTHING_S = 1e-9
"""A sum of floats that should be just the limit may be more, but not by that much."""


@dataclass(frozen=True, slots=True)
class RateSpec:
    """How fast the bottleneck sends, and how much may wait in front of it.

    The packet that is being sent does not wait: with a queue of 0, a packet gets through only if nothing
    else is being sent.

    Parameters
    ----------
    rate_bytes_per_s
        More than 0; counts the payload and ``HEADER_BYTES`` of each packet. Infinity for no limit.
    queue_bytes, queue_packets, queue_s
        What may wait: bytes (counted alike), packets, or a packet's time until it is sent. None for any.
    """

    rate_bytes_per_s: float
    queue_bytes: int | None = None
    queue_packets: int | None = None
    queue_s: float | None = None

    def may_wait(self, wait_s: float) -> bool:
        """Tell whether a packet may wait for so long."""
        return self.queue_s is None or wait_s <= self.queue_s + NOTHING_S

    def has_room(self, packets: int, waiting_bytes: int, size_bytes: int) -> bool:
        """Tell whether so many packets of so many bytes leave room for another, whatever its time."""
        if self.queue_bytes is not None and waiting_bytes + size_bytes > self.queue_bytes:
            return False
        return self.queue_packets is None or packets < self.queue_packets


class Waiting:
    """The packets that wait in front of a bottleneck, and whether another may join them."""

    def __init__(self) -> None:
        self.size_bytes = 0
        self._packets: deque[tuple[float, int]] = deque()  # when its sending starts, and its size

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._packets)

    def leave(self, now_s: float) -> None:
        """Let those go whose sending has started."""
        packets = self._packets
        while packets and packets[0][0] <= now_s:
            self.size_bytes -= packets.popleft()[1]

    def fits(self, spec: RateSpec, size_bytes: int, wait_s: float) -> bool:
        """Tell whether a packet may join."""
        if not spec.has_room(len(self._packets), self.size_bytes, size_bytes):
            return False
        return spec.may_wait(wait_s)

    def join(self, start_s: float, size_bytes: int) -> None:
        """Add a packet whose sending starts at ``start_s``."""
        self._packets.append((start_s, size_bytes))
        self.size_bytes += size_bytes


class RateStage:
    """Send packets one at a time, in the order in which they come; drop what finds the queue full.

    Nothing is random here. ``busy_until_s`` is when the last accepted packet will have been sent. Since all
    changes of the rate are known beforehand, that is known when a packet comes, also for the one that is
    being sent while the rate changes.

    Parameters
    ----------
    steps
        How the rate changes.
    queues
        How the limits of the queue change: from when on, and the spec that has them; in order of time.
    """

    name = "queue"

    def __init__(
        self,
        spec: RateSpec,
        steps: Sequence[RateStep] = (),
        queues: Sequence[tuple[float, RateSpec]] = (),
    ) -> None:
        self.spec = spec
        self.busy_until_s = -math.inf
        self._waiting = Waiting()
        self._sent_s = Capacity(spec.rate_bytes_per_s, steps).sent_s
        self._queues = deque(queues)

    @property
    def waiting_bytes(self) -> int:
        """How many bytes wait."""
        return self._waiting.size_bytes

    def apply(self, transit: Transit) -> tuple[Transit, ...]:
        """Put the transit's due time off until it has been sent, or drop it."""
        now_s = transit.due_s
        size_bytes = len(transit.payload) + HEADER_BYTES
        while self._queues and self._queues[0][0] <= now_s:
            self.spec = self._queues.popleft()[1]
        if self._waiting.size_bytes:
            self._waiting.leave(now_s)
        start_s = self.busy_until_s
        if now_s >= start_s:
            start_s = now_s
        elif self._waiting.fits(self.spec, size_bytes, start_s - now_s):
            self._waiting.join(start_s, size_bytes)
        else:
            return ()
        self.busy_until_s = transit.due_s = self._sent_s(start_s, size_bytes)
        return (transit,)


@dataclass(frozen=True, slots=True)
class TokenBucketSpec:
    """Tokens come at a rate, up to a burst; a packet takes one for each byte, ``HEADER_BYTES`` included.

    Parameters
    ----------
    queue
        What may wait for tokens (its own rate does not matter); None is a policer, which drops what finds
        too few.
    """

    rate_bytes_per_s: float
    burst_bytes: int
    queue: RateSpec | None = None


class TokenBucketStage:
    """Shape or police packets by a token bucket, full at first. Nothing is random here.

    A packet larger than the bucket never gets through, as with Linux's tbf.
    """

    def __init__(self, spec: TokenBucketSpec, seed: int, direction: Direction) -> None:
        self.spec = spec
        self.name = "policer" if spec.queue is None else "queue"
        self._tokens_bytes = float(spec.burst_bytes)
        self._counted_s = -math.inf  # when the tokens were that many
        self._last_start_s = -math.inf
        self._waiting = Waiting()

    def apply(self, transit: Transit) -> tuple[Transit, ...]:
        """Put the transit's due time off until there are tokens, or drop it."""
        now_s, spec = transit.due_s, self.spec
        size_bytes = len(transit.payload) + HEADER_BYTES
        self._waiting.leave(now_s)
        start_s = max(now_s, self._last_start_s)
        tokens_bytes = self._tokens_at(start_s)
        missing_bytes = size_bytes - tokens_bytes
        leaves_s = start_s + max(missing_bytes, 0.0) / spec.rate_bytes_per_s
        if size_bytes > spec.burst_bytes or (
            leaves_s > now_s and not self._may_wait(size_bytes, leaves_s - now_s)
        ):
            return ()
        if leaves_s > now_s:
            self._waiting.join(leaves_s, size_bytes)
        self._tokens_bytes = max(-missing_bytes, 0.0)
        self._counted_s = self._last_start_s = transit.due_s = leaves_s
        return (transit,)

    def _may_wait(self, size_bytes: int, wait_s: float) -> bool:
        queue = self.spec.queue
        return queue is not None and self._waiting.fits(queue, size_bytes, wait_s)

    def _tokens_at(self, at_s: float) -> float:
        if self._counted_s == -math.inf:
            return float(self.spec.burst_bytes)
        more = (at_s - self._counted_s) * self.spec.rate_bytes_per_s
        return min(self._tokens_bytes + more, float(self.spec.burst_bytes))
