"""What must never happen in a session, whatever the network did; judged from the timeline alone."""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from simlab.core.timeline import Timeline
from simlab.study import reading
from simlab.study.carrying import Links
from simlab.study.crowd import by_client, clients_in
from simlab.study.reading import Channel
from simlab.study.spans import Span, common, without

DEAD_LIMIT_S = 10.0
CONNECT_LIMIT_S = 60.0

_RECOVERED_BY = {
    "restart_ice": "the ICE restart",
    "recreate": "the re-creation",
    "reoffer": "the new offer",
}


@dataclass(frozen=True, slots=True)
class Violation:
    """An invariant that did not hold.

    Parameters
    ----------
    invariant
        A key of ``INVARIANTS``.
    t_s
        When the trouble began, in seconds since the session began.
    detail
        What was seen, as a sentence without a capital and a full stop.
    client_id
        Of which of several clients; None where there is one.
    """

    invariant: str
    t_s: float
    detail: str
    client_id: int | None = None

    def record(self) -> dict[str, Any]:
        """Return it as metrics.json has it."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True, slots=True)
class Recovery:
    """A moment at which messages passed again after an attempt of the policy.

    Parameters
    ----------
    t_s
        Seconds since the session began.
    by
        What brought it about, for a sentence.
    attempt_s
        When that attempt was made.
    """

    t_s: float
    by: str
    attempt_s: float


def violations(timeline: Timeline) -> tuple[Violation, ...]:
    """Return every violation, in time order."""
    found = _of_one(timeline) if clients_in(timeline) == 1 else _of_several(timeline)
    return tuple(sorted(found, key=lambda violation: violation.t_s))


def _of_one(timeline: Timeline) -> Iterator[Violation]:
    return (violation for check in INVARIANTS.values() for violation in check(timeline))


def _of_several(timeline: Timeline) -> Iterator[Violation]:
    yield from _virtual_clock(timeline)
    for number, one in by_client(timeline).items():
        known = (violation for violation in _of_one(one) if violation.invariant != "virtual-clock")
        yield from (replace(violation, client_id=number) for violation in known)


def recoveries(timeline: Timeline) -> tuple[Recovery, ...]:
    """Return the moments at which messages passed both ways again after an attempt.

    Either a gap in the messages ended that had an attempt in it, or in which the channel of a connection
    after the first one opened: an offer may be under way for longer than the gap that it is for. Or such a
    channel opened without a gap: a healthy connection is replaced faster than the probes can miss it.
    """
    silent = reading.message_gaps(timeline)
    opened_s = [e.t_s for e in timeline.select("client", "channel_open") if e["connection"] > 1]
    ended = [span for span in silent if not span.is_open]
    moments_s = {span.ended_s for span in ended if _attempt_in(timeline, span)}
    moments_s |= {span.ended_s for span in ended if any(map(span.holds, opened_s))}
    moments_s |= {t_s for t_s in opened_s if not any(span.holds(t_s) for span in silent)}
    return tuple(recovery for t_s in sorted(moments_s) if (recovery := _recovery(timeline, t_s)))


def _attempt_in(timeline: Timeline, span: Span) -> bool:
    return any(span.holds(event.t_s) for event in timeline.select("policy", "attempt"))


def _recovery(timeline: Timeline, t_s: float) -> Recovery | None:
    attempts = [event for event in timeline.select("policy", "attempt") if event.t_s <= t_s]
    if not attempts:
        return None
    action = attempts[-1]["action"]
    return Recovery(t_s, _RECOVERED_BY.get(action, action), attempts[-1].t_s)


def until(timeline: Timeline, span: Span) -> str:
    """Say when a stretch was, and how long: ``"from 51.2 s to the end (68.8 s)"``."""
    end_s = reading.end_s(timeline)
    last_s = min(span.ended_s, end_s)
    to = "the end" if span.ended_s >= end_s else f"{span.ended_s:.1f} s"
    return f"from {span.began_s:.1f} s to {to} ({last_s - span.began_s:.1f} s)"


def _ready_but_dead(timeline: Timeline) -> Iterator[Violation]:
    states = reading.state_spans(timeline, "client", "transport_state")
    ready = (span for span, state in states if state == "ready")
    dead_though_ready = common(reading.dead_spans(timeline), ready)
    links = Links(timeline)
    dead = common(dead_though_ready, reading.good_spans(timeline))
    for span in links.carrying(span for span in dead if span.length_s > DEAD_LIMIT_S):
        if span.length_s > DEAD_LIMIT_S:
            detail = (
                f"the transport said ready {until(timeline, span)}, but nothing passed in either direction"
            )
            yield Violation("ready-but-dead", span.began_s, f"{detail}, although {links.told(span)}")


def _connect_undecided(timeline: Timeline) -> Iterator[Violation]:
    if next(timeline.select("client"), None) is None:
        return
    outcome = reading.connect_outcome(timeline)
    undecided = Span(0.0, math.inf if outcome is None else outcome.t_s)
    links = Links(timeline)
    waited = common(reading.good_spans(timeline), (undecided,))
    for span in links.carrying(span for span in waited if span.length_s >= CONNECT_LIMIT_S):
        if span.length_s >= CONNECT_LIMIT_S:
            detail = f"connect() was neither resolved nor rejected {until(timeline, span)}"
            yield Violation("connect-undecided", span.began_s, f"{detail}, although {links.told(span)}")
            return


def _microphone_dead(timeline: Timeline) -> Iterator[Violation]:
    heard = "heard from the microphone"
    return _media_dead(timeline, Channel("media", "up"), "microphone-dead-after-recovery", heard)


def _bot_voice_dead(timeline: Timeline) -> Iterator[Violation]:
    return _media_dead(
        timeline, Channel("media", "down"), "bot-voice-dead-after-recovery", "heard from the bot"
    )


def _camera_dead(timeline: Timeline) -> Iterator[Violation]:
    seen = "seen from the camera"
    return _media_dead(timeline, Channel("video", "up"), "camera-dead-after-recovery", seen)


def _bot_video_dead(timeline: Timeline) -> Iterator[Violation]:
    return _media_dead(
        timeline, Channel("video", "down"), "bot-video-dead-after-recovery", "seen from the bot"
    )


def _media_dead(timeline: Timeline, channel: Channel, invariant: str, what: str) -> Iterator[Violation]:
    if channel not in reading.channels(timeline):
        return
    recovered = recoveries(timeline)
    whole = Span(0.0, reading.end_s(timeline))
    passing = common(without(whole, reading.message_gaps(timeline)), reading.good_spans(timeline))
    for silence in reading.gaps(timeline, channel):
        stuck = (r for r in recovered if silence.holds(r.t_s) and _stays_dead(silence, r.t_s, passing))
        recovery = next(stuck, None)
        if recovery is not None:
            detail = (
                f"nothing was {what} {until(timeline, silence)}, although messages passed "
                f"again at {recovery.t_s:.1f} s after {recovery.by} at {recovery.attempt_s:.1f} s"
            )
            yield Violation(invariant, recovery.t_s, detail)


def _stays_dead(silence: Span, recovered_s: float, passing: Iterable[Span]) -> bool:
    # Counted afresh after each fault and each gap in the messages, so that a fault soon after the recovery
    # neither excuses the dead media for good nor is blamed on the recovery.
    rest = (Span(recovered_s, silence.ended_s),)
    return any(span.length_s >= DEAD_LIMIT_S for span in common(rest, passing))


def _virtual_clock(timeline: Timeline) -> Iterator[Violation]:
    for event in timeline.select("session", "leak"):
        yield Violation("virtual-clock", event.t_s, f"{event['place']}, {event['what']}")


INVARIANTS: dict[str, Callable[[Timeline], Iterable[Violation]]] = {
    "ready-but-dead": _ready_but_dead,
    "microphone-dead-after-recovery": _microphone_dead,
    "bot-voice-dead-after-recovery": _bot_voice_dead,
    "camera-dead-after-recovery": _camera_dead,
    "bot-video-dead-after-recovery": _bot_video_dead,
    "connect-undecided": _connect_undecided,
    "virtual-clock": _virtual_clock,
}
