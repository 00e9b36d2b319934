"""The loop of the packets: nothing but epoll, as what an async library adds to each packet is too much."""

import ctypes
import gc
import os
import resource
import select
import sys
from collections.abc import Callable
from contextlib import suppress
from time import monotonic

from simlab.live.udp.way import Way

_SPIN_S = 60e-6
"""The last so many seconds before a packet is due are waited for actively: waking up takes as long."""
_SET_TIMER_SLACK = 29  # PR_SET_TIMERSLACK, prctl(2)
_NICE = -10


class Loop:
    """Call whoever has something to read, and let each direction send what is due.

    Parameters
    ----------
    every_second
        Called about once a second.
    """

    def __init__(self, every_second: Callable[[float], None]) -> None:
        self._epoll = select.epoll()
        self._work: dict[int, Callable[[], None]] = {}
        self._every_second = every_second
        self.ways: tuple[Way, ...] = ()
        self.running = True

    def watch(self, fd: int, work: Callable[[], None]) -> None:
        """Call ``work`` whenever there is something to read."""
        self._work[fd] = work
        self._epoll.register(fd, select.EPOLLIN)

    def forget(self, fd: int) -> None:
        """Call it no more."""
        del self._work[fd]
        self._epoll.unregister(fd)

    def run(self) -> None:
        """Go on until ``running`` is false."""
        epoll, work = self._epoll, self._work
        second_s = monotonic() + 1.0
        while self.running:
            for fd, _ in epoll.poll(self._wait(second_s), 64):
                do = work.get(fd)
                if do is not None:
                    do()
            now_s = monotonic()
            for way in self.ways:
                if way.due_s <= now_s:
                    way.release(now_s)
            if now_s >= second_s:
                self._every_second(now_s)
                second_s = max(second_s + 1.0, now_s)

    def _wait(self, second_s: float) -> float:
        """Wait until something is due or comes, and return how long epoll is to wait: not at all."""
        due_s = second_s
        for way in self.ways:
            if way.due_s < due_s:
                due_s = way.due_s
        left_s = due_s - monotonic() - _SPIN_S
        if left_s > 0:
            # epoll knows milliseconds alone.
            select.select([self._epoll], (), (), left_s)
        return 0.0


def hurry() -> list[str]:
    """Let this process be woken up in time, as far as the system allows; return what it does not."""
    refused = []
    gc.collect()
    gc.freeze()
    gc.disable()  # packets make no cycles
    sys.setswitchinterval(1.0)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_TIMER_SLACK, 1)
    try:
        os.setpriority(os.PRIO_PROCESS, 0, _NICE)
    except OSError:
        refused.append("priority")
    with suppress(OSError, ValueError):
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return refused
