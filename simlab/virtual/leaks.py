"""Find what reaches past the virtual clock: real clocks, sockets, threads, processes, entropy without a seed.

What can be answered from the virtual world is: ``time.monotonic`` tells its time, and so do the counters that
measure how long code takes, though asking them is told too, since there no code takes any time. What cannot,
goes on as it would, and is told: from then on the session is not what its seed says.
"""

import random
import signal
import sys
import threading
import time
import timeit
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from simlab.virtual.beyond import outside
from simlab.virtual.callers import Caller, caller
from simlab.virtual.replace import replaced

Tell = Callable[[str, Caller], None]

_COUNTERS = ("perf_counter", "process_time", "thread_time")
_MONOTONIC = {getattr(time, f"CLOCK_{name}", None) for name in ("MONOTONIC", "MONOTONIC_RAW", "BOOTTIME")}
_WALL = {getattr(time, "CLOCK_REALTIME", None)}
_COUNTING = {getattr(time, f"CLOCK_{name}_CPUTIME_ID", None) for name in ("PROCESS", "THREAD")}


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
        """Make a ``time.clock_gettime`` whose monotonic clocks and counters show the virtual time, too.

        Of the others, it tells; ``time_machine`` answers for the wall clock.
        """
        real, unit = getattr(time, name), 10**9 if name.endswith("_ns") else 1

        def read(clock: int, /) -> Any:
            if not self.here or clock in _WALL:
                return real(clock)
            if clock not in _MONOTONIC:
                self.found(f"reads a real clock: time.{name}", own_code_alone=clock in _COUNTING)
            if clock not in _MONOTONIC | _COUNTING:
                return real(clock)
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
                self._now_s()  # who sleeps until something happens waits for ever
                self.found("sleeps in real time: time.sleep")

        return pause

    def alarm(self, name: str, before: Any) -> Callable[..., Any]:
        """Make a function that sets no timer here: nobody is there for its signal, which ends a process.

        Parameters
        ----------
        before
            What it returns: the timer that was set before, of which there is none.
        """
        real = getattr(signal, name)

        def set_none(*args: Any) -> Any:
            if not self.here:
                return real(*args)
            self.found(f"sets a real timer: signal.{name}")
            return before

        return set_none

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
        put(timeit, "default_timer", time.perf_counter)  # which timeit has got by name
        for name in ("clock_gettime", "clock_gettime_ns"):
            if hasattr(time, name):
                put(time, name, leaks.clock_gettime(name))
        put(time, "sleep", leaks.sleep(time.sleep))
        put(random, "SystemRandom", leaks.system_random())
        for name, before in (("alarm", 0), ("setitimer", (0.0, 0.0))):
            if hasattr(signal, name):
                put(signal, name, leaks.alarm(name, before))
        for owner, name, what in outside():
            put(owner, name, leaks.before(what, getattr(owner, name)))
        yield
