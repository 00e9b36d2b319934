"""One direction of one client's network, whose settings change while packets are on their way."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import trio

from simlab.core.link import Delivered, HoldingStage, Link, Stage
from simlab.core.meter import LinkMeter
from simlab.core.packet import Direction, PacketClass, Transit
from simlab.core.timeline import Recorder
from simlab.live.shell import LinkShell
from simlab.live.timer import KernelTimer

if TYPE_CHECKING:
    from simlab.live.capture import LinkCapture

_POLL_S = 0.05
Classes = frozenset[PacketClass]


class Interference:
    """The stage in which somebody blocks and holds packets by hand.

    It stays what it is when the settings of the link change.

    Parameters
    ----------
    now_s
        Returns the seconds since the session began, which may not be the time of the link.
    """

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._blocks: list[tuple[float, Classes | None]] = []
        self._held_until_s = 0.0
        self._cause = "blackout"

    @property
    def name(self) -> str:
        """The cause of the last drop."""
        return self._cause

    def block(self, until_s: float, classes: Classes | None) -> None:
        """Drop packets from now on: those of some classes, or all."""
        self._blocks = [block for block in self._blocks if block[0] > self._now_s()]
        self._blocks.append((until_s, classes))

    def pause(self, until_s: float) -> None:
        """Hold packets from now on, and let them go in a burst."""
        self._held_until_s = max(self._held_until_s, until_s)

    def clear(self) -> None:
        """Drop and hold nothing any more; what is held already goes when it would have."""
        self._blocks.clear()
        self._held_until_s = 0.0

    def apply(self, transit: Transit) -> tuple[Transit, ...]:
        """Drop the transit, hold it, or pass it on."""
        now_s = self._now_s()
        for until_s, classes in self._blocks:
            if now_s < until_s and (classes is None or transit.packet.kind in classes):
                self._cause = "blackout" if classes is None else "block"
                return ()
        if now_s < self._held_until_s:
            transit.due_s = max(transit.due_s, transit.packet.arrived_s + self._held_until_s - now_s)
        return (transit,)


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
        self._shells: list[tuple[LinkShell, float]] = []
        self._capture: LinkCapture | None = None
        self._scope: trio.CancelScope | None = None
        self.interference = Interference(record.now_s)

    def settle(self, stages: Sequence[Stage | HoldingStage], began_s: float) -> None:
        """Put the packets that come from now on through other stages; those on their way arrive as before.

        Parameters
        ----------
        began_s
            When the stages' own time begins: their profile was loaded then.
        """
        link = Link([self.interference, *stages])
        if self._links:
            link.offered = self._links[-1].offered
        meter = _Meter(self._record, self._direction, link, began_s, self._has_left)
        timer = KernelTimer(self._zero_s + began_s)
        scope, before = trio.CancelScope(), self._scope
        shell = LinkShell(link, meter, timer, lambda: self._record.now_s() - began_s, self._send)
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
        """Return what it has carried since it began: packets offered, delivered, and dropped by cause."""
        dropped = self._past_dropped.copy()
        for link in self._links:
            dropped.update(link.dropped)
        delivered = self._past_delivered + sum(link.delivered for link in self._links)
        offered = self._links[-1].offered if self._links else 0
        return {"offered": offered, "delivered": delivered, "dropped": dict(sorted(dropped.items()))}

    def close(self) -> None:
        """Carry nothing any more."""
        if self._scope is not None:
            self._scope.cancel()

    async def _run(self, shell: LinkShell, timer: KernelTimer, scope: trio.CancelScope) -> None:
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
        scope.cancel()


class _Meter(LinkMeter):
    """Tell of each second as soon as it is over, and of each packet to whoever looks at what is in them."""

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
