"""The loop of the packets: poll or epoll alone, as what an async library adds to each packet is too much."""

import ctypes
import gc
import math
import resource
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING

from simlab.live.priority import Priority
from simlab.live.udp.readiness import Readiness
from simlab.live.udp.way import Way

if TYPE_CHECKING:
    from simlab.live.udp.compiled.lane import Lane

_SPIN_S = 20e-6
"""The last so many seconds before a packet is due are waited for actively: waking up takes as long."""
_SET_TIMER_SLACK = 29  # PR_SET_TIMERSLACK, prctl(2)
_AGAIN_S = 0.005


class Loop:
    """Call whoever has something to read, and let each direction send what is due.

    Parameters
    ----------
    every_second
        Called about once a second.
    priority
        Changed by whether packets wait for their time.
    """

    def __init__(self, every_second: Callable[[float], None], priority: Priority | None = None) -> None:
        self._priority = priority
        self._have_waited = False  # packets, in this second
        self._readiness = Readiness()
        self._work: dict[int, Callable[[], None]] = {}
        self._every_second = every_second
        self.ways: tuple[Way, ...] = ()
        self.running = True
        self.again: Callable[[], None] | None = None
        """Called again and again, a few hundred times a second, while it is there."""
        self.lane: Lane | None = None
        """Where packets go the compiled way, whenever all of them can."""

    def watch(self, fd: int, work: Callable[[], None]) -> None:
        """Call ``work`` whenever there is something to read."""
        self._work[fd] = work
        self._readiness.add(fd)

    def forget(self, fd: int) -> None:
        """Call it no more."""
        del self._work[fd]
        self._readiness.remove(fd)

    def run(self) -> None:
        """Go on until ``running`` is false."""
        work, ready = self._work.get, self._ready
        second_s = monotonic() + 1.0
        while self.running:
            for fd, _ in ready(second_s):
                do = work(fd)
                if do is not None:
                    do()
            now_s = monotonic()
            for way in self.ways:
                if way.due_s <= now_s:
                    way.release(now_s)
            if now_s >= second_s:
                self._every_second(now_s)
                second_s = max(second_s + 1.0, now_s)
                if self._priority is not None and not self._have_waited:
                    self._priority.share()
                self._have_waited = False

    def _ready(self, second_s: float) -> Iterable[tuple[int, int]]:
        """Wait until something is due or there is something to read, and return where."""
        if self.lane is not None and self._is_free(self.lane):
            return self._carried(self.lane, second_s)
        due_s = second_s
        for way in self.ways:
            if way.due_s < due_s:
                due_s = way.due_s
        if self.again is not None:
            self.again()
        now_s = monotonic()
        if due_s < second_s and not self._have_waited and due_s > now_s + _SPIN_S:
            self.wait_from_now_on()
        if self.again is not None:
            due_s = min(due_s, now_s + _AGAIN_S)
        return self._readiness.wait(due_s - now_s - _SPIN_S)

    def _is_free(self, lane: "Lane") -> bool:
        return self.again is None and lane.is_usable and not any(way.is_draining for way in self.ways)

    def _carried(self, lane: "Lane", second_s: float) -> Iterable[tuple[int, int]]:
        lane.have_waited = self._have_waited
        readable = lane.carry(self._readiness, second_s)
        for way in self.ways:
            way.due_s = -math.inf  # whatever has left since
        return readable

    def wait_from_now_on(self) -> None:
        """Be in time for packets that wait."""
        self._have_waited = True
        if self._priority is not None:
            self._priority.be_in_time()


def hurry() -> None:
    """Let nothing of this process itself come between packets, as far as the system allows."""
    gc.collect()
    gc.freeze()
    gc.disable()  # packets make no cycles
    sys.setswitchinterval(1.0)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_TIMER_SLACK, 1)
    with suppress(OSError, ValueError):
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
