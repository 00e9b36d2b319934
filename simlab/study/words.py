"""Words that the account and the headline share."""

from collections.abc import Sequence

from simlab.core.timeline import Timeline
from simlab.study import reading


def listed(words: Sequence[str]) -> str:
    """Return ``"a"``, ``"a and b"``, ``"a, b and c"``; at least one word is needed."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def count(n: int, noun: str) -> str:
    """Return ``"1 outage"``, ``"2 outages"``."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def never_ready(timeline: Timeline) -> str:
    """Say how a session ended whose client was never ready, without a full stop."""
    outcome = reading.connect_outcome(timeline)
    if outcome is None:
        return "Never connected"
    return f"Never ready: connect() was {outcome['outcome']} at {outcome.t_s:.1f} s"
