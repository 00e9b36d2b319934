"""A session told in plain sentences."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from simlab.core.timeline import Event, Timeline
from simlab.study import reading
from simlab.study.account_ice import ice_told
from simlab.study.outages import Outage, outages
from simlab.study.reading import MEDIA, VIDEO, Channel, Fault
from simlab.study.spans import Span
from simlab.study.storm_words import storm_account
from simlab.study.words import count, listed, never_ready

_NAMES = {
    Channel("message", "up"): "messages to the server",
    Channel("message", "down"): "messages to the client",
    Channel("media", "up"): "the microphone",
    Channel("media", "down"): "the bot's voice",
    Channel("video", "up"): "the camera",
    Channel("video", "down"): "the bot's video",
}
_WAYS = {"both": "both ways", "up": "from client to server", "down": "from server to client"}
_ACTIONS = {
    "recreate": "re-created the connection",
    "restart_ice": "restarted ICE",
    "reoffer": "made a new offer",
}
_MOST_TIMES_TOLD = 4
# Told in this order where several things happened in the same microsecond.
_FAULT, _OUTAGE, _NOTICED, _POLICY, _OVER, _VIOLATION = range(6)

# How close two events are that are told as one.
_SAME_S = 1.0

# How close two attempts are that are told in one sentence.
_CLOSE_S = 10.0

_Told = tuple[float, int, str]


def account(timeline: Timeline, metrics: Mapping[str, Any]) -> list[str]:
    """Tell what happened in a session, in time order, a sentence or two an item.

    Parameters
    ----------
    timeline
        The session.
    metrics
        What ``metrics(timeline)`` says of it.
    """
    if "storm" in metrics:
        return storm_account(timeline, metrics)
    found = outages(timeline)
    told: list[_Told] = [
        *_connecting(timeline, metrics),
        *(line for fault in reading.faults(timeline) for line in _fault(timeline, fault, found)),
        *(line for outage in found for line in _outage(timeline, outage)),
        *((t_s, _NOTICED, text) for t_s, text in ice_told(timeline)),
        *_noticed(timeline, found),
        *_outside(timeline, found),
        *_own_client(timeline),
        *(
            (v["t_s"], _VIOLATION, f"Violated ({v['invariant']}): {v['detail']}.")
            for v in metrics["violations"]
        ),
    ]
    return [text for _, _, text in sorted(told)] + [*_unlike_asked(metrics), *_end(timeline, metrics)]


def _connecting(timeline: Timeline, metrics: Mapping[str, Any]) -> Iterator[_Told]:
    connect = metrics["connect"]
    ready_s = connect["bot_ready_s"]
    names = {"offer_s": "answer", "ice_s": "ICE", "dtls_s": "DTLS", "channel_s": "data channel"}
    phases = ", ".join(
        f"{name} {connect[key]:.2f} s" for key, name in names.items() if connect[key] is not None
    )
    reached = f" ({phases})" if phases else ""
    if ready_s is not None:
        yield ready_s, _OVER, f"The client was ready after {ready_s:.2f} s{reached}."
        return
    tried = _attempts_text(list(timeline.select("policy", "attempt")))
    end_s = reading.end_s(timeline)
    yield end_s, _OUTAGE, f"{never_ready(timeline)}{reached}. {tried}".strip()


def _own_client(timeline: Timeline) -> Iterator[_Told]:
    """Tell of a client of the user's own that ended before the session."""
    for event in timeline.select("client", "ended"):
        how = f"raised {event['error']}" if event["outcome"] == "raised" else "returned"
        yield event.t_s, _NOTICED, f"At {event.t_s:.1f} s the client's own function {how}."


def _fault(timeline: Timeline, fault: Fault, found: Sequence[Outage]) -> Iterator[_Told]:
    span = fault.span
    began, ended = f"{span.began_s:.1f} s", f"{span.ended_s:.1f} s"
    until = "to the end" if span.is_open else f"until {ended}"
    when = f"At {began}" if span.ended_s == span.began_s else f"From {began} {until}"
    felt = any(span.meets(outage.span) for outage in found)
    watched_s = reading.watched_from_s(timeline)
    unfelt = "" if felt or watched_s is None or span.ended_s < watched_s else " No probe was missed."
    yield (
        span.began_s,
        _FAULT,
        f"{when}: {_fault_text(fault)}.{unfelt}",
    )


def _fault_text(fault: Fault) -> str:
    settings = fault.settings
    match, how, direction = (settings.get(name) for name in ("match", "how", "direction"))
    details = [
        fault.kind,
        f"of {', '.join(match)}" if match else "",
        f"({how})" if how else "",
        _WAYS.get(direction, direction) if direction and fault.kind != "signalling" else "",
    ]
    return f"{' '.join(filter(None, details))} [fault {fault.index}]"


def _outage(timeline: Timeline, outage: Outage) -> Iterator[_Told]:
    silent = [_NAMES[c] for c in reading.channels(timeline) if _touches(timeline, c, outage)]
    what = "everything" if len(silent) == len(reading.channels(timeline)) else listed(silent)
    told_s = _told_s(timeline, outage.began_s)
    yield told_s, _OUTAGE, f"At {outage.began_s:.1f} s {what} stopped: an outage began."
    yield from _partly(timeline, outage)
    inside = [event for event in timeline.select("policy", "attempt") if outage.span.holds(event.t_s)]
    for row in _rows(inside):
        span = Span(row[0].t_s, row[-1].t_s + _SAME_S)
        failed = [e for e in timeline.select("client", "offer_failed") if span.holds(e.t_s)]
        yield row[0].t_s, _POLICY, f"{_attempts_text(row)}{_failed_text(failed)}"
    for event in timeline.select("policy", "give_up"):
        if outage.span.holds(event.t_s):
            yield event.t_s, _POLICY, _gave_up(event)
    yield from _over(timeline, outage)


def _told_s(timeline: Timeline, silent_from_s: float) -> float:
    # The last arrival comes a little before the fault that made it the last: told the other way round.
    begun_s = (fault.span.began_s for fault in reading.faults(timeline))
    return max((t_s for t_s in begun_s if 0.0 <= t_s - silent_from_s <= _SAME_S), default=silent_from_s)


def _partly(timeline: Timeline, outage: Outage) -> Iterator[_Told]:
    """Tell of messages that passed for a while, or for good, while something else did not."""
    for span in reading.message_gaps(timeline):
        if not span.meets(outage.span):
            continue
        if span.began_s > outage.began_s + _SAME_S:
            told_s = _told_s(timeline, span.began_s)
            yield told_s, _OUTAGE, f"At {span.began_s:.1f} s messages stopped too."
        if span.ended_s < outage.span.ended_s - _SAME_S:
            silent = [_NAMES[c] for c in MEDIA + VIDEO if _is_silent(timeline, c, span.ended_s)]
            but = f", but not {listed(silent)}" if silent else ""
            yield span.ended_s, _OVER, f"At {span.ended_s:.1f} s messages passed again both ways{but}."


def _is_silent(timeline: Timeline, channel: Channel, t_s: float) -> bool:
    return any(span.holds(t_s) and span.ended_s > t_s + _SAME_S for span in reading.gaps(timeline, channel))


def _touches(timeline: Timeline, channel: Channel, outage: Outage) -> bool:
    return any(span.meets(outage.span) for span in reading.gaps(timeline, channel))


def _noticed(timeline: Timeline, found: Sequence[Outage]) -> Iterator[_Told]:
    """Tell when the client took the path for bad: in time, again, or though everything passed."""
    lost = [e for e in timeline.select("client", "liveness") if e["state"] in {"disconnected", "failed"}]
    for event in lost[:_MOST_TIMES_TOLD]:
        outage = next((o for o in found if o.span.holds(event.t_s)), None)
        if outage is None:
            how = f"took the path for dead ({event['state']}), though everything passed"
        elif outage.detected_s == round(event.t_s - outage.began_s, 6):
            how = f"noticed ({event['state']}), {outage.detected_s:.1f} s into the outage"
        else:
            how = f"took the path for dead again ({event['state']})"
        yield event.t_s, _NOTICED, f"At {event.t_s:.1f} s the client {how}."
    if len(lost) > _MOST_TIMES_TOLD:
        last_s = lost[-1].t_s
        yield last_s, _NOTICED, f"At {last_s:.1f} s the client took the path for dead the {len(lost)}th time."


def _rows(attempts: Sequence[Event]) -> list[list[Event]]:
    """Split attempts into rows that are told in one sentence: close ones, or all where there are many."""
    rows: list[list[Event]] = []
    for attempt in attempts:
        close = rows and attempt.t_s - rows[-1][-1].t_s < _CLOSE_S
        if close or len(attempts) > _MOST_TIMES_TOLD:
            rows = rows or [[]]
            rows[-1].append(attempt)
        else:
            rows.append([attempt])
    return rows


def _attempts_text(attempts: Sequence[Event]) -> str:
    if not attempts:
        return ""
    times = [f"{event.t_s:.1f}" for event in attempts]
    if len(times) > _MOST_TIMES_TOLD:
        when = f"from {times[0]} s to {times[-1]} s, {len(times)} times"
    else:
        when = f"at {listed(times)} s"
    actions = dict.fromkeys(_ACTIONS.get(event["action"], event["action"]) for event in attempts)
    return f"The policy {listed(list(actions))} {when}."


def _failed_text(failed: Sequence[Event]) -> str:
    if not failed:
        return ""
    reasons = Counter(str(e.data.get("error") or f"status {e.data.get('status')}") for e in failed)
    why = ", ".join(f"{reason} {n} times" if n > 1 else reason for reason, n in reasons.items())
    return f" {count(len(failed), 'offer')} failed: {why}."


def _gave_up(event: Event) -> str:
    return f"At {event.t_s:.1f} s the policy gave up" + (f": {event['cause']}." if event["cause"] else ".")


def _over(timeline: Timeline, outage: Outage) -> Iterator[_Told]:
    if outage.ended_s is None or outage.recovered_s is None:
        in_use = reading.channels(timeline)
        missing = [_NAMES[c] for c in in_use if _is_silent(timeline, c, reading.end_s(timeline))]
        text = (
            "nothing ever came back" if len(missing) == len(in_use) else f"{listed(missing)} never came back"
        )
        lasted_s = reading.end_s(timeline) - outage.began_s
        yield (
            reading.end_s(timeline),
            _OVER,
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
        _OVER,
        f"At {outage.ended_s:.1f} s all passed again, {how}: {outage.recovered_s:.1f} s of outage{healed}.",
    )


def _outside(timeline: Timeline, found: Sequence[Outage]) -> Iterator[_Told]:
    """Tell of what the policy did outside every outage, once the client was ready."""
    from_s = reading.watched_from_s(timeline)
    if from_s is None:
        return
    spans = [Span(from_s, from_s), *(outage.span for outage in found)]
    attempts = [
        event
        for event in timeline.select("policy", "attempt")
        if event.t_s >= from_s and not any(span.holds(event.t_s) for span in spans)
    ]
    if attempts:
        yield attempts[0].t_s, _POLICY, f"{_attempts_text(attempts)} There was no outage then."


def _unlike_asked(metrics: Mapping[str, Any]) -> Iterator[str]:
    for way, link in metrics["links"].items():
        for row in link.get("realised", ()):
            if row["held"] is False:
                was = f"{row['setting']} was {row['realised']}, requested {row['requested']}"
                yield f"The network was not as asked for, {_WAYS[way]}: {was}."


def _end(timeline: Timeline, metrics: Mapping[str, Any]) -> Iterator[str]:
    for event in timeline.select("session", "failed"):
        yield f"The session failed at {event.t_s:.1f} s ({event['stage']}): {event['reason']}."
    sides = ((metrics["messages"][way], way) for way in ("up", "down"))
    lost = [f"{side['lost']} of {side['sent']} {way}" for side, way in sides if side["sent"]]
    state = metrics["final_state"]
    usable = f"{metrics['usable_fraction']:.1%} of {metrics['duration_s']:g} s was usable"
    messages = f"; messages lost: {', '.join(lost)}" if lost else ""
    yield f"In all, {usable}{messages}" + (f"; the transport's last word was {state}." if state else ".")
