"""Find what reaches past the virtual clock: real clocks, sockets, threads, processes, entropy without a seed.

What can be answered from the virtual world is: ``time.monotonic`` tells its time, and so do the counters that
measure how long code takes, though asking them is told too, since there no code takes any time. What cannot,
goes on as it would, and is told: from then on the session is not what its seed says.
"""

import os
import random
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from multiprocessing.process import BaseProcess
from typing import Any

from simlab.virtual.callers import Caller, caller
from simlab.virtual.replace import replaced

Tell = Callable[[str, Caller], None]

_COUNTERS = ("perf_counter", "process_time", "thread_time")
_MONOTONIC = {getattr(time, f"CLOCK_{name}", None) for name in ("MONOTONIC", "MONOTONIC_RAW", "BOOTTIME")}
_COUNTING = {getattr(time, f"CLOCK_{name}_CPUTIME_ID", None) for name in ("PROCESS", "THREAD")}
_STARTS_PROCESSES: tuple[tuple[Any, str], ...] = (
    (os, "fork"),
    (os, "system"),
    (os, "posix_spawn"),
    (subprocess.Popen, "__init__"),
    (BaseProcess, "start"),
)


class Leaks:
    """What was found, each place once, in order.

    Parameters
    ----------
    now_s
        The virtual time.
    tell
        Called with what leaks, and where.
    """

    def __init__(self, now_s: Callable[[], float], tell: Tell) -> None:
        self._now_s = now_s
        self._tell = tell
        self._owner = threading.get_ident()
        self._told: set[tuple[str, Caller]] = set()

    @property
    def here(self) -> bool:
        """Whether the running thread is the session's."""
        return threading.get_ident() == self._owner

    def found(self, what: str, own_code_alone: bool = False) -> None:
        """Take in a leak of the code that runs now; of an installed library's too, unless told otherwise."""
        place = caller(sys._getframe(2), own_code_alone)
        if place is not None and (what, place) not in self._told:
            self._told.add((what, place))
            self._tell(what, place)

    def clock(self, name: str, told: bool) -> Callable[[], Any]:
        """Make a clock of the ``time`` module that shows the virtual time."""
        real, unit = getattr(time, name), 10**9 if name.endswith("_ns") else 1

        def read() -> Any:
            if not self.here:
                return real()
            if told:
                # Libraries measure how long they take, for their logs; it is 0 here, and harms nobody.
                self.found(f"reads a real clock: time.{name}", own_code_alone=True)
            return int(self._now_s() * unit) if unit > 1 else self._now_s()

        return read

    def clock_gettime(self, name: str) -> Callable[[int], Any]:
        """Make a ``time.clock_gettime`` whose monotonic clocks and counters show the virtual time, too."""
        real, unit = getattr(time, name), 10**9 if name.endswith("_ns") else 1

        def read(clock: int, /) -> Any:
            if not self.here or clock not in _MONOTONIC | _COUNTING:
                return real(clock)
            if clock in _COUNTING:
                self.found(f"reads a real clock: time.{name}", own_code_alone=True)
            return int(self._now_s() * unit) if unit > 1 else self._now_s()

        return read

    def before(self, what: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """Make a function that tells of itself before it does what it does."""

        def told(*args: Any, **kwargs: Any) -> Any:
            if self.here:
                self.found(what)
            return call(*args, **kwargs)

        return told

    def sleep(self, real: Callable[[float], None]) -> Callable[[float], None]:
        """Make a ``time.sleep`` that takes no time here, for there is nothing that could go on meanwhile."""

        def pause(seconds: float, /) -> None:
            if not self.here:
                real(seconds)
            else:
                self.found("sleeps in real time: time.sleep")

        return pause

    def system_random(self) -> type[random.SystemRandom]:
        """Make a ``random.SystemRandom`` that tells of each place that draws from it."""
        leaks, what = self, "draws from the system's entropy: random.SystemRandom"

        class SystemRandom(random.SystemRandom):
            def random(self) -> float:
                leaks.found(what)
                return super().random()

            def getrandbits(self, k: int, /) -> int:
                leaks.found(what)
                return super().getrandbits(k)

            def randbytes(self, n: int) -> bytes:
                leaks.found(what)
                return super().randbytes(n)

        return SystemRandom


@contextmanager
def leaks_told(now_s: Callable[[], float], tell: Tell) -> Iterator[None]:
    """Tell of every leak for as long as the context lasts."""
    leaks = Leaks(now_s, tell)
    with ExitStack() as stack:

        def put(owner: Any, name: str, value: Any) -> None:
            stack.enter_context(replaced(owner, name, value))

        for name in ("monotonic", "monotonic_ns"):
            put(time, name, leaks.clock(name, told=False))
        for name in (one + suffix for one in _COUNTERS for suffix in ("", "_ns")):
            put(time, name, leaks.clock(name, told=True))
        for name in ("clock_gettime", "clock_gettime_ns"):
            if hasattr(time, name):
                put(time, name, leaks.clock_gettime(name))
        put(time, "sleep", leaks.sleep(time.sleep))
        put(os, "times", leaks.before("reads a real clock: os.times", os.times))
        put(random, "SystemRandom", leaks.system_random())
        entropy = "draws from entropy without a seed"
        put(os, "getrandom", leaks.before(f"{entropy}: os.getrandom", os.getrandom))
        put(ssl, "RAND_bytes", leaks.before(f"{entropy}: ssl.RAND_bytes", ssl.RAND_bytes))
        start = threading.Thread.start
        put(threading.Thread, "start", leaks.before("starts a thread: threading.Thread", start))
        init = socket.socket.__init__
        put(socket.socket, "__init__", leaks.before("opens a real socket: socket.socket", init))
        look_up = socket.getaddrinfo
        put(
            socket,
            "getaddrinfo",
            leaks.before("asks the real network for a name: socket.getaddrinfo", look_up),
        )
        for owner, name in _STARTS_PROCESSES:
            if hasattr(owner, name):
                put(owner, name, leaks.before("starts a process", getattr(owner, name)))
        yield
