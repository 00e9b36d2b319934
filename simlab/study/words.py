"""Words that the account and the headline share."""

import math
from collections.abc import Mapping, Sequence

from simlab.core.timeline import Timeline
from simlab.study import reading


def listed(words: Sequence[str]) -> str:
    """Return ``"a"``, ``"a and b"``, ``"a, b and c"``; at least one word is needed."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def count(n: int, noun: str) -> str:
    """Return ``"1 outage"``, ``"2 outages"``."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def number_text(value: float) -> str:
    """Write a number to four figures, and a large one to its last: ``"0.25"``, ``"21600"``."""
    return f"{value:.4g}" if abs(value) < 10_000 else f"{value:.0f}"


def share_text(value: float, digits: int = 1) -> str:
    """Write a share in percent, and never as 100 % or 0 % what is not: ``"99.6%"``, ``"> 99.9%"``.

    Parameters
    ----------
    digits
        Behind the point; at least one where fewer would say 100 % or 0 % of what is not.
    """
    if value in (0.0, 1.0):
        return f"{value:.0%}"
    for behind in (digits, max(1, digits)):
        text = f"{value:.{behind}%}"
        if float(text[:-1]) not in (0.0, 100.0):
            return text
    least = 10.0**-behind
    return f"< {least:.{behind}f}%" if value < 0.5 else f"> {100 - least:.{behind}f}%"


def set_text(overrides: Mapping[str, str]) -> str:
    """Return ``"link.loss=5%, policy.max_attempts=10"``."""
    return ", ".join(f"{key}={value}" for key, value in overrides.items())


def ends_text(low_s: float, high_s: float, dash: str = "-", unit: str = "") -> str:
    """Return ``"5.3 - 17.2"``, or ``"5.3 or more"`` where nothing bounds how late; else nothing."""
    if math.isinf(low_s):
        return ""
    if math.isinf(high_s):
        return f"{low_s:.1f}{unit} or more"
    return f"{low_s:.1f} {dash} {high_s:.1f}{unit}"


def never_ready(timeline: Timeline) -> str:
    """Say how a session ended whose client was never ready, without a full stop."""
    outcome = reading.connect_outcome(timeline)
    if outcome is None:
        return "Never connected"
    return f"Never ready: connect() was {outcome['outcome']} at {outcome.t_s:.1f} s"
