"""Outages: the intervals in which the application could not use the connection."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simlab.core.timeline import Timeline
from simlab.study import reading
from simlab.study.reading import Fault
from simlab.study.spans import Span, rounded_s

# The probes know an outage by the last arrival before it. A fault that begins while packets are still on
# their way, or between two probes, comes a little later than the outage that it causes.
_CAUSE_TOLERANCE_S = 1.0

# A connection that stands goes on in them: what they change is how another one begins.
_STOP_NO_PACKETS = frozenset(
    {
        "signalling",
        "no-candidates",
        "wrong-candidates",
        "mdns-unresolvable",
        "ufrag-stale",
        "candidates-late",
        "patch-lost",
        "role-conflict",
        "stun-server-down",
        "server-exhausted",
    }
)


UNWANTED = "unwanted"


@dataclass(frozen=True, slots=True)
class Outage:
    """An interval in which not all of the probes passed.

    Parameters
    ----------
    began_s
        The last arrival before it, on the channel that fell silent first; seconds since the session began.
    ended_s
        When all channels passed again, or the user did not want any more what was missing; None if neither
        ever was.
    cause
        The index of the fault that overlaps it and began last among those that began before it, or within
        1 s after its start; of those that began together, the first listed. One that takes no time (a
        rebinding) overlaps what begins within 1 s after it, too. One that stops no packets (of the
        signalling, of candidates) is the cause only where no other is. None if there is no such fault.
    detected_s
        Seconds from ``began_s`` to the first sign of liveness lost (``disconnected`` or ``failed``); None
        if the client noticed nothing.
    first_attempt_s
        Seconds from ``began_s`` to the policy's first attempt in it, or None.
    attempts
        How many attempts the policy made in it.
    recovered_s
        Seconds from ``began_s`` until all channels passed again, or None.
    after_heal_s
        Seconds from the end of the last fault that overlaps it to ``ended_s``; 0 where that fault outlasted
        it; None where no fault overlaps it, or it never ended.
    outcome
        ``"self_healed"`` (ended, without an attempt), ``"reconnected"`` (ended, with attempts),
        ``"gave_up"`` (never ended, and the policy gave up), ``"open"`` (never ended), or ``"unwanted"`` (an
        action of the user's ended it: it disconnected, or switched off what was missing).
    gave_up_s
        Seconds from ``began_s`` until the policy gave up in it, or None.
    """

    began_s: float
    ended_s: float | None
    cause: int | None
    detected_s: float | None
    first_attempt_s: float | None
    attempts: int
    recovered_s: float | None
    after_heal_s: float | None
    outcome: str
    gave_up_s: float | None

    @property
    def span(self) -> Span:
        """When it was."""
        return Span(self.began_s, float("inf") if self.ended_s is None else self.ended_s)


def outages(timeline: Timeline) -> tuple[Outage, ...]:
    """Return the outages of a session, in order.

    Silences of several channels that overlap are one outage. A session whose client was never ready has
    none, since nothing was watched.
    """
    faults = reading.faults(timeline)
    return tuple(_outage(timeline, faults, span) for span in reading.all_gaps(timeline))


def overlap(fault: Span, outage: Span) -> bool:
    """Tell whether a fault may have to do with an outage."""
    # What had passed an instant before it is on its way for a while.
    echo_s = _CAUSE_TOLERANCE_S if fault.length_s == 0 else 0.0
    return Span(fault.began_s, fault.ended_s + echo_s).meets(outage)


def _outage(timeline: Timeline, faults: Sequence[Fault], span: Span) -> Outage:
    overlapping = [fault for fault in faults if overlap(fault.span, span)]
    noticed = [
        e.t_s for e in timeline.select("client", "liveness") if e["state"] in ("disconnected", "failed")
    ]
    attempts_s = [e.t_s for e in timeline.select("policy", "attempt") if span.holds(e.t_s)]
    gave_up_s = [e.t_s for e in timeline.select("policy", "give_up") if span.holds(e.t_s)]
    outcome = _outcome(timeline, span, attempted=bool(attempts_s), gave_up=bool(gave_up_s))
    recovered = outcome in ("reconnected", "self_healed")
    return Outage(
        began_s=span.began_s,
        ended_s=None if span.is_open else span.ended_s,
        cause=_cause(overlapping, span),
        detected_s=_first_after_start_s([t_s for t_s in noticed if span.holds(t_s)], span),
        first_attempt_s=_first_after_start_s(attempts_s, span),
        attempts=len(attempts_s),
        recovered_s=span.length_s if recovered else None,
        after_heal_s=_after_heal_s(overlapping, span) if recovered else None,
        outcome=outcome,
        gave_up_s=_first_after_start_s(gave_up_s, span),
    )


def _first_after_start_s(times_s: Sequence[float], span: Span) -> float | None:
    return rounded_s(times_s[0] - span.began_s) if times_s else None


def _cause(overlapping: Sequence[Fault], span: Span) -> int | None:
    latest_s = span.began_s + _CAUSE_TOLERANCE_S
    before = [fault for fault in overlapping if fault.span.began_s <= latest_s]
    # What stops no packets is blamed only where there is nothing else.
    ranked = sorted(before, key=lambda f: (f.kind not in _STOP_NO_PACKETS, f.span.began_s, -f.index))
    return ranked[-1].index if ranked else None


def _after_heal_s(overlapping: Sequence[Fault], span: Span) -> float | None:
    if not overlapping:
        return None
    healed_s = max(fault.span.ended_s for fault in overlapping)
    return rounded_s(max(0.0, span.ended_s - healed_s))


def _outcome(timeline: Timeline, span: Span, *, attempted: bool, gave_up: bool) -> str:
    if span.is_open:
        return "gave_up" if gave_up else "open"
    if _cut_short(timeline, span):
        return UNWANTED
    return "reconnected" if attempted else "self_healed"


def _cut_short(timeline: Timeline, span: Span) -> bool:
    """Tell whether what was silent to the end of an outage was switched off at that moment."""
    at_s = span.ended_s
    return any(
        any(off.began_s == at_s for off in reading.switched_off(timeline, channel))
        and any(gap.ended_s == at_s for gap in reading.gaps(timeline, channel))
        for channel in reading.channels(timeline)
    )


def known_waits_s(found: Iterable[Mapping[str, Any]]) -> list[float]:
    """Return how long outages of metrics.json took until all passed again, ascending.

    Infinite is what never did. Those are left out that were not wanted to the end: nobody knows.
    """
    waits_s = (one["recovered_s"] for one in found if one["outcome"] != UNWANTED)
    return sorted(math.inf if wait_s is None else wait_s for wait_s in waits_s)
