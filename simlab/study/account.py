"""A session told in plain sentences."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from simlab.core.timeline import Timeline
from simlab.study import reading
from simlab.study.account_actions import actions_told
from simlab.study.account_ice import ice_told
from simlab.study.account_outage import attempts_text, failed_text, outage_told
from simlab.study.link_changes import LinkChange, changes_told
from simlab.study.outages import Outage, outages, overlap
from simlab.study.reading import Fault
from simlab.study.spans import Span, common, total_s
from simlab.study.storm_words import storm_account
from simlab.study.told import MOST_TIMES_TOLD, Rank, Told
from simlab.study.words import never_ready, share_text

_QUIET_TOLD_S = 1.0
_WAYS = {"both": "both ways", "up": "from client to server", "down": "from server to client"}


def account(timeline: Timeline, metrics: Mapping[str, Any], changes: Sequence[LinkChange] = ()) -> list[str]:
    """Tell what happened in a session, in time order, a sentence or two an item.

    Parameters
    ----------
    timeline
        The session.
    metrics
        What ``metrics(timeline)`` says of it.
    changes
        Of its links; those of a session with several clients are not told.
    """
    if "storm" in metrics:
        return storm_account(timeline, metrics)
    found = outages(timeline)
    told: list[Told] = [
        *_connecting(timeline, metrics),
        *actions_told(timeline),
        *changes_told(changes, reading.end_s(timeline)),
        *(line for fault in reading.faults(timeline) for line in _fault(timeline, fault, found)),
        *(line for outage in found for line in outage_told(timeline, outage)),
        *((t_s, Rank.NOTICED, text) for t_s, text in ice_told(timeline)),
        *_noticed(timeline, found),
        *_outside(timeline, found),
        *_own_client(timeline),
        *(
            (v["t_s"], Rank.VIOLATION, f"Violated ({v['invariant']}): {v['detail']}.")
            for v in metrics["violations"]
        ),
    ]
    end = (*_quiet(timeline), *_unlike_asked(metrics), *_end(timeline, metrics))
    return [text for _, _, text in sorted(told)] + [*end]


def _connecting(timeline: Timeline, metrics: Mapping[str, Any]) -> Iterator[Told]:
    connect = metrics["connect"]
    ready_s = connect["bot_ready_s"]
    names = {"offer_s": "answer", "ice_s": "ICE", "dtls_s": "DTLS", "channel_s": "data channel"}
    phases = ", ".join(
        f"{name} {connect[key]:.2f} s" for key, name in names.items() if connect[key] is not None
    )
    reached = f" ({phases})" if phases else ""
    if ready_s is not None:
        yield ready_s, Rank.OVER, f"The client was ready after {ready_s:.2f} s{reached}."
        return
    tried = attempts_text(list(timeline.select("policy", "attempt")))
    failed = failed_text(list(timeline.select("client", "offer_failed")))
    end_s = reading.end_s(timeline)
    yield end_s, Rank.OUTAGE, f"{never_ready(timeline)}{reached}. {tried}".strip() + failed


def _own_client(timeline: Timeline) -> Iterator[Told]:
    """Tell of a client of the user's own that ended before the session."""
    for event in timeline.select("client", "ended"):
        how = f"raised {event['error']}" if event["outcome"] == "raised" else "returned"
        yield event.t_s, Rank.NOTICED, f"At {event.t_s:.1f} s the client's own function {how}."


def _fault(timeline: Timeline, fault: Fault, found: Sequence[Outage]) -> Iterator[Told]:
    span = fault.span
    began, ended = f"{span.began_s:.1f} s", f"{span.ended_s:.1f} s"
    until = "to the end" if span.is_open else f"until {ended}"
    when = f"At {began}" if span.ended_s == span.began_s else f"From {began} {until}"
    felt = any(overlap(span, outage.span) for outage in found)
    watched_s = reading.watched_from_s(timeline)
    unfelt = "" if felt or watched_s is None or span.ended_s < watched_s else " No probe was missed."
    yield (
        span.began_s,
        Rank.FAULT,
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


def _noticed(timeline: Timeline, found: Sequence[Outage]) -> Iterator[Told]:
    """Tell when the client took the path for bad: in time, again, or though everything passed."""
    lost = [e for e in timeline.select("client", "liveness") if e["state"] in {"disconnected", "failed"}]
    for event in lost[:MOST_TIMES_TOLD]:
        outage = next((o for o in found if o.span.holds(event.t_s)), None)
        if outage is None:
            how = f"took the path for dead ({event['state']}), though everything passed"
        elif outage.detected_s == round(event.t_s - outage.began_s, 6):
            how = f"noticed ({event['state']}), {outage.detected_s:.1f} s into the outage"
        else:
            how = f"took the path for dead again ({event['state']})"
        yield event.t_s, Rank.NOTICED, f"At {event.t_s:.1f} s the client {how}."
    if len(lost) > MOST_TIMES_TOLD:
        last_s = lost[-1].t_s
        yield (
            last_s,
            Rank.NOTICED,
            f"At {last_s:.1f} s the client took the path for dead the {len(lost)}th time.",
        )


def _outside(timeline: Timeline, found: Sequence[Outage]) -> Iterator[Told]:
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
        yield attempts[0].t_s, Rank.POLICY, f"{attempts_text(attempts)} There was no outage then."


def _unlike_asked(metrics: Mapping[str, Any]) -> Iterator[str]:
    for way, link in metrics["links"].items():
        for row in link.get("realised", ()):
            if row["held"] is False:
                was = f"{row['setting']} was {row['realised']}, requested {row['requested']}"
                yield f"The network was not as asked for, {_WAYS[way]}: {was}."


def _quiet(timeline: Timeline) -> Iterator[str]:
    """Tell how long a voice of somebody's own said nothing, which nobody missed, while it was listened to."""
    watched_s = reading.watched_from_s(timeline)
    if watched_s is None:
        return
    watched = (Span(watched_s, reading.end_s(timeline)),)
    for channel, who in zip(reading.MEDIA, ("client", "server"), strict=True):
        spans = common(watched, reading.quiet_spans(timeline, channel))
        if spans == watched:
            yield f"The {who}'s voice said nothing by itself, all the time."
        elif total_s(spans) >= _QUIET_TOLD_S:
            to_the_end = spans[-1].ended_s == watched[0].ended_s
            last = f", from {spans[-1].began_s:.1f} s to the end at last" if to_the_end else ""
            yield f"The {who}'s voice was silent by itself for {total_s(spans):.1f} s{last}."


def _end(timeline: Timeline, metrics: Mapping[str, Any]) -> Iterator[str]:
    for event in timeline.select("session", "failed"):
        yield f"The session failed at {event.t_s:.1f} s ({event['stage']}): {event['reason']}."
    sides = ((metrics["messages"][way], way) for way in ("up", "down"))
    lost = [f"{side['lost']} of {side['sent']} {way}" for side, way in sides if side["sent"]]
    state = metrics["final_state"]
    usable = f"{share_text(metrics['usable_fraction'])} of {metrics['duration_s']:g} s was usable"
    messages = f"; messages lost: {', '.join(lost)}" if lost else ""
    yield f"In all, {usable}{messages}" + (f"; the transport's last word was {state}." if state else ".")
