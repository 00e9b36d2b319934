"""One direction of the network: stages in a row, then a queue ordered by due time."""

import heapq
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Protocol

from simlab.core.packet import Packet, PacketClass, Transit, classify


class Stage(Protocol):
    """One impairment: a transit goes in; none, one or two come out."""

    @property
    def name(self) -> str:
        """What a drop by this stage is called in the timeline."""

    def apply(self, transit: Transit) -> tuple[Transit, ...]:
        """Decide what becomes of a transit. ``()`` drops it."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """A packet, or a copy of it, that a stage took out of the link."""

    at_s: float
    seq: int
    kind: PacketClass
    size: int
    cause: str


@dataclass(slots=True)  # not frozen, for the same reason as Packet
class Delivered:
    """A packet that left the link.

    ``sent_s - due_s`` is the error of the clock's shell, never negative.
    """

    due_s: float
    sent_s: float
    arrived_s: float
    seq: int
    kind: PacketClass
    payload: bytes
    tag: object = None


class Link:
    """Carry packets in one direction. It never asks what time it is and never does I/O.

    Parameters
    ----------
    stages
        Applied to every packet in this order.
    """

    def __init__(self, stages: Sequence[Stage]) -> None:
        self.stages = tuple(stages)
        self.offered = 0
        self.delivered = 0
        self.dropped: Counter[str] = Counter()
        self._queue: list[tuple[float, int, Transit]] = []
        self._ties = count()

    def receive(self, payload: bytes, now_s: float, tag: object = None) -> list[Dropped]:
        """Take in a packet, and say what was dropped of it at once.

        Parameters
        ----------
        payload
            The UDP payload.
        now_s
            Seconds since the session began; never less than in an earlier call.
        tag
            Whatever the caller wants back with the packet, such as its addresses.
        """
        packet = Packet(self.offered, now_s, payload, classify(payload), tag)
        self.offered += 1
        transits: tuple[Transit, ...] = (Transit(packet, now_s, payload),)
        drops: list[Dropped] = []
        for stage in self.stages:
            transits = self._pass(stage, transits, drops)
            if not transits:
                return drops
        for transit in transits:
            heapq.heappush(self._queue, (transit.due_s, next(self._ties), transit))
        return drops

    def _pass(self, stage: Stage, transits: tuple[Transit, ...], drops: list[Dropped]) -> tuple[Transit, ...]:
        if len(transits) == 1:
            kept = stage.apply(transits[0])
            if not kept:
                drops.append(self._drop(transits[0].packet, stage.name))
            return kept
        return sum((self._pass(stage, (transit,), drops) for transit in transits), ())

    def _drop(self, packet: Packet, cause: str) -> Dropped:
        self.dropped[cause] += 1
        return Dropped(packet.arrived_s, packet.seq, packet.kind, len(packet.payload), cause)

    def next_due_s(self) -> float | None:
        """Return when the next packet is due, or None when none is on its way."""
        return self._queue[0][0] if self._queue else None

    def release(self, now_s: float) -> list[Delivered]:
        """Return the packets due at ``now_s`` or before, in order of due time, then of arrival."""
        out: list[Delivered] = []
        while self._queue and self._queue[0][0] <= now_s:
            due_s, _, transit = heapq.heappop(self._queue)
            p = transit.packet
            out.append(Delivered(due_s, now_s, p.arrived_s, p.seq, p.kind, transit.payload, p.tag))
        self.delivered += len(out)
        return out

    def __len__(self) -> int:
        """Return how many packets are on their way."""
        return len(self._queue)
