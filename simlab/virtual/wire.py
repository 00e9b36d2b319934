"""Drive one link in virtual time."""

import asyncio
import contextvars
from collections.abc import Callable, Iterator

from simlab.core.link import Delivered, Dropped, Link
from simlab.virtual.loop import VirtualLoop

DITHER_S = 0.001


class Wire:
    """Put packets into a link, and hand them over when they are due.

    Deliveries are delayed by up to a millisecond more, in order. Without it, events that in life are
    never simultaneous are so here, and the loop's order then favours the same one always.

    Parameters
    ----------
    link
        The impairments of this direction.
    dither
        Numbers from U[0, 1).
    deliver, dropped
        Called with each packet that left the link, and with each that was dropped.
    """

    def __init__(
        self,
        loop: VirtualLoop,
        link: Link,
        dither: Iterator[float],
        deliver: Callable[[Delivered], None],
        dropped: Callable[[Dropped], None],
    ) -> None:
        self.link = link
        self._loop = loop
        self._dither = dither
        self._deliver = deliver
        self._dropped = dropped
        self._context = contextvars.copy_context()
        self._timer: asyncio.TimerHandle | None = None
        self._spare: asyncio.TimerHandle | None = None  # has run, and can be used again
        self._head_due_s = 0.0

    def send(self, payload: bytes, tag: object) -> list[Dropped]:
        """Put a packet into the link, and return what was dropped of it, and of earlier ones."""
        now_s = self._loop.now_s
        drops = self.link.receive(payload, now_s, tag)
        for drop in drops:
            self._dropped(drop)
        self._arm(now_s)
        return drops

    def late_drops(self) -> list[Dropped]:
        """Return what was dropped since the last packet came."""
        drops = self.link.late_drops()
        for drop in drops:
            self._dropped(drop)
        return drops

    def _arm(self, now_s: float) -> None:
        due_s = self.link.next_due_s()
        if due_s is None:
            return
        if self._timer is not None:
            if due_s >= self._head_due_s:
                return
            self._timer.cancel()
        self._head_due_s = due_s
        at_s = due_s + DITHER_S * next(self._dither)
        if at_s < now_s:
            at_s = now_s
        self._timer, self._spare = self._spare, None
        if self._timer is None:
            self._timer = self._loop.call_at(at_s, self._release, context=self._context)
        else:
            self._loop.call_again(self._timer, at_s)

    def _release(self) -> None:
        # Only what was due with the head: what is due a little later is dithered by itself.
        self._timer, self._spare = None, self._timer
        released = self.link.release(self._head_due_s)
        self._arm(self._loop.now_s)
        if released:
            for packet in released[:-1]:
                self._deliver(packet)
            self._loop.is_last_act = True
            try:
                self._deliver(released[-1])
            finally:
                self._loop.is_last_act = False
