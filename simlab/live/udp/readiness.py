"""Which sockets have something to read: asked by poll, and on Linux by epoll where they are many."""

import select
import sys
from typing import Any

MOST_POLLED = 8
"""Up to so many sockets poll costs less: epoll's share of a packet is 0.5 us, of some 10."""
_FD_SETSIZE = 1024
_FINE_S = 0.002
"""From how long before a moment on poll and epoll, which know milliseconds alone, are too coarse."""
_AT_ONCE = 64
_IN = select.POLLIN  # as EPOLLIN is


class Readiness:
    """Wait until one of some sockets has something to read."""

    def __init__(self) -> None:
        self.fds: dict[int, None] = {}
        """Those that it waits for, in the order in which they came."""
        self._poll = select.poll()
        self._epoll: Any = None
        self._is_for_select = True

    @property
    def epoll(self) -> int | None:
        """The file descriptor of the epoll that knows them all; None while they are few."""
        return None if self._epoll is None else self._epoll.fileno()

    def add(self, fd: int) -> None:
        """Wait for this one, too."""
        self.fds[fd] = None
        (self._poll if self._epoll is None else self._epoll).register(fd, _IN)
        self._settle()

    def remove(self, fd: int) -> None:
        """Wait for it no more; it must still be open."""
        del self.fds[fd]
        (self._poll if self._epoll is None else self._epoll).unregister(fd)
        self._settle()

    def _settle(self) -> None:
        self._is_for_select = max(self.fds, default=0) < _FD_SETSIZE
        if sys.platform != "linux":
            return
        are_few = len(self.fds) <= MOST_POLLED and self._is_for_select
        if are_few and self._epoll is not None:
            self._epoll.close()
            self._epoll, self._poll = None, select.poll()
            for fd in self.fds:
                self._poll.register(fd, _IN)
        elif not are_few and self._epoll is None:
            self._epoll = select.epoll()
            for fd in self.fds:
                self._epoll.register(fd, _IN)

    def wait(self, for_s: float) -> list[tuple[int, int]]:
        """Return which have something to read, with anything; after that time at the latest, then none."""
        if 0.0 < for_s <= _FINE_S:
            # select knows microseconds.
            if self._epoll is not None:
                if not select.select([self._epoll], (), (), for_s)[0]:
                    return []
            elif self._is_for_select:
                return [(fd, _IN) for fd in select.select(list(self.fds), (), (), for_s)[0]]
        coarse_s = max(0.0, for_s - _FINE_S / 2)
        if self._epoll is None:
            return self._poll.poll(int(coarse_s * 1000))
        ready: list[tuple[int, int]] = self._epoll.poll(coarse_s if for_s > _FINE_S else 0.0, _AT_ONCE)
        return ready
