"""One direction of one client's network, whose settings change while packets are on their way."""

import math
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import trio

from simlab.core.link import Delivered, Link
from simlab.core.meter import LinkMeter
from simlab.core.packet import Direction
from simlab.core.timeline import Recorder
from simlab.live.shell import LinkShell
from simlab.live.timer import Timer, finest_timer
from simlab.profile.faults import Fault
from simlab.profile.live import LiveStages, may_stay
from simlab.profile.scenario import Scenario

if TYPE_CHECKING:
    from simlab.live.capture import LinkCapture

_POLL_S = 0.05


class Way:
    """Carry the packets of one client in one direction.

    Parameters
    ----------
    zero_s
        When the time of ``record`` began, as ``time.monotonic()`` gives it.
    send
        Sends a packet on.
    left
        Called with each packet that has been sent.
    """

    def __init__(
        self,
        nursery: trio.Nursery,
        record: Recorder,
        direction: Direction,
        zero_s: float,
        send: Callable[[Delivered], None],
        left: Callable[[Delivered], None],
    ) -> None:
        self._nursery = nursery
        self._record = record
        self._direction = direction
        self._zero_s = zero_s
        self._send = send
        self._left = left
        self._links: list[Link] = []
        self._past_delivered = 0
        self._past_dropped: Counter[str] = Counter()
        self._past_added: Counter[str] = Counter()
        self._past_corrupted = 0
        self._shells: list[tuple[LinkShell, float]] = []
        self._capture: LinkCapture | None = None
        self._scope: trio.CancelScope | None = None
        self._live: LiveStages | None = None
        self._began_s = 0.0
        self._held_until_s = -math.inf

    def load(self, scenario: Scenario, began_s: float) -> None:
        """Put the packets that come from now on through the links of a scenario; others arrive as before.

        Parameters
        ----------
        began_s
            When the scenario's own time begins: its profile was loaded then.
        """
        self._live, self._began_s = LiveStages(scenario, self._direction), began_s
        link = Link(self._live.stages)
        if self._links:
            link.offered = self._links[-1].offered
        self._begin(link)

    def change(self, scenario: Scenario) -> None:
        """Have the link's settings of another scenario; see ``LiveStages.change``."""
        self._stages.change(scenario, self._record.now_s() - self._began_s)
        self._restage()

    def add(self, fault: Fault) -> None:
        """Let a fault happen, at its time of the scenario."""
        self._stages.add(fault)
        self._restage()

    def remove(self, fault: Fault) -> None:
        """Let it happen no more."""
        self._stages.remove(fault)
        self._restage()

    def hold(self, until_s: float) -> None:
        """Let nothing leave until then, by the time of ``record``."""
        self._held_until_s = until_s
        for shell, began_s in self._shells:
            shell.hold(until_s - began_s)

    @property
    def _stages(self) -> LiveStages:
        assert self._live is not None
        return self._live

    def _restage(self) -> None:
        link, stages = self._links[-1], self._stages.stages
        if may_stay(link, stages):
            link.restage(stages)
            self._shells[-1][0].look()
        else:
            self._begin(link.successor(stages))

    def _begin(self, link: Link) -> None:
        """Let a link take what comes from now on; the one before ends when it has nothing left."""
        began_s = self._began_s
        meter = _Meter(self._record, self._direction, link, began_s, self._has_left)
        timer = finest_timer(self._zero_s + began_s)
        scope, before = trio.CancelScope(), self._scope
        shell = LinkShell(link, meter, timer, lambda: self._record.now_s() - began_s, self._send)
        shell.hold(self._held_until_s - began_s)
        self._show(shell, began_s)
        self._scope = scope
        self._nursery.start_soon(self._run, shell, timer, scope)
        self._nursery.start_soon(meter.run, scope)
        if before is not None:
            self._nursery.start_soon(self._retire, self._links[-1], self._shells[-1], before)
        self._links.append(link)
        self._shells.append((shell, began_s))

    def receive(self, payload: bytes, tag: object) -> None:
        """Take in a packet."""
        self._shells[-1][0].receive(payload, tag)

    def capture(self, capture: "LinkCapture | None") -> None:
        """Show packets from now on to a capture, by the time of ``record``; None ends that."""
        self._capture = capture
        for shell, began_s in self._shells:
            shell.tell_late_drops()
            self._show(shell, began_s)

    def _show(self, shell: LinkShell, began_s: float) -> None:
        shell.capture = None if self._capture is None else self._capture.of_time(began_s)

    def _has_left(self, packet: Delivered) -> None:
        if self._capture is not None:
            self._capture.left(packet.sent_s, packet)
        self._left(packet)

    def totals(self) -> dict[str, Any]:
        """Return what it has carried since it began, as ``links`` of metrics.json has it."""
        dropped, added = self._past_dropped.copy(), self._past_added.copy()
        for link in self._links:
            dropped.update(link.dropped)
            added.update(link.added)
        return {
            "offered": self._links[-1].offered if self._links else 0,
            "delivered": self._past_delivered + sum(link.delivered for link in self._links),
            "dropped": dict(sorted(dropped.items())),
            "added": dict(sorted(added.items())),
            "corrupted": self._past_corrupted + sum(link.corrupted for link in self._links),
        }

    def close(self) -> None:
        """Carry nothing any more."""
        if self._scope is not None:
            self._scope.cancel()

    async def _run(self, shell: LinkShell, timer: Timer, scope: trio.CancelScope) -> None:
        with scope:
            await shell.run()
        timer.close()

    async def _retire(self, link: Link, shell: tuple[LinkShell, float], scope: trio.CancelScope) -> None:
        """Let a link that gets no more packets deliver those that it has, and end it."""
        while len(link):  # noqa: ASYNC110 - a link tells nobody
            await trio.sleep(_POLL_S)
        shell[0].tell_late_drops()
        self._shells.remove(shell)
        self._links.remove(link)
        self._past_delivered += link.delivered
        self._past_dropped.update(link.dropped)
        self._past_added.update(link.added)
        self._past_corrupted += link.corrupted
        scope.cancel()


class _Meter(LinkMeter):
    """Tell of each second as soon as it is over, and of each packet to whoever looks at what is in them."""

    quantiles: ClassVar = {**LinkMeter.quantiles, "delay_p99_s": 0.99}

    def __init__(
        self,
        record: Recorder,
        direction: Direction,
        link: Link,
        began_s: float,
        left: Callable[[Delivered], None],
    ) -> None:
        super().__init__(record, direction, link)
        self._now_s = record.now_s
        self._began_s = began_s
        self._left = left

    def delivered(self, packet: Delivered) -> None:
        """Take in a packet that left the link."""
        packet.sent_s += self._began_s
        packet.arrived_s += self._began_s
        self._left(packet)
        super().delivered(packet)

    async def run(self, scope: trio.CancelScope) -> None:
        """Tell of each second, as long as the link is used."""
        while not scope.cancel_called:
            await trio.sleep(1.0 - self._now_s() % 1.0)
            self.flush()
