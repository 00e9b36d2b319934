"""Timers of a state machine: what is due, and when."""

import heapq
from dataclasses import dataclass
from itertools import count
from math import inf


@dataclass(frozen=True, order=True)
class Timer:
    """A timer, in the order in which it is due.

    Parameters
    ----------
    kind
        What it is for.
    cause
        What started it.
    """

    due_s: float
    tie: int
    kind: str
    cause: str = ""


class Timers:
    """Several timers, of which the earliest is due first, and those that are due together as they began."""

    def __init__(self) -> None:
        self._heap: list[Timer] = []
        self._ties = count()

    def start(self, kind: str, due_s: float, cause: str = "") -> None:
        """Start a timer; one that is due at infinity never is."""
        if due_s < inf:
            heapq.heappush(self._heap, Timer(due_s, next(self._ties), kind, cause))

    def cancel(self, *kinds: str) -> bool:
        """Cancel all timers of these kinds, and tell whether there was any."""
        kept = [timer for timer in self._heap if timer.kind not in kinds]
        found = len(kept) < len(self._heap)
        if found:
            heapq.heapify(kept)
            self._heap = kept
        return found

    def clear(self) -> None:
        """Cancel all timers."""
        self._heap.clear()

    def has(self, *kinds: str) -> bool:
        """Tell whether a timer of these kinds is running."""
        return any(timer.kind in kinds for timer in self._heap)

    def next_s(self, *kinds: str) -> float | None:
        """Return when the next timer, or the next of these kinds, is due; None if there is none."""
        if not kinds:
            return self._heap[0].due_s if self._heap else None
        return min((timer.due_s for timer in self._heap if timer.kind in kinds), default=None)

    def pop(self, now_s: float) -> Timer | None:
        """Take the first timer that is due; None if none is."""
        return heapq.heappop(self._heap) if self._heap and self._heap[0].due_s <= now_s else None
