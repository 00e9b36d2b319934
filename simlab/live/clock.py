"""The time of a session: one zero for all of its processes."""

import math
import time


class SessionClock:
    """Tell the seconds since the session began, by CLOCK_MONOTONIC, which all processes share."""

    def __init__(self) -> None:
        self._zero_s = math.inf

    def start(self, zero_s: float) -> None:
        """Set the moment at which the session begins, as ``time.monotonic()`` gives it."""
        self._zero_s = zero_s

    def now_s(self) -> float:
        """Return the time of the session: negative just before it begins, 0 while that is not known."""
        return 0.0 if self._zero_s == math.inf else time.monotonic() - self._zero_s
