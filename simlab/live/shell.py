"""Drive a link in real time."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from simlab.core.link import Delivered, Dropped, Link
from simlab.core.meter import LinkMeter
from simlab.live.timer import Timer

if TYPE_CHECKING:
    from simlab.live.capture import LinkCapture

# Less than any delay that matters, and more than float arithmetic on times loses.
_ROUNDING_S = 1e-6


class LinkShell:
    """Give a link its time: take packets in as they come, send each when it is due.

    Parameters
    ----------
    now_s
        Returns the seconds since the session began.
    send
        Sends a packet on. OSError from it means that the packet is lost here, with the error's ``cause``
        if it has one, else ``relay``.
    capture
        Shown what comes in, and what is lost.
    """

    def __init__(
        self,
        link: Link,
        meter: LinkMeter,
        timer: Timer,
        now_s: Callable[[], float],
        send: Callable[[Delivered], None],
        capture: "LinkCapture | None" = None,
    ) -> None:
        self._link = link
        self._meter = meter
        self._timer = timer
        self._now_s = now_s
        self._send = send
        self.capture = capture
        self._set_for_s = math.inf
        self._held_until_s = -math.inf

    def receive(self, payload: bytes, tag: object) -> None:
        """Take in a packet. One without any delay leaves at once."""
        now_s = self._now_s()
        drops = self._link.receive(payload, now_s, tag)
        for drop in drops:
            self._meter.dropped(drop)
        if self.capture is not None:
            self.capture.entered(now_s, payload, tag, self._link.offered - 1, drops)
        self._release(now_s)

    def hold(self, until_s: float) -> None:
        """Let nothing leave until then; what is due by then leaves in a burst."""
        self._held_until_s = until_s
        self.look()

    def look(self) -> None:
        """Find out anew what is due: the link has changed."""
        self._release(self._now_s())

    def tell_late_drops(self) -> None:
        """Record what was dropped since the last packet came."""
        drops = self._link.late_drops()
        for drop in drops:
            self._meter.dropped(drop)
        if self.capture is not None:
            self.capture.late(drops)

    async def run(self) -> None:
        """Send packets when they are due, for ever."""
        while True:
            await self._timer.wait()
            now_s = self._now_s()
            if now_s >= self._set_for_s - _ROUNDING_S:
                self._release(max(now_s, self._set_for_s))

    def _release(self, now_s: float) -> None:
        if now_s >= self._held_until_s:
            for packet in self._link.release(now_s):
                self._send_on(packet)
        due_s = self._link.next_due_s()
        at_s = math.inf if due_s is None else max(due_s, self._held_until_s)
        if at_s != self._set_for_s:
            self._set_for_s = at_s
            self._timer.set(at_s)

    def _send_on(self, packet: Delivered) -> None:
        try:
            self._send(packet)
        except OSError as error:
            self._lose(packet, getattr(error, "cause", "relay"))
        else:
            # Those released together leave one after the other.
            self._meter.delivered(replace(packet, sent_s=max(packet.sent_s, self._now_s())))

    def _lose(self, packet: Delivered, cause: str) -> None:
        self._link.delivered -= 1
        self._link.dropped[cause] += 1
        self._meter.dropped(Dropped(self._now_s(), packet.seq, packet.kind, len(packet.payload), cause))
        if self.capture is not None:
            self.capture.lost(self._now_s(), packet, cause)
