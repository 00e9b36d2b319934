"""A link that keeps its packets in order, for where tens of thousands of them come each second."""

from collections import Counter, deque
from collections.abc import Iterable

from simlab.core.impair.delay import ConstantDelayStage
from simlab.core.impair.held_rate import HeldRateStage
from simlab.core.impair.loss import BernoulliSpec, BernoulliStage, GilbertElliottStage
from simlab.core.impair.rate import HEADER_BYTES, RateSpec
from simlab.core.link import Link
from simlab.core.packet import Packet, PacketClass, Transit, classify

Entry = tuple[float, float, object, bytes, PacketClass, int, int]
"""A packet under way: when it is due, when it arrived, its tag, payload, class, ``seq`` and ``nth``."""
Loss = BernoulliStage | GilbertElliottStage


class StraightLink:
    """Stand in for a link that has a bottleneck, loss and a constant delay at most, and nothing held.

    What becomes of each packet is the same as in the link, whose numbers of packets it goes on with and to
    which it gives back what is under way. There is no object for a packet without loss, and no heap:
    packets leave in the order in which they came.

    Parameters
    ----------
    rate, loss, delay_s
        What the link's stages do, in this order.
    dropped
        Where drops are counted, by their causes.
    """

    def __init__(
        self,
        link: Link,
        rate: HeldRateStage | None,
        loss: Loss | None,
        delay_s: float,
        dropped: Counter[str],
    ) -> None:
        self.link = link
        self._rate, self.loss, self.delay_s = rate, loss, delay_s
        self._dropped = dropped
        self._rate_bytes_per_s = None if rate is None else rate.spec.rate_bytes_per_s
        self._queue: deque[Entry] = deque()
        # What is in the bottleneck: when its sending begins and ends, and its size.
        self._held: deque[tuple[float, float, int]] = deque()
        self._held_bytes = 0
        self._busy_until_s = -1.0

    @staticmethod
    def of(link: Link, dropped: Counter[str]) -> "StraightLink | None":
        """Return what may stand in for a link from now on; None if it does more, or packets wait in it.

        Packets that are past the link's stages stay there.
        """
        rate: HeldRateStage | None = None
        loss: Loss | None = None
        delay_s = 0.0
        for place, stage in enumerate(link.stages, start=1):
            if isinstance(stage, HeldRateStage) and place == 1 and stage.is_steady and not len(stage):
                rate = stage
            elif isinstance(stage, Loss) and loss is None:
                loss = None if stage.spec == BernoulliSpec(0.0) else stage
            elif isinstance(stage, ConstantDelayStage) and place == len(link.stages):
                delay_s = stage.spec.mean_s
            else:
                return None
        return StraightLink(link, rate, loss, delay_s, dropped)

    @property
    def rate_spec(self) -> RateSpec | None:
        """The bottleneck that it has."""
        return None if self._rate is None else self._rate.spec

    def __len__(self) -> int:
        """Return how many packets are on their way."""
        return len(self._queue)

    @property
    def due_s(self) -> float | None:
        """When the next packet is due; None if there is none."""
        return self._queue[0][0] if self._queue else None

    def receive(self, payload: bytes, now_s: float, tag: object) -> bool:
        """Take in a packet: see ``Link.receive``. Returns whether there was room, as there always is."""
        link = self.link
        kind, seen, seq = classify(payload), link.seen, link.offered
        nth = seen.get(kind, 0)
        seen[kind] = nth + 1
        link.offered = seq + 1
        sent_s = now_s
        rate_bytes_per_s = self._rate_bytes_per_s
        if rate_bytes_per_s is not None:
            size_bytes = len(payload) + HEADER_BYTES
            if self._busy_until_s <= now_s:
                self._held.clear()
                self._held_bytes = 0
                start_s = now_s
            elif self._fits(size_bytes, now_s):
                start_s = self._busy_until_s
            else:
                self._dropped[HeldRateStage.name] += 1
                return True
            sent_s = self._busy_until_s = start_s + size_bytes / rate_bytes_per_s
            self._held.append((start_s, sent_s, size_bytes))
            self._held_bytes += size_bytes
        self._queue.append((sent_s + self.delay_s, now_s, tag, payload, kind, seq, nth))
        return True

    def _let_go(self, now_s: float) -> None:
        """Forget what the bottleneck has sent."""
        held = self._held
        while held and held[0][1] <= now_s:
            self._held_bytes -= held.popleft()[2]

    def _fits(self, size_bytes: int, now_s: float) -> bool:
        self._let_go(now_s)
        assert self._rate is not None
        assert self._rate_bytes_per_s is not None
        spec = self._rate.spec
        start_s, _, head_bytes = self._held[0]
        if spec.queue_bytes is not None and self._held_bytes - head_bytes + size_bytes > spec.queue_bytes:
            return False
        if spec.queue_packets is not None and len(self._held) > spec.queue_packets:
            return False
        wait_s = start_s + self._held_bytes / self._rate_bytes_per_s - now_s
        return spec.may_wait(wait_s)

    def release(self, now_s: float) -> list[Entry]:
        """Return the packets due at ``now_s`` or before, in order."""
        queue, loss = self._queue, self.loss
        due: list[Entry] = []
        while queue and queue[0][0] <= now_s:
            entry = queue.popleft()
            if loss is None or self._passes(loss, _packet(entry)):
                due.append(entry)
        return due

    def _passes(self, loss: Loss, packet: Packet) -> bool:
        if loss.loses(packet):
            self._dropped[loss.name] += 1
            return False
        return True

    def hold(self, until_s: float) -> None:
        """Do nothing: whoever asks for what is due can wait with that."""

    def harvest(self) -> None:
        """Return nothing: everything is counted as it happens."""

    def resume(self, entries: Iterable[Entry], held: Iterable[tuple[float, float, int]]) -> None:
        """Go on with packets that are under way; the last of them are in the bottleneck.

        Parameters
        ----------
        held
            When the sending of those begins and ends, and their sizes with headers, in bytes.
        """
        self._queue.extend(entries)
        self._held.extend(held)
        self._held_bytes = sum(size_bytes for _, _, size_bytes in self._held)

    def give_back(self, now_s: float) -> None:
        """Put what is under way into the link, which goes on from there."""
        self._let_go(now_s)
        transits = [Transit(_packet(entry), entry[0], entry[3]) for entry in self._queue]
        past = len(transits) - len(self._held)
        for transit in transits[:past]:
            if self.loss is None or self._passes(self.loss, transit.packet):
                self.link.put(transit)
        if self._held:
            assert self._rate is not None
            self._rate.hold_again(transits[past:], self._held[0][0])
        self._queue.clear()
        self._held.clear()
        self._held_bytes = 0


def _packet(entry: Entry) -> Packet:
    _, arrived_s, tag, payload, kind, seq, nth = entry
    return Packet(seq, arrived_s, payload, kind, tag, nth)
