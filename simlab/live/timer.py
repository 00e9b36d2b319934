"""Timers that can be set again while a task waits for them."""

import ctypes
import math
import os
import sys
import time
from typing import Protocol

import trio

_CLOCK_MONOTONIC = 1
_NONBLOCK_CLOEXEC = os.O_NONBLOCK | os.O_CLOEXEC
_ABSOLUTE = 1


class Timer(Protocol):
    """Wake one task at a given time of the session."""

    def set(self, at_s: float) -> None:
        """Fire at ``at_s``, and no more at the time that was set before; infinity is never."""

    async def wait(self) -> None:
        """Wait until it fires, or a little longer. It may also fire for a time that was just replaced."""

    def close(self) -> None:
        """Free what it holds."""


def finest_timer(zero_s: float) -> Timer:
    """Return the kernel's timer on Linux, trio's elsewhere: kqueue rounds nothing.

    Parameters
    ----------
    zero_s
        When the session begins, as ``time.monotonic()`` gives it.
    """
    if sys.platform == "linux":
        return KernelTimer(zero_s)
    else:  # noqa: RET505 - what follows a return would be unreachable to mypy
        return TrioTimer(zero_s + trio.current_time() - time.monotonic())


class TrioTimer:
    """A timer on trio's own clock, real or mock. On Linux the real one rounds up to a millisecond (epoll).

    Parameters
    ----------
    zero_s
        When the session begins, as ``trio.current_time()`` gives it.
    """

    def __init__(self, zero_s: float) -> None:
        self._zero_s = zero_s
        self._scope = trio.CancelScope()
        self._at_s = math.inf

    def set(self, at_s: float) -> None:
        """See ``Timer``."""
        self._at_s = at_s
        self._scope.deadline = self._zero_s + at_s

    async def wait(self) -> None:
        """See ``Timer``."""
        with trio.CancelScope(deadline=self._zero_s + self._at_s) as self._scope:
            await trio.sleep_forever()

    def close(self) -> None:
        """See ``Timer``."""


class _Spec(ctypes.Structure):
    """``struct itimerspec``."""

    _fields_ = (
        ("interval_s", ctypes.c_long),
        ("interval_ns", ctypes.c_long),
        ("value_s", ctypes.c_long),
        ("value_ns", ctypes.c_long),
    )


class KernelTimer:
    """A timer of the Linux kernel, which knows no milliseconds and no spinning (timerfd_create(2)).

    Parameters
    ----------
    zero_s
        When the session begins, as ``time.monotonic()`` gives it.

    Raises
    ------
    OSError
        If the kernel gives none.
    """

    def __init__(self, zero_s: float) -> None:
        self._zero_s = zero_s
        # Python has these in `os` from 3.13 on.
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd = self._libc.timerfd_create(_CLOCK_MONOTONIC, _NONBLOCK_CLOEXEC)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create failed")

    def set(self, at_s: float) -> None:
        """See ``Timer``."""
        # All zero disarms it.
        at_ns = 0 if at_s == math.inf else max(1, math.ceil((self._zero_s + at_s) * 1e9))
        spec = _Spec(0, 0, *divmod(at_ns, 1_000_000_000))
        if self._libc.timerfd_settime(self._fd, _ABSOLUTE, ctypes.byref(spec), None) != 0:
            raise OSError(ctypes.get_errno(), "timerfd_settime failed")

    async def wait(self) -> None:
        """See ``Timer``."""
        await trio.lowlevel.wait_readable(self._fd)

    def close(self) -> None:
        """See ``Timer``."""
        os.close(self._fd)
