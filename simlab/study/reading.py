"""What the other modules of the study read out of a timeline: probe gaps, faults, states."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from simlab.core.packet import Direction
from simlab.core.timeline import Event, Timeline
from simlab.study.spans import Span, common, union, without

DIRECTIONS = (Direction.UP, Direction.DOWN)

# What is left of a gap in the messages before or after a silence that was meant is one of its own only where
# it is as long as the shortest that the probes record.
_SHORTEST_GAP_S = 1.0


@dataclass(frozen=True, slots=True)
class Channel:
    """Something that the probes watch in one direction.

    Parameters
    ----------
    what
        ``"message"``, ``"media"`` (sound) or ``"video"``.
    direction
        ``"up"`` (client to server) or ``"down"``.
    """

    what: str
    direction: str


MESSAGES = tuple(Channel("message", direction) for direction in DIRECTIONS)
MEDIA = tuple(Channel("media", direction) for direction in DIRECTIONS)
VIDEO = tuple(Channel("video", direction) for direction in DIRECTIONS)


@dataclass(frozen=True)
class Fault:
    """A fault as it was played.

    Parameters
    ----------
    index
        Its place in the scenario.
    kind
        ``"blackout"`` and so on.
    span
        When it was active; never ended if it outlasted the session.
    settings
        The fields of its ``begin`` event.
    """

    index: int
    kind: str
    span: Span
    settings: Mapping[str, Any]


def has_media(timeline: Timeline) -> bool:
    """Tell whether the session carried sound."""
    return "audio" in timeline.header.get("media", ())


def has_video(timeline: Timeline) -> bool:
    """Tell whether the session carried pictures."""
    return "video" in timeline.header.get("media", ())


def channels(timeline: Timeline) -> tuple[Channel, ...]:
    """Return the probe channels in use: messages both ways, and sound and pictures if there are any."""
    sound = MEDIA if has_media(timeline) else ()
    return MESSAGES + sound + (VIDEO if has_video(timeline) else ())


def gaps(timeline: Timeline, channel: Channel) -> tuple[Span, ...]:
    """Return the stretches in which nothing arrived on a channel, from one arrival to the next."""
    spans: list[Span] = []
    since_s: float | None = None
    for event in timeline.select("probe", "lost", "back"):
        if (event["what"], event["direction"]) != (channel.what, channel.direction):
            continue
        if event.kind == "back":
            spans.append(Span(event.t_s - event["gap_s"] if since_s is None else since_s, event.t_s))
            since_s = None
        elif since_s is None:
            since_s = event["since_s"]
    if since_s is not None:
        spans.append(Span(since_s, math.inf))
    meant = meant_silences(timeline, channel)
    return union(piece for span in spans for piece in _unmeant(span, meant))


def _unmeant(span: Span, meant: tuple[Span, ...]) -> tuple[Span, ...]:
    if not common((span,), meant):
        return (span,)
    return tuple(piece for piece in without(span, meant) if piece.length_s > _SHORTEST_GAP_S)


def meant_silences(timeline: Timeline, channel: Channel) -> tuple[Span, ...]:
    """Return the stretches in which the application did not want anything to arrive on a channel.

    From ``disconnect`` until ``connect`` it wants no connection; from ``mute`` until ``unmute`` it wants
    nothing to be heard from the microphone, and from ``camera-off`` until ``camera-on`` nothing to be seen.
    Somebody's own server or client may have nothing to say.
    """
    return union([*switched_off(timeline, channel), *quiet_spans(timeline, channel)])


def switched_off(timeline: Timeline, channel: Channel) -> tuple[Span, ...]:
    """Return the stretches in which the application had disconnected, or switched the channel off."""
    switches = {
        Channel("media", Direction.UP): ("mute", "unmute"),
        Channel("video", Direction.UP): ("camera-off", "camera-on"),
    }
    pairs = [("disconnect", "connect"), *([switches[channel]] if channel in switches else [])]
    return union(span for off, on in pairs for span in _between(timeline, off, on))


def disconnected(timeline: Timeline) -> tuple[Span, ...]:
    """Return the stretches from the application's ``disconnect`` until its ``connect``."""
    return union(_between(timeline, "disconnect", "connect"))


def quiet_spans(timeline: Timeline, channel: Channel) -> tuple[Span, ...]:
    """Return when an application of somebody's own sent silence on a channel, or had no voice yet."""
    last_s = end_s(timeline) - _SHORTEST_GAP_S  # what ends later leaves nothing to be missed
    return tuple(
        Span(event["since_s"], math.inf if event.t_s >= last_s else event.t_s)
        for event in timeline.select("probe", "quiet")
        if (event["what"], event["direction"]) == (channel.what, channel.direction)
    )


def _between(timeline: Timeline, off: str, on: str) -> Iterator[Span]:
    since_s: float | None = None
    for event in timeline.select("client", "action"):
        if event["do"] == off and since_s is None:
            since_s = event.t_s
        elif event["do"] == on and since_s is not None:
            yield Span(since_s, event.t_s)
            since_s = None
    if since_s is not None:
        yield Span(since_s, math.inf)


def message_gaps(timeline: Timeline) -> tuple[Span, ...]:
    """Return the stretches in which messages did not pass in both directions."""
    return union(span for channel in MESSAGES for span in gaps(timeline, channel))


def all_gaps(timeline: Timeline) -> tuple[Span, ...]:
    """Return the stretches in which any of the channels in use did not pass."""
    return union(span for channel in channels(timeline) for span in gaps(timeline, channel))


def dead_spans(timeline: Timeline) -> tuple[Span, ...]:
    """Return the stretches in which nothing passed on any of the channels in use."""
    first, *others = (gaps(timeline, channel) for channel in channels(timeline))
    for spans in others:
        first = common(first, spans)
    return first


def faults(timeline: Timeline) -> tuple[Fault, ...]:
    """Return the faults in the order in which they began."""
    begun: dict[int, Event] = {}
    ended: list[tuple[Event, float]] = []
    for event in timeline.select("fault"):
        if event.kind == "begin":
            begun[event["index"]] = event
        elif event["index"] in begun:
            ended.append((begun.pop(event["index"]), event.t_s))
    ended += [(event, math.inf) for event in begun.values()]
    found = (Fault(e["index"], e["fault"], Span(e.t_s, end_s), e.data) for e, end_s in ended)
    return tuple(sorted(found, key=lambda fault: (fault.span.began_s, fault.index)))


def killed_s(timeline: Timeline) -> tuple[float, ...]:
    """Return when the server was killed: it then holds no connections any more, and could not say so."""
    return tuple(fault.span.began_s for fault in faults(timeline) if fault.kind == "server-restart")


def duration_s(timeline: Timeline) -> float:
    """Return how long the scenario was to last; the time of the last event where the header does not say."""
    return float(timeline.header.get("duration_s", timeline.duration_s))


def end_s(timeline: Timeline) -> float:
    """Return when the session ended: its ``end`` or ``failed`` event, or else its last event.

    It is never later than the scenario's duration: what comes after is the clearing up.
    """
    ends_s = [event.t_s for event in timeline.select("session", "end", "failed")]
    return min(ends_s[0] if ends_s else timeline.duration_s, duration_s(timeline))


def good_spans(timeline: Timeline) -> tuple[Span, ...]:
    """Return the stretches of the session in which no fault was active."""
    whole = Span(0.0, end_s(timeline))
    return without(whole, (fault.span for fault in faults(timeline)))


def watched_from_s(timeline: Timeline) -> float | None:
    """Return when the client was first ready, from which the probes watch; None if it never was."""
    return next((event.t_s for event in timeline.select("client", "bot_ready")), None)


def connect_outcome(timeline: Timeline) -> Event | None:
    """Return what became of the first ``connect()``; None where it was never decided."""
    return next(timeline.select("client", "connect"), None)


def state_spans(timeline: Timeline, source: str, kind: str, **where: Any) -> tuple[tuple[Span, str], ...]:
    """Return each state with the stretch in which it held; the last one lasts to the end of the session.

    Parameters
    ----------
    source, kind
        Of the events, which carry a ``state``.
    where
        Fields with the values that an event must have to count.
    """
    last_s = end_s(timeline)
    events = [
        e
        for e in timeline.select(source, kind)
        if e.t_s < last_s and all(e.data.get(name) == value for name, value in where.items())
    ]
    ends_s = [event.t_s for event in events[1:]] + [last_s]
    return tuple((Span(e.t_s, until_s), e["state"]) for e, until_s in zip(events, ends_s, strict=False))
