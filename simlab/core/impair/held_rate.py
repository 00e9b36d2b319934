"""A bottleneck whose rate may change at any moment, without being known beforehand."""

import math
from collections import deque
from collections.abc import Sequence

from simlab.core.impair.capacity import Capacity, RateStep
from simlab.core.impair.rate import HEADER_BYTES, RateSpec
from simlab.core.packet import Transit


class HeldRateStage:
    """Send packets one at a time, as ``RateStage`` does, but decide when a packet has been sent only then.

    Nothing is random here. What waits is kept, with the packet that is being sent at its head.

    Parameters
    ----------
    steps
        How the rate changes, as far as that is known.
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
        self.decides_s = math.inf
        self._held: deque[tuple[Transit, int]] = deque()
        self._size_bytes = 0  # of all that is held
        self._since_s = 0.0  # from when on the head still has so much to send
        self._left_bytes = 0.0
        self._capacity = Capacity(spec.rate_bytes_per_s, steps)
        self._queues = deque(queues)

    def __len__(self) -> int:
        """Return how many packets it holds."""
        return len(self._held)

    @property
    def is_steady(self) -> bool:
        """Whether neither the rate nor the limits of the queue are known to change."""
        return self._capacity.is_constant and not self._queues

    def hold(self, transit: Transit) -> bool:
        """Take in a transit; False if the queue is full."""
        now_s = transit.due_s
        size_bytes = len(transit.payload) + HEADER_BYTES
        while self._queues and self._queues[0][0] <= now_s:
            self.spec = self._queues.popleft()[1]
        held = self._held
        if held and not self._fits(size_bytes, now_s):
            return False
        held.append((transit, size_bytes))
        self._size_bytes += size_bytes
        if len(held) == 1:
            self._begin(now_s, size_bytes)
        return True

    def _fits(self, size_bytes: int, now_s: float) -> bool:
        spec, head_bytes = self.spec, self._held[0][1]
        waiting_bytes = self._size_bytes - head_bytes
        if not spec.has_room(len(self._held) - 1, waiting_bytes, size_bytes):
            return False
        return spec.may_wait(self._capacity.sent_s(self._since_s, self._left_bytes + waiting_bytes) - now_s)

    def hold_again(self, transits: Sequence[Transit], since_s: float) -> None:
        """Take in transits that fitted before, the first of which has been being sent since ``since_s``.

        The stage must hold nothing.
        """
        sizes_bytes = [len(transit.payload) + HEADER_BYTES for transit in transits]
        self._held.extend(zip(transits, sizes_bytes, strict=True))
        self._size_bytes = sum(sizes_bytes)
        self._begin(since_s, sizes_bytes[0])

    def _begin(self, now_s: float, left_bytes: float) -> None:
        self._since_s, self._left_bytes = now_s, left_bytes
        self.decides_s = self._capacity.sent_s(now_s, left_bytes)

    def decide(self) -> tuple[Transit | None, list[Transit]]:
        """Let go of the packet that has been sent, and begin with the next."""
        transit, size_bytes = self._held.popleft()
        self._size_bytes -= size_bytes
        transit.due_s = self.decides_s
        if self._held:
            self._begin(self.decides_s, self._held[0][1])
        else:
            self.decides_s = math.inf
        return transit, []

    def reschedule(
        self,
        spec: RateSpec,
        steps: Sequence[RateStep],
        queues: Sequence[tuple[float, RateSpec]],
        now_s: float,
    ) -> None:
        """Have another rate and other limits from now on; what is being sent goes on at the new rate."""
        before, self._capacity = self._capacity, Capacity(spec.rate_bytes_per_s, steps)
        self.spec, self._queues = spec, deque(queues)
        while self._queues and self._queues[0][0] <= now_s:
            self.spec = self._queues.popleft()[1]
        if self._held:
            left_bytes = self._left_bytes - before.passed_bytes(self._since_s, now_s)
            self._begin(max(now_s, self._since_s), max(left_bytes, 0.0))
