"""What an account is put together from: sentences, each with its time and its rank."""

from enum import IntEnum

MOST_TIMES_TOLD = 4
"""How often something is told with its own time."""


class Rank(IntEnum):
    """The order of what happened in the same microsecond."""

    FAULT = 0
    ACTION = 1
    OUTAGE = 2
    NOTICED = 3
    POLICY = 4
    OVER = 5
    VIOLATION = 6


Told = tuple[float, int, str]
"""Seconds since the session began, a ``Rank``, and the sentence."""
