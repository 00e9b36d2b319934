"""Code that waits for a clock without the event loop: there the time never moves."""

import sys
from types import FrameType

from simlab.own_server.place import is_theirs
from simlab.own_server.whose import is_installed

MOST_READINGS = 1_000_000
"""So many at the same time are for ever; sessions make some hundreds."""


class TimeStandsStillError(SystemExit):
    """Code looks at the clock for ever. It ends the loop: handlers of ``Exception`` let it pass."""


def standstill(now_s: float) -> TimeStandsStillError:
    """Return what is wrong with the code that runs now, at a virtual time."""
    return TimeStandsStillError(
        f"stuck: the time stays {now_s:.3f} s, for {_who(sys._getframe(1))} looks at the clock or sleeps for "
        "ever without the event loop; time passes while code awaits, as in `await asyncio.sleep(0.01)`"
    )


def _who(frame: FrameType | None) -> str:
    """Return the innermost line of the user's own code, or of the library that does it by itself."""
    library: FrameType | None = None
    while frame is not None and frame.f_code.co_name != "_run_once":  # the loop's; who runs it did nothing
        if is_theirs(frame.f_code.co_filename):
            return _line(frame)
        if library is None and is_installed(frame.f_code.co_filename):
            library = frame
        frame = frame.f_back
    return "simlab" if library is None else _line(library)


def _line(frame: FrameType) -> str:
    return f"{frame.f_code.co_qualname} ({frame.f_code.co_filename}:{frame.f_lineno})"
