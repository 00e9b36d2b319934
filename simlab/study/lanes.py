"""What the picture of a session shows: lanes of bars and marks over one time axis."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from simlab.core.timeline import Timeline
from simlab.study import reading
from simlab.study.link_changes import LinkChange
from simlab.study.outages import UNWANTED, Outage, outages
from simlab.study.reading import Channel
from simlab.study.spans import Span, common, without


class Look(StrEnum):
    """What a bar means; each has its own colour and its own hatch."""

    GOOD = "good"
    WAITING = "in progress"
    BAD = "lost or failed"
    ENDED = "ended or off"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of time in a lane.

    Parameters
    ----------
    span
        Never open: it ends with the session at the latest.
    texts
        What it may say, the longest first; the first one that finds room is written.
    row
        From 0, where a lane has bars at the same time.
    """

    span: Span
    look: Look
    texts: tuple[str, ...]
    row: int = 0


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment in a lane; ``what`` is a key of ``MARKS``, or ``LINK_CHANGE``."""

    t_s: float
    what: str


@dataclass(frozen=True, slots=True)
class Lane:
    """A name, and what is drawn beside it; ``empty`` is said where there is nothing to draw."""

    name: str
    bars: tuple[Bar, ...] = ()
    marks: tuple[Mark, ...] = ()
    empty: str = "none"

    @property
    def rows(self) -> int:
        """How many rows the bars need, 1 or more."""
        return 1 + max((bar.row for bar in self.bars), default=0)


LINK_CHANGE = "link changes"
_APART = 0.005  # of the time axis: half a mark

# What the marks say, with the event that makes them.
MARKS = {
    "attempt": ("policy", "attempt"),
    "give up": ("policy", "give_up"),
    "offer": ("client", "offer"),
    "offer failed": ("client", "offer_failed"),
}

_LOOKS = {
    Look.GOOD: ("ready", "connected", "completed"),
    Look.BAD: ("error", "disconnected", "failed"),
    Look.ENDED: ("closed", "disconnecting", "new", "initialized"),
}
_LOOK_OF = {state: look for look, states in _LOOKS.items() for state in states}
_CHANNEL_NAMES = {
    Channel("message", "up"): "messages up",
    Channel("message", "down"): "messages down",
    Channel("media", "up"): "microphone (up)",
    Channel("media", "down"): "bot's voice (down)",
    Channel("video", "up"): "camera (up)",
    Channel("video", "down"): "bot's video (down)",
}


def lanes(timeline: Timeline, changes: Iterable[LinkChange] = ()) -> tuple[Lane, ...]:
    """Return the lanes of a session from top to bottom.

    Parameters
    ----------
    changes
        Of its links.
    """
    return (
        Lane("faults", in_rows(_fault_bars(timeline)), _change_marks(timeline, changes)),
        Lane("outages", tuple(_outage_bars(timeline))),
        Lane("transport", _transport_bars(timeline)),
        Lane("client's ICE", _path_bars(timeline)),
        Lane("policy, offers", marks=_marks(timeline)),
        *(_probe_lane(timeline, channel) for channel in reading.channels(timeline)),
        Lane("server", _server_bars(timeline)),
    )


def in_rows(bars: Iterable[Bar]) -> tuple[Bar, ...]:
    """Give each bar the first row in which it overlaps none before it; bars may only touch."""
    free_from_s: list[float] = []
    placed = []
    for bar in sorted(bars, key=lambda bar: bar.span):
        free = (row for row, t_s in enumerate(free_from_s) if t_s <= bar.span.began_s)
        row = next(free, len(free_from_s))
        free_from_s[row : row + 1] = [bar.span.ended_s]
        placed.append(replace(bar, row=row))
    return tuple(placed)


def _clipped(timeline: Timeline, span: Span) -> Span:
    end_s = reading.end_s(timeline)
    return Span(min(span.began_s, end_s), min(span.ended_s, end_s))


def _fault_bars(timeline: Timeline) -> Iterator[Bar]:
    for fault in reading.faults(timeline):
        detail = fault.settings.get("direction")
        texts = (f"{fault.kind} {detail}", fault.kind) if detail in ("up", "down") else (fault.kind,)
        yield Bar(_clipped(timeline, fault.span), Look.FAULT, texts)


def _change_marks(timeline: Timeline, changes: Iterable[LinkChange]) -> tuple[Mark, ...]:
    """Return marks for changes of the links, without those too close to the one before to be told apart."""
    end_s = reading.end_s(timeline)
    marks: list[Mark] = []
    for t_s in sorted(t_s for change in changes for t_s in change.times_s(end_s)):
        if not marks or t_s - marks[-1].t_s > _APART * end_s:
            marks.append(Mark(t_s, LINK_CHANGE))
    return tuple(marks)


def _outage_bars(timeline: Timeline) -> Iterator[Bar]:
    for outage in outages(timeline):
        yield Bar(_clipped(timeline, outage.span), Look.BAD, _outage_texts(outage))


def _outage_texts(outage: Outage) -> tuple[str, ...]:
    if outage.outcome == UNWANTED:
        lasted_s = outage.span.length_s
        return (f"unwanted after {lasted_s:.1f} s", f"{lasted_s:.1f} s")
    word = {"self_healed": "self-healed", "gave_up": "gave up", "open": "not over"}.get(outage.outcome)
    word = word or outage.outcome
    if outage.recovered_s is None:
        return (word,)
    return (f"{word}, {outage.recovered_s:.1f} s", f"{outage.recovered_s:.1f} s")


def _state_bar(span: Span, state: str, *longer: str) -> Bar:
    return Bar(span, _LOOK_OF.get(state, Look.WAITING), (*longer, state))


def _transport_bars(timeline: Timeline) -> tuple[Bar, ...]:
    states = reading.state_spans(timeline, "client", "transport_state")
    # To the transport "disconnected" is where it starts and where it was told to go, not a loss.
    return tuple(
        Bar(span, Look.ENDED, (state,)) if state == "disconnected" else _state_bar(span, state)
        for span, state in states
    )


def _path_bars(timeline: Timeline) -> tuple[Bar, ...]:
    """Return the states of each connection until the next one: by liveness, or else by ICE's own word."""
    known = next(timeline.select("client", "liveness"), None)
    kind = "ice_state" if known is None else "liveness"
    away = reading.disconnected(timeline)
    return (
        *(
            _state_bar(piece, state, f"{number}: {state}")
            for number, reign in _reigns(timeline, kind)
            for span, state in reading.state_spans(timeline, "client", kind, connection=number)
            for shown in common((span,), (reign,))
            for piece in without(shown, away)
        ),
        *_off_bars(timeline, away, away),
    )


def _off_bars(timeline: Timeline, off: Iterable[Span], away: Sequence[Span]) -> Iterator[Bar]:
    """Return bars for when the user had switched something off, or, as ``away`` says, had disconnected."""
    whole = (Span(0.0, reading.end_s(timeline)),)
    for span in common(off, whole):
        gone = any(one.began_s <= span.began_s and span.ended_s <= one.ended_s for one in away)
        yield Bar(span, Look.ENDED, ("disconnected by the user", "disconnected", "off") if gone else ("off",))


def _reigns(timeline: Timeline, kind: str) -> tuple[tuple[int, Span], ...]:
    """Return each connection of the client with the time until the next one appeared."""
    first_s: dict[int, float] = {}
    for event in timeline.select("client", "offer", kind):
        first_s.setdefault(event["connection"], event.t_s)
    numbers = sorted(first_s)
    ends_s = [first_s[number] for number in numbers[1:]] + [math.inf]
    return tuple((n, Span(first_s[n], to_s)) for n, to_s in zip(numbers, ends_s, strict=False))


def _marks(timeline: Timeline) -> tuple[Mark, ...]:
    found = (Mark(e.t_s, what) for what, event in MARKS.items() for e in timeline.select(*event))
    return tuple(sorted(found, key=lambda mark: mark.t_s))


def _probe_lane(timeline: Timeline, channel: Channel) -> Lane:
    return Lane(
        _CHANNEL_NAMES[channel], tuple(_probe_bars(timeline, channel)), empty="not watched: never ready"
    )


def _probe_bars(timeline: Timeline, channel: Channel) -> Iterator[Bar]:
    from_s = reading.watched_from_s(timeline)
    if from_s is None:
        return
    watched = Span(from_s, max(from_s, reading.end_s(timeline)))
    off = common(reading.switched_off(timeline, channel), (watched,))
    yield from (Bar(span, Look.GOOD, ()) for span in (without(watched, off) if off else (watched,)))
    yield from _off_bars(timeline, off, reading.disconnected(timeline))
    for span in reading.gaps(timeline, channel):
        seen = _clipped(timeline, span)
        yield Bar(seen, Look.BAD, (f"silent for {seen.length_s:.1f} s", f"{seen.length_s:.1f} s"))


def _server_bars(timeline: Timeline) -> tuple[Bar, ...]:
    """Return the states of each of the server's connections, each connection in a row while it is open."""
    pc_ids = list(dict.fromkeys(e["pc_id"] for e in timeline.select("server", "connection_opened")))
    lives = [Bar(_life(timeline, pc_id), Look.GOOD, (pc_id,)) for pc_id in pc_ids]
    return tuple(
        bar for life in in_rows(lives) for bar in _life_bars(timeline, life, pc_ids.index(life.texts[0]) + 1)
    )


def _life(timeline: Timeline, pc_id: str) -> Span:
    opened, *later = (e.t_s for e in timeline.select("server", "connection_opened") if e["pc_id"] == pc_id)
    closed = [e.t_s for e in timeline.select("server", "connection_closed") if e["pc_id"] == pc_id]
    end_s = reading.end_s(timeline)
    since_s = max([opened, *later])
    last_s = closed[-1] if closed and closed[-1] >= since_s else end_s
    killed_s = [t_s for t_s in reading.killed_s(timeline) if t_s >= since_s]
    return Span(min(opened, end_s), min(last_s, end_s, *killed_s))


def _life_bars(timeline: Timeline, life: Bar, number: int) -> Sequence[Bar]:
    states = reading.state_spans(timeline, "server", "connection_state", pc_id=life.texts[0])
    bars = [
        replace(_state_bar(piece, state, f"{number}: {state}"), row=life.row)
        for span, state in states
        for piece in common((span,), (life.span,))
    ]
    return bars or [replace(life, texts=(f"{number}: open", str(number)))]
