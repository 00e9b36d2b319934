"""Stretches of time, and what they have in common."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

_MICROSECOND_DIGITS = 6


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of time, both ends included.

    Parameters
    ----------
    began_s, ended_s
        Seconds since the session began; ``ended_s`` is infinite where it never ended.
    """

    began_s: float
    ended_s: float

    @property
    def length_s(self) -> float:
        """How long it lasts, to the microsecond; infinite where it never ended."""
        return rounded_s(self.ended_s - self.began_s)

    @property
    def is_open(self) -> bool:
        """Whether it never ended."""
        return math.isinf(self.ended_s)

    def holds(self, t_s: float) -> bool:
        """Tell whether a moment lies in it."""
        return self.began_s <= t_s <= self.ended_s

    def meets(self, other: "Span") -> bool:
        """Tell whether both have a moment in common."""
        return self.began_s <= other.ended_s and other.began_s <= self.ended_s


def rounded_s(seconds: float) -> float:
    """Return a time to the microsecond, which is all that a timeline keeps."""
    return round(seconds, _MICROSECOND_DIGITS)


def union(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Return the time covered by any of the spans, as spans apart from each other, in order."""
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and span.began_s <= merged[-1].ended_s:
            merged[-1] = Span(merged[-1].began_s, max(merged[-1].ended_s, span.ended_s))
        else:
            merged.append(span)
    return tuple(merged)


def common(first: Iterable[Span], second: Iterable[Span]) -> tuple[Span, ...]:
    """Return the time, longer than a moment, that lies in a span of each of the two."""
    second = tuple(second)
    both = (Span(max(a.began_s, b.began_s), min(a.ended_s, b.ended_s)) for a in first for b in second)
    return union(span for span in both if span.began_s < span.ended_s)


def without(whole: Span, spans: Iterable[Span]) -> tuple[Span, ...]:
    """Return what is left of ``whole``, longer than a moment, when the spans are taken out."""
    left: list[Span] = []
    from_s = whole.began_s
    for span in union(spans):
        left.append(Span(from_s, min(span.began_s, whole.ended_s)))
        from_s = max(from_s, span.ended_s)
    left.append(Span(from_s, whole.ended_s))
    return tuple(span for span in left if span.began_s < span.ended_s)


def total_s(spans: Iterable[Span]) -> float:
    """Return how long spans apart from each other last together, to the microsecond."""
    return rounded_s(math.fsum(span.ended_s - span.began_s for span in spans))
