"""One direction of the network: stages in a row, then a queue ordered by due time."""

import heapq
import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Protocol, cast

from simlab.core.packet import Packet, PacketClass, Transit, classify


class Stage(Protocol):
    """One impairment: a transit goes in; none, one or two come out.

    A stage that has a method ``note(packet)`` is shown every packet as it enters the link, those too that
    an earlier stage drops.
    """

    @property
    def name(self) -> str:
        """What a drop by this stage is called in the timeline."""

    def apply(self, transit: Transit) -> tuple[Transit, ...]:
        """Decide what becomes of a transit. ``()`` drops it."""


class HoldingStage(Protocol):
    """A stage that keeps packets and decides about each later, as a queue with active management does.

    It keeps them in the order in which they came.
    """

    @property
    def name(self) -> str:
        """What a drop by this stage is called in the timeline."""

    def hold(self, transit: Transit) -> bool:
        """Take in a transit; False drops it."""

    @property
    def decides_s(self) -> float:
        """When it decides next; infinity while it holds nothing."""

    def decide(self) -> tuple[Transit | None, list[Transit]]:
        """Let go of what is due at ``decides_s``: at most one transit, and those that are dropped."""

    def __len__(self) -> int:
        """Return how many packets it holds."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """A packet, or a copy of it, that a stage took out of the link.

    Two are the same whatever ``packet`` they carry.
    """

    at_s: float
    seq: int
    kind: PacketClass
    size: int
    cause: str
    packet: Packet | None = field(default=None, compare=False, repr=False)


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
        Applied to every packet in this order. One of them may be a ``HoldingStage``.

    Raises
    ------
    ValueError
        If there is more than one holding stage.
    """

    def __init__(self, stages: Sequence[Stage | HoldingStage]) -> None:
        self.offered = 0
        self.delivered = 0
        self.dropped: Counter[str] = Counter()
        self.added: Counter[str] = Counter()
        """How many copies each stage has made; what is injected is no copy."""
        self.corrupted = 0
        """How many have left with another payload than they came with."""
        self._queue: list[tuple[float, int, Transit]] = []
        self._ties = count()
        self.seen: dict[PacketClass, int] = {}
        """How many packets of each class have entered."""
        self._late_drops: list[Dropped] = []
        self.restage(stages)

    def restage(self, stages: Sequence[Stage | HoldingStage]) -> None:
        """Put the packets that come from now on through other stages.

        What is on its way arrives as it would have. A holding stage that has packets must stay: see
        ``successor``.

        Raises
        ------
        ValueError
            If there is more than one holding stage.
        """
        self.stages = tuple(stages)
        notes = [getattr(stage, "note", None) for stage in self.stages]
        self._notes: list[Callable[[Packet], None]] = [note for note in notes if note is not None]
        self._front, self._holding, self._back = _split(self.stages)

    def successor(self, stages: Sequence[Stage | HoldingStage]) -> "Link":
        """Return a link that counts and numbers packets on from this one, which may still have some to give.

        Raises
        ------
        ValueError
            If there is more than one holding stage.
        """
        link = Link(stages)
        link.offered, link.seen = self.offered, self.seen
        return link

    def receive(self, payload: bytes, now_s: float, tag: object = None) -> list[Dropped]:
        """Take in a packet, and say what was dropped of it at once.

        What a holding stage dropped since the last call is returned, too.

        Parameters
        ----------
        payload
            The UDP payload.
        now_s
            Seconds since the session began; never less than in an earlier call.
        tag
            Whatever the caller wants back with the packet, such as its addresses.
        """
        kind, seen, seq = classify(payload), self.seen, self.offered
        nth = seen.get(kind, 0)
        seen[kind] = nth + 1
        packet = Packet(seq, now_s, payload, kind, tag, nth)
        self.offered = seq + 1
        if self._notes:
            for note in self._notes:
                note(packet)
        transit = Transit(packet, now_s, payload)
        if self._holding is not None:
            return self._receive_held(self._holding, (transit,), now_s)
        return self._pass(self._front, transit)

    def _pass(self, stages: list[Stage], transit: Transit) -> list[Dropped]:
        """Go the way of ``_carry``, as long as nothing is dropped or doubled."""
        for stage in stages:
            kept = stage.apply(transit)
            if len(kept) != 1:
                return self._carry_on(stages, stage, transit, kept)
            transit = kept[0]
        heapq.heappush(self._queue, (transit.due_s, next(self._ties), transit))
        return []

    def _carry_on(
        self, stages: list[Stage], stage: Stage, transit: Transit, kept: tuple[Transit, ...]
    ) -> list[Dropped]:
        """Go on behind a stage which dropped or doubled a transit."""
        drops: list[Dropped] = []
        if kept:
            self._count_copies(stage, transit.packet, kept)
            self._carry(stages[stages.index(stage) + 1 :], kept, drops)
        else:
            drops.append(self._drop(transit.packet, transit.packet.arrived_s, stage.name))
        return drops

    def _receive_held(
        self, holding: HoldingStage, transits: tuple[Transit, ...], now_s: float
    ) -> list[Dropped]:
        if holding.decides_s <= now_s:
            self._decide(holding, now_s)
        drops, self._late_drops = self._late_drops, []
        if self._front:
            transits = self._through(self._front, transits, drops)
        for transit in transits:
            if not holding.hold(transit):
                drops.append(self._drop(transit.packet, transit.packet.arrived_s, holding.name))
        if holding.decides_s <= now_s:
            self._decide(holding, now_s)
        return drops

    def _decide(self, holding: HoldingStage, now_s: float) -> None:
        while (at_s := holding.decides_s) <= now_s:
            kept, dropped = holding.decide()
            if dropped:
                self._late_drops += [self._drop(transit.packet, at_s, holding.name) for transit in dropped]
            if kept is not None:
                self._late_drops += self._pass(self._back, kept)

    def put(self, transit: Transit) -> None:
        """Take in what is past all stages already, and due at ``transit.due_s``."""
        heapq.heappush(self._queue, (transit.due_s, next(self._ties), transit))

    def late_drops(self) -> list[Dropped]:
        """Return what a holding stage has dropped since anybody was told."""
        drops, self._late_drops = self._late_drops, []
        return drops

    def _carry(self, stages: Sequence[Stage], transits: tuple[Transit, ...], drops: list[Dropped]) -> None:
        for transit in self._through(stages, transits, drops):
            heapq.heappush(self._queue, (transit.due_s, next(self._ties), transit))

    def _through(
        self, stages: Sequence[Stage], transits: tuple[Transit, ...], drops: list[Dropped]
    ) -> tuple[Transit, ...]:
        for stage in stages:
            if len(transits) == 1:
                kept = stage.apply(transits[0])
                if not kept:
                    drops.append(self._drop(transits[0].packet, transits[0].packet.arrived_s, stage.name))
                    return ()
                if len(kept) > 1:
                    self._count_copies(stage, transits[0].packet, kept)
                transits = kept
            else:
                transits = sum((self._through((stage,), (one,), drops) for one in transits), ())
        return transits

    def _count_copies(self, stage: Stage, packet: Packet, kept: tuple[Transit, ...]) -> None:
        copies = sum(one.packet is packet for one in kept) - 1
        if copies:
            self.added[stage.name] += copies

    def _drop(self, packet: Packet, at_s: float, cause: str) -> Dropped:
        self.dropped[cause] += 1
        return Dropped(at_s, packet.seq, packet.kind, len(packet.payload), cause, packet)

    def next_due_s(self) -> float | None:
        """Return when the next packet is due, or a held one is decided about; None when neither is coming."""
        due_s = self._queue[0][0] if self._queue else math.inf
        if self._holding is not None:
            due_s = min(due_s, self._holding.decides_s)
        return None if due_s == math.inf else due_s

    def release(self, now_s: float) -> list[Delivered]:
        """Return the packets due at ``now_s`` or before, in order of due time, then of arrival."""
        holding = self._holding
        if holding is not None and holding.decides_s <= now_s:
            self._decide(holding, now_s)
        out: list[Delivered] = []
        queue = self._queue
        while queue and queue[0][0] <= now_s:
            due_s, _, transit = heapq.heappop(queue)
            p, payload = transit.packet, transit.payload
            if payload is not p.payload and payload != p.payload:
                self.corrupted += 1
            out.append(Delivered(due_s, now_s, p.arrived_s, p.seq, p.kind, payload, p.tag))
        self.delivered += len(out)
        return out

    def __len__(self) -> int:
        """Return how many packets are on their way."""
        return len(self._queue) + (0 if self._holding is None else len(self._holding))


def _split(
    stages: Sequence[Stage | HoldingStage],
) -> tuple[list[Stage], HoldingStage | None, list[Stage]]:
    """Return the stages before the holding one, that one, and those behind it."""
    front: list[Stage] = []
    back: list[Stage] = []
    holding: HoldingStage | None = None
    for stage in stages:
        if hasattr(stage, "hold"):
            if holding is not None:
                raise ValueError("a link can have one holding stage only")
            holding = cast(HoldingStage, stage)
        else:
            (front if holding is None else back).append(stage)
    return front, holding, back
