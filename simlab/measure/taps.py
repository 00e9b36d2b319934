"""What goes into each stage of a link, and what comes out of it."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

from simlab.core.link import HoldingStage, Link, Stage
from simlab.core.packet import Packet, Transit


@dataclass(slots=True)
class Passage:
    """A packet, or a copy of it, at one stage.

    Parameters
    ----------
    due_s
        When it would have left before the stage.
    payload
        As it came in.
    left
        When each copy that came out would leave, and its payload; nothing if it was dropped.
    """

    packet: Packet
    due_s: float
    payload: bytes
    left: tuple[tuple[float, bytes], ...]

    @property
    def lost(self) -> bool:
        """Whether it was dropped."""
        return not self.left

    @property
    def left_s(self) -> float:
        """When it left; infinity if it was dropped."""
        return self.left[0][0] if self.left else math.inf


class Tap:
    """Stand around a stage, change nothing, and write down what passes.

    Parameters
    ----------
    most
        The number in the link, from 0, of the first packet that is not written down.
    """

    def __init__(self, stage: Any, most: float = math.inf) -> None:
        self.stage = stage
        self.passages: list[Passage] = []
        self._most = most
        if hasattr(stage, "note"):
            self.note = stage.note

    @property
    def name(self) -> str:
        """The cause of the stage's drops."""
        name: str = self.stage.name
        return name

    def apply(self, transit: Transit) -> tuple[Transit, ...]:
        """Let the stage decide, and write it down."""
        if transit.packet.seq >= self._most:
            decided: tuple[Transit, ...] = self.stage.apply(transit)
            return decided
        passage = Passage(transit.packet, transit.due_s, transit.payload, ())
        self.passages.append(passage)
        out: tuple[Transit, ...] = self.stage.apply(transit)
        if len(out) == 1:  # as mostly
            passage.left = ((out[0].due_s, out[0].payload),)
        else:
            passage.left = tuple((one.due_s, one.payload) for one in out)
        return out


class HoldingTap:
    """The same around a stage that keeps packets."""

    def __init__(self, stage: HoldingStage, most: float = math.inf) -> None:
        self.stage = stage
        self._most = most
        self.passages: list[Passage] = []
        self._held: dict[int, Passage] = {}

    @property
    def name(self) -> str:
        """The cause of the stage's drops."""
        return self.stage.name

    @property
    def decides_s(self) -> float:
        """When the stage decides next."""
        return self.stage.decides_s

    def __len__(self) -> int:
        """Return how many packets the stage holds."""
        return len(self.stage)

    def hold(self, transit: Transit) -> bool:
        """Give the stage a packet."""
        if transit.packet.seq >= self._most:
            return self.stage.hold(transit)
        passage = Passage(transit.packet, transit.due_s, transit.payload, ())
        self.passages.append(passage)
        if self.stage.hold(transit):
            self._held[id(transit)] = passage
            return True
        return False

    def decide(self) -> tuple[Transit | None, list[Transit]]:
        """Let the stage decide, and write it down."""
        kept, dropped = self.stage.decide()
        for transit in dropped:
            self._held.pop(id(transit), None)
        if kept is not None and (passage := self._held.pop(id(kept), None)) is not None:
            passage.left = ((kept.due_s, kept.payload),)
        return kept, dropped


def tapped(stages: Iterable[Stage | HoldingStage], most: float = math.inf) -> list[Tap | HoldingTap]:
    """Put a tap around each stage."""
    return [
        HoldingTap(cast(HoldingStage, stage), most) if hasattr(stage, "hold") else Tap(stage, most)
        for stage in stages
    ]


def drive(link: Link, sent: Iterable[tuple[float, bytes]]) -> None:
    """Send a flow through a link."""
    for at_s, payload in sent:
        while (due_s := link.next_due_s()) is not None and due_s <= at_s:
            link.release(due_s)
        link.receive(payload, at_s)


def drain(link: Link) -> None:
    """Let out what is still on its way."""
    while (due_s := link.next_due_s()) is not None:
        link.release(due_s)
