"""Bottlenecks: how fast they send while there is something to send, and what their queues let in."""

import math
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from simlab.core.impair import (
    HEADER_BYTES,
    OPPORTUNITY_BYTES,
    CodelSpec,
    RateSpec,
    Step,
    TokenBucketSpec,
    TraceSpec,
)
from simlab.measure.rows import Fact, Finding
from simlab.measure.taps import Passage
from simlab.profile.rates import capacity_toml
from simlab.profile.units import duration_text, rate_text

_EXACT = 1e-6
"""What adding up floats may make wrong, as a share."""


@dataclass(frozen=True)
class _Piece:
    """A rate between two times, that changes evenly from one to the other."""

    from_s: float
    until_s: float
    begins: float
    ends: float

    def sent_bytes(self, from_s: float, until_s: float) -> float:
        """Return what passes between two times, as far as they lie in here."""
        low, high = max(from_s, self.from_s), min(until_s, self.until_s)
        if low >= high:
            return 0.0
        return (self._at(low) + self._at(high)) / 2 * (high - low)

    def _at(self, at_s: float) -> float:
        if self.begins == self.ends:
            return self.begins
        return self.begins + (self.ends - self.begins) * (at_s - self.from_s) / (self.until_s - self.from_s)


def rate_findings(row: Sequence[Step], passages: Sequence[Passage]) -> Iterator[Finding]:
    """Compare a bottleneck with what the settings ask for.

    Parameters
    ----------
    row
        The settings over time; only plain rates change.
    passages
        At the bottleneck, in the order in which they came.
    """
    spec = row[0].spec
    if isinstance(spec, TraceSpec):
        yield _trace(spec, passages)
    elif isinstance(spec, TokenBucketSpec):
        yield from _bucket(spec, passages)
    else:
        yield from _line(row, passages)


def _size_bytes(passage: Passage) -> int:
    return len(passage.payload) + HEADER_BYTES


def _rate_of(spec: Any) -> float:
    if spec is None:
        return math.inf
    return float((spec.rate if isinstance(spec, CodelSpec) else spec).rate_bytes_per_s)


def _pieces(row: Sequence[Step]) -> list[_Piece]:
    pieces: list[_Piece] = []
    now = _rate_of(row[0].spec)
    for step, later in zip(row, [*row[1:], Step(math.inf, None)], strict=True):
        aim, end_s = _rate_of(step.spec), step.at_s + step.ramp_s
        if end_s > later.at_s:  # the next begins where this one has got to
            aim = now + (aim - now) * (later.at_s - step.at_s) / step.ramp_s
            end_s = later.at_s
        if end_s > step.at_s:
            pieces.append(_Piece(step.at_s, end_s, now, aim))
        pieces.append(_Piece(end_s, later.at_s, aim, aim))
        now = aim
    return pieces


def _line(row: Sequence[Step], passages: Sequence[Passage]) -> Iterator[Finding]:
    pieces = _pieces(row)
    sent_bytes = could_bytes = busy_s = 0.0
    free_s = -math.inf
    for passage in sorted((one for one in passages if one.left), key=lambda one: one.left_s):
        start_s, end_s = max(passage.due_s, free_s), passage.left_s
        free_s = end_s
        possible = sum(piece.sent_bytes(start_s, end_s) for piece in pieces if piece.begins < math.inf)
        if end_s > start_s and possible:
            sent_bytes += _size_bytes(passage)
            could_bytes += possible
            busy_s += end_s - start_s
    held = abs(sent_bytes - could_bytes) <= _EXACT * could_bytes
    yield Fact("rate while busy", *_rates(could_bytes, sent_bytes, busy_s), held)
    if len(row) == 1 and isinstance(row[0].spec, RateSpec):
        yield _queue(row[0].spec, passages)


def _rates(could_bytes: float, sent_bytes: float, busy_s: float) -> tuple[str, str]:
    if not busy_s:
        return "-", "never busy"
    wanted, realised = (rate_text(round(size / busy_s, 3)) for size in (could_bytes, sent_bytes))
    return wanted, f"{realised} over {duration_text(round(busy_s, 3))}"


def _queue(spec: RateSpec, passages: Sequence[Passage]) -> Fact:
    """Compare what was let in, and what was not, with the limit of the queue."""
    waiting: deque[tuple[float, int]] = deque()
    free_s, waiting_bytes, peak, wrong = -math.inf, 0, 0.0, 0
    for passage in passages:
        now_s, size_bytes = passage.due_s, _size_bytes(passage)
        while waiting and waiting[0][0] <= now_s:
            waiting_bytes -= waiting.popleft()[1]
        start_s = max(now_s, free_s)
        level, limit = _level(spec, waiting_bytes + size_bytes, len(waiting) + 1, start_s - now_s)
        wrong += passage.lost != (start_s > now_s and level > limit)
        if passage.lost:
            continue
        free_s = passage.left_s
        if start_s > now_s:
            waiting.append((start_s, size_bytes))
            waiting_bytes += size_bytes
            peak = max(peak, level)
    lost = sum(passage.lost for passage in passages)
    realised = f"{peak:.4g}{_unit(spec)} at most, {lost} of {len(passages)} dropped"
    return Fact("queue", capacity_toml(spec)["queue"], realised, not wrong)


def _level(spec: RateSpec, size_bytes: int, packets: int, wait_s: float) -> tuple[float, float]:
    if spec.queue_packets is not None:
        return packets, spec.queue_packets
    if spec.queue_s is not None:
        return wait_s, spec.queue_s * (1 + _EXACT)
    return size_bytes, math.inf if spec.queue_bytes is None else spec.queue_bytes


def _unit(spec: RateSpec) -> str:
    if spec.queue_packets is not None:
        return " packets"
    return " s" if spec.queue_s is not None else " B"


def _trace(spec: TraceSpec, passages: Sequence[Passage]) -> Fact:
    """Compare when packets left with the opportunities since something began to wait."""
    from_s = until_s = -math.inf
    size_bytes = wrong = busy_bytes = 0
    busy_s = 0.0
    for passage in (one for one in passages if one.left):
        if passage.due_s >= until_s:
            from_s, until_s, size_bytes = passage.due_s, passage.due_s, 0
        size_bytes += _size_bytes(passage)
        busy_bytes += _size_bytes(passage)
        busy_s += passage.left_s - until_s
        until_s = passage.left_s
        # The last byte takes part of an opportunity of that very time, and all those before are used up.
        first = _opportunities(spec, from_s, until=True)
        before = _opportunities(spec, until_s, until=False) - first
        within = _opportunities(spec, until_s, until=True) - first
        wrong += not before * OPPORTUNITY_BYTES < size_bytes <= within * OPPORTUNITY_BYTES
    asked, realised = _rates(spec.mean_rate_bytes_per_s * busy_s, busy_bytes, busy_s)
    return Fact("rate of the trace", f"{asked} on average", f"{realised}, {wrong} out of time", not wrong)


def _opportunities(spec: TraceSpec, at_s: float, until: bool) -> int:
    """Return how many opportunities there were before a time, or until it, that time included.

    A packet that comes a rounding error before an opportunity is in time for it, and so it is here.
    """
    times, period_ms = spec.opportunities_ms, spec.opportunities_ms[-1]
    begun = max(math.floor(at_s * 1000 / period_ms) - 1, 0)  # so many rounds are certainly over
    number = begun * len(times)
    for turn in range(begun, begun + 3):
        opens_s = partial(_opens_s, turn * period_ms)
        number += bisect_right(times, at_s, key=opens_s) if until else bisect_left(times, at_s, key=opens_s)
    return number


def _opens_s(began_ms: int, ms: int) -> float:
    return (began_ms + ms) / 1000


def _bucket(spec: TokenBucketSpec, passages: Sequence[Passage]) -> Iterator[Finding]:
    """Compare with the tokens: never more than a burst ahead of them, and none left while packets wait."""
    rate = spec.rate_bytes_per_s
    total_bytes, lowest, excess_bytes = 0.0, math.inf, 0.0
    wanted_s = waited_s = 0.0
    before: Passage | None = None
    for passage in (one for one in passages if one.left):
        lowest = min(lowest, total_bytes - rate * passage.left_s)
        total_bytes += _size_bytes(passage)
        excess_bytes = max(excess_bytes, total_bytes - rate * passage.left_s - lowest)
        waits = before is not None and before.left_s > before.due_s and passage.due_s <= before.left_s
        if before is not None and waits:
            wanted_s += _size_bytes(passage) / rate
            waited_s += passage.left_s - before.left_s
        before = passage
    within = excess_bytes <= spec.burst_bytes * (1 + _EXACT)
    yield Fact("burst", f"{spec.burst_bytes} B at most", f"{excess_bytes:.0f} B", within)
    held = abs(wanted_s - waited_s) <= _EXACT * max(wanted_s, 1.0)
    could, sent = rate * waited_s, rate * wanted_s
    yield Fact("rate of the tokens while waiting", *_rates(could, sent, waited_s), held)
