"""Sessions with several clients: whose events are whose, and how often things happened at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

from simlab.core.timeline import Event, Timeline
from simlab.study import reading
from simlab.study.spans import Span, rounded_s, without

_WINDOW_S = 1.0


def clients_in(timeline: Timeline) -> int:
    """Return how many clients a session has."""
    return int(timeline.header.get("clients", 1))


def by_client(timeline: Timeline) -> dict[int, Timeline]:
    """Return for each client, from 1, the timeline that it would have as the only one.

    What concerns all, faults and the session's own beginning and end, is in each; what cannot be said to be
    of one (what STUN and TURN servers saw, what reached past the virtual clock) is in none.
    """
    count = clients_in(timeline)
    own: dict[int, list[Event]] = {number: [] for number in range(1, count + 1)}
    for event in timeline.events:
        number = event.data.get("client_id")
        if number is not None:
            own[number].append(event)
        elif event.source == "fault" or (event.source == "session" and event.kind != "leak"):
            for events in own.values():
                events.append(event)
    header = {name: value for name, value in timeline.header.items() if name != "clients"}
    return {number: Timeline(header, tuple(events)) for number, events in own.items()}


@dataclass(frozen=True, slots=True)
class Peak:
    """The most, or the least, that there was of something at once.

    Parameters
    ----------
    count
        How many.
    at_s
        When that began, in seconds since the session began; None where there was nothing.
    """

    count: int
    at_s: float | None


def busiest_second(times_s: Iterable[float], from_s: float = 0.0) -> Peak:
    """Return the most moments that fall within one second, wherever it begins, from ``from_s`` on."""
    ordered = sorted(t_s for t_s in times_s if t_s >= from_s)
    best, first = Peak(0, None), 0
    for last, t_s in enumerate(ordered):
        while ordered[first] <= t_s - _WINDOW_S:
            first += 1
        if last - first + 1 > best.count:
            best = Peak(last - first + 1, ordered[first])
    return best


def usable_spans(timeline: Timeline) -> tuple[Span, ...]:
    """Return when messages passed both ways for a client, from the moment when it was ready.

    While the user has disconnected, none do.
    """
    from_s, until_s = reading.watched_from_s(timeline), reading.end_s(timeline)
    if from_s is None or from_s >= until_s:
        return ()
    return without(Span(from_s, until_s), (*reading.message_gaps(timeline), *reading.disconnected(timeline)))


def usable_over_time(spans: Iterable[Span]) -> tuple[Sequence[float], Sequence[int]]:
    """Return from when on how many clients were usable: the times, ascending from 0, and the counts.

    Parameters
    ----------
    spans
        When each was, of all clients.
    """
    changes: dict[float, int] = {0.0: 0}
    for t_s, step in chain.from_iterable(((s.began_s, 1), (s.ended_s, -1)) for s in spans):
        changes[t_s] = changes.get(t_s, 0) + step
    times_s, counts, now = sorted(changes), [], 0
    for t_s in times_s:
        now += changes[t_s]
        counts.append(now)
    return times_s, counts


def first_fault_s(timeline: Timeline) -> float:
    """Return when the first fault began; 0 where there is none."""
    return min((fault.span.began_s for fault in reading.faults(timeline)), default=0.0)


def fewest_usable(timeline: Timeline, spans: Iterable[Span]) -> Peak:
    """Return the fewest clients that were usable at once, from the first fault on until before the end."""
    from_s, end_s = first_fault_s(timeline), reading.end_s(timeline)
    times_s, counts = usable_over_time(spans)
    at_start = [n for t_s, n in zip(times_s, counts, strict=True) if t_s <= from_s][-1]
    later = [(n, t_s) for t_s, n in zip(times_s, counts, strict=True) if from_s < t_s < end_s]
    count, t_s = min([(at_start, from_s), *later])
    return Peak(count, rounded_s(t_s))
