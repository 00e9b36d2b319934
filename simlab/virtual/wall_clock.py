"""What ``time_machine`` leaves out of the wall clock."""

import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from simlab.virtual.replace import replaced

_ctime, _asctime = time.ctime, time.asctime


def _ctime_now(seconds: float | None = None, /) -> str:
    return _ctime(time.time() if seconds is None else seconds)


def _asctime_now(moment: Any = None, /) -> str:
    return _asctime(time.localtime() if moment is None else moment)


@contextmanager
def wall_clock_completed() -> Iterator[None]:
    """Let texts of the time show the virtual one, and logs count from now on, while the context lasts."""
    # Python 3.13 counts it in nanoseconds.
    began: float = time.time_ns() if isinstance(logging._startTime, int) else time.time()  # type: ignore[attr-defined]
    with ExitStack() as stack:
        stack.enter_context(replaced(time, "ctime", _ctime_now))
        stack.enter_context(replaced(time, "asctime", _asctime_now))
        stack.enter_context(replaced(logging, "_startTime", began))
        yield
