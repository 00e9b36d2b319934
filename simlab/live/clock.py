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

    @property
    def begun(self) -> bool:
        """Whether it is known when the session begins."""
        return self._zero_s != math.inf

    def now_s(self) -> float:
        """Return the time of the session: negative just before it begins, 0 while that is not known."""
        return time.monotonic() - self._zero_s if self.begun else 0.0
