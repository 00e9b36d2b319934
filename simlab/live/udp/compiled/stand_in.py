"""What stands in for a link in the compiled loop: a ``StraightLink`` whose packets lie in NumPy arrays."""

import math
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from simlab.core.impair.loss import BernoulliStage
from simlab.core.impair.rate import HEADER_BYTES
from simlab.core.packet import Direction
from simlab.core.straight import Entry, StraightLink
from simlab.live.udp.compiled.layout import DOWN, DRAWS, KINDS, PACKET, SLOT_BYTES, SLOTS, UP, WAY
from simlab.live.udp.compiled.link import admit, release
from simlab.live.udp.compiled.room import Room
from simlab.live.udp.flows import Flow
from simlab.live.udp.tally import BINS


class Arrays:
    """The packets of both directions."""

    def __init__(self, room: Room) -> None:
        self.ways = room.zeros(2, WAY)
        self.counts = room.zeros((2, 2, BINS), np.int64)
        """Of delays and errors of each direction."""
        self.packets = room.zeros((2, SLOTS), PACKET)
        self.draws = room.zeros((2, len(KINDS), DRAWS), np.float64)
        self.payloads = room.zeros((2, SLOTS, SLOT_BYTES), np.uint8)

    @property
    def all(self) -> tuple[Any, ...]:
        """In the order in which the compiled loop wants them."""
        return self.ways, self.packets, self.payloads, self.draws, self.counts


@dataclass(frozen=True)
class Known:
    """The flows that the compiled loop knows, by their numbers, and what it has of each."""

    flows: list[Flow]
    places: dict[Flow, int]
    rows: Any


def clocks(room: Room) -> tuple[Any, Any]:
    """Return a struct timespec, and another."""
    return room.zeros(2, np.int64), room.zeros(2, np.int64)


@dataclass
class Harvest:
    """What the compiled loop has counted since it was asked last, delays and errors as in ``tally``."""

    offered: int
    delivered: int
    delivered_bytes: int
    dropped: Counter[str]
    times: Any


class CompiledLink:
    """Stand in for a link as ``StraightLink`` does; what is due is sent by the compiled loop.

    Parameters
    ----------
    straight
        What would stand in without it; empty.
    known
        The flows, by their numbers.
    """

    def __init__(
        self,
        straight: StraightLink,
        arrays: Arrays,
        direction: Direction,
        zero_s: float,
        known: Known,
    ) -> None:
        self._straight = straight
        self._known = known
        self.is_in_use = True
        """Whether it stands in, still."""
        self._number = UP if direction is Direction.UP else DOWN
        self._way = arrays.ways[self._number]
        self._clock = np.zeros(2, np.int64)
        self._scratch = np.zeros(SLOT_BYTES, np.uint8)
        self._packets = arrays.packets[self._number]
        self._payloads = arrays.payloads[self._number]
        self._draws = arrays.draws[self._number]
        self._counts = arrays.counts[self._number]
        self._begin(zero_s)

    def _begin(self, zero_s: float) -> None:
        way, straight = self._way, self._straight
        spec = straight.rate_spec
        limits = (None,) * 3 if spec is None else (spec.queue_bytes, spec.queue_packets, spec.queue_s)
        way["queue_bytes"], way["queue_packets"], way["queue_s"] = (
            -1 if one is None else one for one in limits
        )
        way["zero_s"] = zero_s
        way["rate_bytes_per_s"] = -1.0 if spec is None else spec.rate_bytes_per_s
        way["delay_s"] = straight.delay_s
        way["loss_chance"] = 0.0 if straight.loss is None else straight.loss.spec.loss_chance
        way["busy_until_s"] = -1.0
        way["head"] = way["tail"] = way["held_head"] = way["held_bytes"] = way["no_room"] = 0
        way["seq"] = straight.link.offered
        way["seen"] = [straight.link.seen.get(kind, 0) for kind in KINDS]
        if straight.loss is not None:
            for number in range(len(KINDS)):
                self._draw(number)

    def _draw(self, number: int) -> None:
        assert isinstance(self._straight.loss, BernoulliStage)
        nth = int(self._way["seen"][number])
        self._draws[number] = self._straight.loss.draws(KINDS[number], nth, DRAWS)
        self._way["draws_from"][number] = nth

    def make_room(self) -> None:
        """Draw numbers for losses where there are none left; go out of use if packets have no room."""
        short = self._way["seen"] - self._way["draws_from"] >= DRAWS
        if self._straight.loss is not None:
            for number in np.nonzero(short)[0].tolist():
                self._draw(number)
        self.is_in_use = self.is_in_use and not self._way["no_room"]

    def receive(self, payload: bytes, now_s: float, tag: Any) -> bool:
        """Take in a packet, if there is room; see ``StraightLink.receive``."""
        place = self._known.places.get(tag)
        if place is None or len(payload) > SLOT_BYTES:
            self.is_in_use = False
            return False
        while self.is_in_use:
            self._scratch[: len(payload)] = np.frombuffer(payload, np.uint8)
            if self._admit(len(payload), place, now_s + float(self._way["zero_s"])):
                self._way["offered"] -= 1  # whoever calls has counted it
                return True
            self.make_room()
        return False

    def _admit(self, size: int, place: int, at_s: float) -> bool:
        arrays = self._way, self._packets, self._payloads, self._draws, self._scratch
        return bool(admit(*arrays, size, place, at_s))

    def prepare(self) -> None:
        """Compile what else is called from here, and begin."""
        self._admit(0, 0, 0.0)
        self.release(math.inf)
        self.harvest()
        self._begin(float(self._way["zero_s"]))

    def release(self, now_s: float) -> list[Entry]:
        """Send what is due, and return nothing."""
        at_s = now_s + float(self._way["zero_s"])
        args = self._packets, self._payloads, self._known.rows, self._counts, self._clock, at_s
        release(self._way, self._number == UP, *args)
        return []

    def __len__(self) -> int:
        """Return how many packets are on their way."""
        return int(self._way["tail"] - self._way["head"])

    @property
    def due_s(self) -> float | None:
        """When the next packet is due; None if there is none."""
        return float(self._packets[int(self._way["head"]) % SLOTS]["due_s"]) if len(self) else None

    def hold(self, until_s: float) -> None:
        """Let nothing leave until then, as ``time.monotonic()`` gives it."""
        self._way["held_until_s"] = until_s

    def harvest(self) -> Harvest:
        """Return what was counted since the last time."""
        way = self._way
        causes = {"loss": "lost", "queue": "dropped_queue", "relay": "dropped_relay", "nat": "dropped_nat"}
        dropped = Counter({cause: int(way[name]) for cause, name in causes.items() if way[name]})
        counts = (int(way["offered"]), int(way["delivered"]), int(way["delivered_bytes"]))
        for name in ("offered", "delivered", "delivered_bytes", *causes.values()):
            way[name] = 0
        times = self._counts.copy()
        self._counts[:] = 0
        return Harvest(*counts, dropped, times)

    def give_back(self, now_s: float) -> None:
        """Put what is under way into the link, which goes on from there."""
        link = self._straight.link
        link.offered = int(self._way["seq"])
        link.seen.update({kind: int(nth) for kind, nth in zip(KINDS, self._way["seen"], strict=True) if nth})
        numbers = range(int(self._way["head"]), int(self._way["tail"]))
        rows = [(self._packets[number % SLOTS], self._payloads[number % SLOTS]) for number in numbers]
        held = [
            row for number, (row, _) in zip(numbers, rows, strict=True) if number >= self._way["held_head"]
        ]
        self._straight.resume(
            [self._entry(*row) for row in rows],
            [(float(row["start_s"]), float(row["sent_s"]), int(row["size"]) + HEADER_BYTES) for row in held],
        )
        self._way["head"] = self._way["tail"] = self._way["held_head"] = 0
        self.is_in_use = False
        self._straight.give_back(now_s)

    def _entry(self, row: Any, payload: Any) -> Entry:
        flow, data = self._known.flows[int(row["flow"])], payload[: int(row["size"])].tobytes()
        kind, seq, nth = KINDS[int(row["kind"])], int(row["seq"]), int(row["nth"])
        return float(row["due_s"]), float(row["arrived_s"]), flow, data, kind, seq, nth
