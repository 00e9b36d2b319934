"""What an account is put together from: sentences, each with its time and its rank."""

from enum import IntEnum

MOST_TIMES_TOLD = 4
"""How often something is told with its own time."""


class Rank(IntEnum):
    """The order of what happened in the same microsecond."""

    FAULT = 0
    OUTAGE = 1
    NOTICED = 2
    POLICY = 3
    OVER = 4
    VIOLATION = 5


Told = tuple[float, int, str]
"""Seconds since the session began, a ``Rank``, and the sentence."""
