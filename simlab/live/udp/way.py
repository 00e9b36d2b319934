"""One direction of the relay: its links, and what is told of them."""

import math
from array import array
from collections import Counter
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np

from simlab.core.link import Dropped, Link
from simlab.core.packet import Direction
from simlab.core.straight import StraightLink
from simlab.live.udp.flows import Flow, Paths
from simlab.live.udp.tally import BINS, Tally, counted
from simlab.profile.faults import Fault
from simlab.profile.live import LiveStages, may_stay
from simlab.profile.scenario import Scenario

if TYPE_CHECKING:
    from simlab.live.capture import LinkCapture
    from simlab.live.udp.compiled.lane import Lane
    from simlab.live.udp.compiled.stand_in import CompiledLink

Send = Callable[[Any, bytes], str | None]
"""Sends a payload; returns the cause if it is lost."""


class Way:
    """Carry the packets of one direction.

    Parameters
    ----------
    zero_s
        When the scenario begins, as ``time.monotonic()`` gives it.
    capture
        Shown all packets, by the time of ``time.monotonic()``.
    lane
        Where packets may go the compiled way.
    """

    def __init__(
        self,
        scenario: Scenario,
        direction: Direction,
        zero_s: float,
        send: Send,
        capture: "LinkCapture | None" = None,
        lane: "Lane | None" = None,
    ) -> None:
        self._lane = lane
        self._direction = direction
        self._send = send
        self._capture = capture
        self.held_until_s = -math.inf
        """Until when nothing leaves, as ``time.monotonic()`` gives it: a pause."""
        self.offered = 0
        self.delivered = 0
        self.delivered_bytes = 0
        self.dropped: Counter[str] = Counter()
        self._delays_s = array("f")
        self._errors_s = array("f")
        self._told_delay, self._told_error = self._delays_s.append, self._errors_s.append
        self.tally = Tally()
        """The delays of its packets and how late they left, up to the last second."""
        self._counts = np.zeros((2, BINS), np.int64)  # of delays and errors that are counted already
        self._draining: list[tuple[Link, float]] = []
        self._straight: StraightLink | CompiledLink | None = None
        self.due_s = math.inf
        """When there is something to do next, as ``time.monotonic()`` gives it."""
        self._begin(scenario, zero_s)

    def load(self, scenario: Scenario, zero_s: float) -> None:
        """Put the packets that come from now on through links of another scenario."""
        self._bend()
        if len(self._link):
            self._draining.append((self._link, self._zero_s))
        self._begin(scenario, zero_s)

    def _begin(self, scenario: Scenario, zero_s: float) -> None:
        self._zero_s = zero_s
        self._shown = None if self._capture is None else self._capture.of_time(zero_s)
        self._live = LiveStages(scenario, self._direction)
        self._link = Link(self._live.stages)
        self._straighten()

    def _straighten(self) -> None:
        """Go the short way, if there is one and nobody looks at each packet."""
        if self._straight is not None or self._capture is not None:
            return
        straight = StraightLink.of(self._link, self.dropped)
        if straight is not None and len(self._link):
            self._draining.append((self._link, self._zero_s))
            self._link = self._link.successor(self._link.stages)
            straight = StraightLink.of(self._link, self.dropped)
        self._straight = straight
        if straight is not None and self._lane is not None:
            self._straight = self._lane.stand_in(straight, self._direction, self._zero_s)
            self._straight.hold(self.held_until_s)

    def _bend(self) -> None:
        """Let the link go on by itself."""
        if self._straight is not None:
            self._harvest()
            self._straight.give_back(self._now_s())
            self._straight = None

    def _harvest(self) -> None:
        """Take over what the compiled loop has counted."""
        if self._straight is None or (found := self._straight.harvest()) is None:
            return
        self.offered += found.offered
        self.delivered += found.delivered
        self.delivered_bytes += found.delivered_bytes
        self.dropped += found.dropped
        self._counts += found.times

    @property
    def is_draining(self) -> bool:
        """Whether links of before have packets, still."""
        return bool(self._draining)

    def hold(self, until_s: float) -> None:
        """Let nothing leave until then, as ``time.monotonic()`` gives it: a pause."""
        self.held_until_s = until_s
        if self._straight is not None:
            self._straight.hold(until_s)
        self.due_s = monotonic()

    def change(self, scenario: Scenario) -> None:
        """Have the link's settings of another scenario; see ``LiveStages.change``."""
        self._live.change(scenario, self._now_s())
        self._restage()

    def add(self, fault: Fault) -> None:
        """Let a fault happen, at its time of the scenario."""
        self._live.add(fault)
        self._restage()

    def remove(self, fault: Fault) -> None:
        """Let it happen no more."""
        self._live.remove(fault)
        self._restage()

    def _now_s(self) -> float:
        return monotonic() - self._zero_s

    def _restage(self) -> None:
        self._bend()
        stages = self._live.stages
        if may_stay(self._link, stages):
            self._link.restage(stages)
        else:
            self._draining.append((self._link, self._zero_s))
            self._link = self._link.successor(stages)
        self._straighten()
        self.due_s = monotonic()  # whatever it was, it may be another

    def take(self, payload: bytes, flow: Flow) -> float:
        """Take in a packet, and return when that was. Nothing leaves before the next ``release``."""
        now_s = monotonic()
        self.offered += 1
        if self._straight is not None:
            if self._straight.receive(payload, now_s - self._zero_s, flow):
                return now_s
            self._bend()
        link = self._link
        drops = link.receive(payload, now_s - self._zero_s, flow)
        if drops:
            self._count(drops)
        if self._shown is not None:
            self._shown.entered(now_s - self._zero_s, payload, flow, link.offered - 1, drops)
        return now_s

    def refuse(self, payload: bytes, sent: Paths | Flow, cause: str) -> None:
        """Count a packet that comes to the relay and not to the link."""
        self.offered += 1
        self.dropped[cause] += 1
        if self._capture is not None:
            self._capture.refused(monotonic(), payload, sent, cause)

    def _count(self, drops: list[Dropped]) -> None:
        for drop in drops:
            self.dropped[drop.cause] += 1

    def _count_late(self, link: Link, zero_s: float) -> None:
        drops = link.late_drops()
        self._count(drops)
        if self._capture is not None:
            self._capture.of_time(zero_s).late(drops)

    def release(self, now_s: float) -> None:
        """Send what is due."""
        if now_s < self.held_until_s:
            self.due_s = self.held_until_s
            return
        straight = self._straight
        if self._draining:
            self._drain(now_s)
        if straight is not None:
            self._send_straight(straight, now_s)
            due_s = straight.due_s
        else:
            self._send_all(self._link, self._zero_s, now_s)
            due_s = self._link.next_due_s()
        self.due_s = math.inf if due_s is None else due_s + self._zero_s
        for draining, its_zero_s in self._draining:
            due_s = draining.next_due_s()
            if due_s is not None:
                self.due_s = min(self.due_s, due_s + its_zero_s)

    def _send_straight(self, straight: "StraightLink | CompiledLink", now_s: float) -> None:
        zero_s, send = self._zero_s, self._send
        for due_s, arrived_s, flow, payload, _, _, _ in straight.release(now_s - zero_s):
            cause = send(flow, payload)
            if cause is not None:
                self.dropped[cause] += 1
                continue
            sent_s = monotonic() - zero_s
            held_s = self.held_until_s - zero_s
            self.delivered += 1
            self.delivered_bytes += len(payload)
            self._told_delay(sent_s - arrived_s)
            self._told_error(sent_s - max(due_s, held_s))

    def _send_all(self, link: Link, zero_s: float, now_s: float) -> None:
        packets = link.release(now_s - zero_s)
        if not packets:
            return
        send, delay, error = self._send, self._told_delay, self._told_error
        held_s = self.held_until_s - zero_s
        capture = self._capture
        for packet in packets:
            flow: Any = packet.tag
            payload, due_s = packet.payload, packet.due_s
            cause = send(flow, payload)
            if cause is not None:
                self.dropped[cause] += 1
                if capture is not None:
                    capture.lost(monotonic(), packet, cause)
                continue
            sent_s = monotonic() - zero_s
            if capture is not None:
                capture.left(sent_s + zero_s, packet)
            self.delivered += 1
            self.delivered_bytes += len(payload)
            delay(sent_s - packet.arrived_s)
            error(sent_s - max(due_s, held_s))

    def _drain(self, now_s: float) -> None:
        for link, zero_s in self._draining:
            self._send_all(link, zero_s, now_s)
            self._count_late(link, zero_s)
        self._draining = [(link, zero_s) for link, zero_s in self._draining if len(link)]

    @property
    def under_way(self) -> int:
        """How many packets are on their way."""
        straight = 0 if self._straight is None else len(self._straight)
        return straight + len(self._link) + sum(len(link) for link, _ in self._draining)

    def counts(self) -> dict[str, Any]:
        """Return the counts so far."""
        self._harvest()
        for link, zero_s in ((self._link, self._zero_s), *self._draining):
            self._count_late(link, zero_s)
        return {
            "offered": self.offered,
            "delivered": self.delivered,
            "bytes": self.delivered_bytes,
            "dropped": dict(sorted(self.dropped.items())),
            "under_way": self.under_way,
        }

    def next_second(self) -> None:
        """Make what has been counted of delays and errors that of the last second, in ``tally``."""
        self._harvest()
        self._straighten()
        if self._delays_s:
            times_s = self._delays_s, self._errors_s
            self._counts += [counted(np.frombuffer(one, np.float32)) for one in times_s]
            self._delays_s, self._errors_s = array("f"), array("f")
            self._told_delay, self._told_error = self._delays_s.append, self._errors_s.append
        self.tally.take(*self._counts)
        self._counts[:] = 0
