"""An outage of a session in sentences: what stopped, what was done about it, and how it ended."""

from collections import Counter
from collections.abc import Iterator, Sequence

from simlab.core.timeline import Event, Timeline
from simlab.study import reading
from simlab.study.outages import Outage
from simlab.study.reading import MEDIA, MESSAGES, VIDEO, Channel
from simlab.study.spans import Span
from simlab.study.told import MOST_TIMES_TOLD, Rank, Told
from simlab.study.words import count, listed

_NAMES = {
    Channel("message", "up"): "messages to the server",
    Channel("message", "down"): "messages to the client",
    Channel("media", "up"): "the microphone",
    Channel("media", "down"): "the bot's voice",
    Channel("video", "up"): "the camera",
    Channel("video", "down"): "the bot's video",
}
_ACTIONS = {
    "recreate": "re-created the connection",
    "restart_ice": "restarted ICE",
    "reoffer": "made a new offer",
}
# How close two events are that are told as one.
_SAME_S = 1.0

# Channels that fall silent so close to each other stopped together: a message every 100 ms, and its way.
_TOGETHER_S = 0.3

# How close two attempts are that are told in one sentence.
_CLOSE_S = 10.0


def outage_told(timeline: Timeline, outage: Outage) -> Iterator[Told]:
    """Yield the sentences of an outage, each with its time."""
    yield from _stopped(timeline, outage)
    yield from _passed_again(timeline, outage)
    inside = [event for event in timeline.select("policy", "attempt") if outage.span.holds(event.t_s)]
    for row in _rows(inside):
        span = Span(row[0].t_s, row[-1].t_s + _SAME_S)
        failed = [e for e in timeline.select("client", "offer_failed") if span.holds(e.t_s)]
        yield row[0].t_s, Rank.POLICY, f"{attempts_text(row)}{failed_text(failed)}"
    for event in timeline.select("policy", "give_up"):
        if outage.span.holds(event.t_s):
            yield event.t_s, Rank.POLICY, _gave_up(event)
    yield from _over(timeline, outage)


def _stopped(timeline: Timeline, outage: Outage) -> Iterator[Told]:
    """Tell what fell silent, those together that did so together."""
    began = sorted(_first_silences(timeline, outage), key=lambda one: one[0])
    while began:
        from_s = began[0][0]
        silent = [channel for t_s, channel in began if t_s <= from_s + _TOGETHER_S]
        began = began[len(silent) :]
        how = "stopped: an outage began" if from_s == outage.began_s else "stopped too"
        what = _silent_text(timeline, silent)
        yield _told_s(timeline, from_s), Rank.OUTAGE, f"At {from_s:.1f} s {what} {how}."


def _first_silences(timeline: Timeline, outage: Outage) -> Iterator[tuple[float, Channel]]:
    """Yield when each channel fell silent first: in the outage, or each time that messages stopped in it."""
    stretches = [(span, MESSAGES) for span in reading.message_gaps(timeline) if span.meets(outage.span)]
    for stretch, channels in [*stretches, (outage.span, MEDIA + VIDEO)]:
        for channel in channels:
            silences = [gap for gap in reading.gaps(timeline, channel) if gap.meets(stretch)]
            yield from ((gap.began_s, channel) for gap in silences[:1])


def _silent_text(timeline: Timeline, silent: Sequence[Channel]) -> str:
    in_use = reading.channels(timeline)
    if set(silent) == set(in_use):
        return "everything"
    names = ["messages"] if set(MESSAGES) <= set(silent) else [_NAMES[c] for c in MESSAGES if c in silent]
    return listed(names + [_NAMES[c] for c in in_use if c in silent and c not in MESSAGES])


def _told_s(timeline: Timeline, silent_from_s: float) -> float:
    # The last arrival comes a little before the fault that made it the last: told the other way round.
    begun_s = (fault.span.began_s for fault in reading.faults(timeline))
    return max((t_s for t_s in begun_s if 0.0 <= t_s - silent_from_s <= _TOGETHER_S), default=silent_from_s)


def _passed_again(timeline: Timeline, outage: Outage) -> Iterator[Told]:
    """Tell of messages that passed for a while, or for good, while something else did not."""
    for span in reading.message_gaps(timeline):
        if span.meets(outage.span) and span.ended_s < outage.span.ended_s - _SAME_S:
            silent = [_NAMES[c] for c in MEDIA + VIDEO if _is_silent(timeline, c, span.ended_s)]
            but = f", but not {listed(silent)}" if silent else ""
            yield span.ended_s, Rank.OVER, f"At {span.ended_s:.1f} s messages passed again both ways{but}."


def _is_silent(timeline: Timeline, channel: Channel, t_s: float) -> bool:
    return any(span.holds(t_s) and span.ended_s > t_s + _SAME_S for span in reading.gaps(timeline, channel))


def _rows(attempts: Sequence[Event]) -> list[list[Event]]:
    """Split attempts into rows that are told in one sentence: close ones, or all where there are many."""
    rows: list[list[Event]] = []
    for attempt in attempts:
        close = rows and attempt.t_s - rows[-1][-1].t_s < _CLOSE_S
        if close or len(attempts) > MOST_TIMES_TOLD:
            rows = rows or [[]]
            rows[-1].append(attempt)
        else:
            rows.append([attempt])
    return rows


def attempts_text(attempts: Sequence[Event]) -> str:
    """Say what the policy did, and when; nothing where it did nothing."""
    if not attempts:
        return ""
    times = [f"{event.t_s:.1f}" for event in attempts]
    if len(times) > MOST_TIMES_TOLD:
        when = f"from {times[0]} s to {times[-1]} s, {len(times)} times"
    else:
        when = f"at {listed(times)} s"
    actions = dict.fromkeys(_ACTIONS.get(event["action"], event["action"]) for event in attempts)
    return f"The policy {listed(list(actions))} {when}."


def failed_text(failed: Sequence[Event]) -> str:
    """Return ``" 3 offers failed: status 503 2 times, timeout."``, or nothing where none did."""
    if not failed:
        return ""
    reasons = Counter(str(e.data.get("error") or f"status {e.data.get('status')}") for e in failed)
    why = ", ".join(f"{reason} {n} times" if n > 1 else reason for reason, n in reasons.items())
    return f" {count(len(failed), 'offer')} failed: {why}."


def _gave_up(event: Event) -> str:
    return f"At {event.t_s:.1f} s the policy gave up" + (f": {event['cause']}." if event["cause"] else ".")


def _over(timeline: Timeline, outage: Outage) -> Iterator[Told]:
    if outage.ended_s is not None and outage.recovered_s is None:
        ended = f"that ended the outage, {outage.ended_s - outage.began_s:.1f} s after it began"
        text = f"At {outage.ended_s:.1f} s {ended}: what was missing had not come back."
        yield outage.ended_s, Rank.OVER, text
        return
    if outage.ended_s is None or outage.recovered_s is None:
        in_use = reading.channels(timeline)
        missing = [_NAMES[c] for c in in_use if _is_silent(timeline, c, reading.end_s(timeline))]
        text = (
            "nothing ever came back" if len(missing) == len(in_use) else f"{listed(missing)} never came back"
        )
        lasted_s = reading.end_s(timeline) - outage.began_s
        yield (
            reading.end_s(timeline),
            Rank.OVER,
            f"{text[0].upper()}{text[1:]}: the outage lasted to the end ({lasted_s:.1f} s).",
        )
        return
    healed = (
        ""
        if outage.after_heal_s is None
        else f", {outage.after_heal_s:.1f} s after the network was good again"
    )
    how = "after an attempt" if outage.outcome == "reconnected" else "by itself"
    yield (
        outage.ended_s,
        Rank.OVER,
        f"At {outage.ended_s:.1f} s all passed again, {how}: {outage.recovered_s:.1f} s of outage{healed}.",
    )
