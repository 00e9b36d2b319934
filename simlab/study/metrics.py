"""The numbers of one session: metrics.json."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from simlab.core.timeline import Event, Timeline
from simlab.study import reading
from simlab.study.crowd import by_client, clients_in, usable_spans
from simlab.study.invariants import violations
from simlab.study.outages import outages
from simlab.study.reading import DIRECTIONS, Channel
from simlab.study.spans import rounded_s, total_s
from simlab.study.storm import together


def metrics(timeline: Timeline) -> dict[str, Any]:
    """Return the metrics of a session, in the shape of metrics.json: see ``of_one`` and ``together``."""
    whole = of_one(timeline)
    if clients_in(timeline) == 1:
        return whole
    clients = by_client(timeline)
    return together(timeline, whole, {number: of_one(one) for number, one in clients.items()}, clients)


def of_one(timeline: Timeline) -> dict[str, Any]:
    """Return the metrics of a session with one client.

    Times are in seconds since the session began, and None where the thing never happened. Under the real
    clock there is ``relay`` besides: how late the relay sent packets, in the worse of the two directions, and
    how many the kernel dropped; and ``realised`` of each link, what its settings really did.
    ``expectations`` is empty; ``expect.judge`` returns what belongs there.
    """
    header = timeline.header
    found = {
        "profile": header.get("profile"),
        "policy": header.get("policy"),
        "seed": header.get("seed"),
        "clock": header.get("clock"),
        "duration_s": reading.duration_s(timeline),
        "wall_s": header.get("wall_s"),
        "connect": _connect(timeline),
        "final_state": _final_state(timeline),
        "usable_fraction": usable_fraction(timeline),
        "outages": [asdict(outage) for outage in outages(timeline)],
        "media": {way.value: _media(timeline, Channel("media", way)) for way in DIRECTIONS},
        "video": {way.value: _media(timeline, Channel("video", way)) for way in DIRECTIONS},
        "messages": {direction.value: _messages(timeline, direction) for direction in DIRECTIONS},
        "attempts": _attempts(timeline),
        "server": _server(timeline),
        "links": {direction.value: _link(timeline, direction) for direction in DIRECTIONS},
        "beyond_links": {"dropped": _dropped_beyond(timeline)},
        "violations": [violation.record() for violation in violations(timeline)],
        "expectations": [],
    }
    relay = _relay(timeline)
    return found | {"relay": relay} if relay else found


def usable_fraction(timeline: Timeline) -> float:
    """Return the share of the session, 0 to 1, in which messages passed both ways.

    It counts from the moment the client was ready, and against the whole duration of the scenario: the time
    that connecting took, and what is missing of a session that ended early, was not usable.
    """
    usable = usable_spans(timeline)
    return rounded_s(total_s(usable) / reading.duration_s(timeline)) if usable else 0.0


def _connect(timeline: Timeline) -> dict[str, float | None]:
    """Return when each phase of the first peer connection was over, and when the bot was ready at last."""
    first = [event for event in timeline.select("client") if event.data.get("connection") == 1]
    return {
        "offer_s": _first_s([e for e in first if e.kind == "answer" and e["status"] < 400]),
        "ice_s": _first_s(_in_state(first, "ice_state", "connected", "completed")),
        "dtls_s": _first_s(_in_state(first, "dtls_state", "connected")),
        "channel_s": _first_s([e for e in first if e.kind == "channel_open"]),
        "bot_ready_s": reading.watched_from_s(timeline),
    }


def _in_state(events: Sequence[Event], kind: str, *states: str) -> list[Event]:
    return [event for event in events if event.kind == kind and event["state"] in states]


def _first_s(events: Sequence[Event]) -> float | None:
    return events[0].t_s if events else None


def _final_state(timeline: Timeline) -> str | None:
    states = reading.state_spans(timeline, "client", "transport_state")
    return states[-1][1] if states else None


def _tally(timeline: Timeline, channel: Channel) -> Counter[str]:
    counts: Counter[str] = Counter()
    for event in timeline.select("probe", "tally"):
        if (event["what"], event["direction"]) == (channel.what, channel.direction):
            counts.update({name: n for name, n in event.data.items() if name not in ("what", "direction")})
    return counts


def _media(timeline: Timeline, channel: Channel) -> dict[str, Any]:
    """Return the sound or the pictures of one direction; zeros and False where the session carried none."""
    if channel not in reading.channels(timeline):
        return {"sent": 0, "received": 0, "longest_gap_s": 0.0, "alive_at_end": False}
    counts, end_s, silent = (
        _tally(timeline, channel),
        reading.end_s(timeline),
        reading.gaps(timeline, channel),
    )
    watched = reading.watched_from_s(timeline) is not None
    return {
        "sent": counts["sent"],
        "received": counts["received"],
        "longest_gap_s": max((rounded_s(min(s.ended_s, end_s) - s.began_s) for s in silent), default=0.0),
        "alive_at_end": watched and not any(span.is_open for span in silent),
    }


def _messages(timeline: Timeline, direction: str) -> dict[str, int]:
    counts = _tally(timeline, Channel("message", direction))
    return {
        "sent": counts["sent"],
        "delivered": counts["received"],
        "lost": counts["sent"] - counts["received"],
        "duplicated": counts["duplicated"],
        "late": counts["late"],
    }


def _attempts(timeline: Timeline) -> dict[str, int]:
    actions = Counter(event["action"] for event in timeline.select("policy", "attempt"))
    return {
        "ice_restarts": actions["restart_ice"],
        "recreations": actions["recreate"],
        "offers": len(list(timeline.select("client", "offer"))),
        "offers_failed": len(list(timeline.select("client", "offer_failed"))),
        "unneeded": _unneeded(timeline),
    }


def _unneeded(timeline: Timeline) -> int:
    """Count the attempts made while every channel passed and no fault was active.

    Attempts before the client was ready count as needed.
    """
    from_s = reading.watched_from_s(timeline)
    trouble = (*reading.all_gaps(timeline), *(fault.span for fault in reading.faults(timeline)))
    times_s = [event.t_s for event in timeline.select("policy", "attempt")]
    return sum(
        from_s is not None and t_s >= from_s and not any(span.holds(t_s) for span in trouble)
        for t_s in times_s
    )


def _server(timeline: Timeline) -> dict[str, int]:
    # What the end of the session closes was open at its end.
    end_s = reading.end_s(timeline)
    opened, open_since_s = 0, dict[str, float]()
    for event in timeline.select("server", "connection_opened", "connection_closed"):
        if event.kind == "connection_opened":
            opened += 1
            open_since_s[event["pc_id"]] = event.t_s
        elif event.t_s < end_s:
            open_since_s.pop(event["pc_id"], None)
    last_killed_s = max(reading.killed_s(timeline), default=-math.inf)
    alive = sum(since_s > last_killed_s for since_s in open_since_s.values())
    bots = len(list(timeline.select("server", "bot_started")))
    return {"connections_opened": opened, "connections_open_at_end": alive, "bots_started": bots}


def _totals(timeline: Timeline, direction: str) -> dict[str, Any]:
    totals = [event.data for event in timeline.select(f"link.{direction}", "total")]
    return dict(totals[-1]) if totals else {}


def _link(timeline: Timeline, direction: str) -> dict[str, Any]:
    total = _totals(timeline, direction)
    return {
        "offered": total.get("offered", 0),
        "delivered": total.get("delivered", 0),
        "dropped": dict(total.get("dropped", {})),
        "added": dict(total.get("added", {})),
        "corrupted": total.get("corrupted", 0),
        **_realised(timeline, direction),
    }


def _dropped_beyond(timeline: Timeline) -> dict[str, int]:
    """Count what a NAT beyond the links did not let in: the timeline has it, and no link's total."""
    totals = list(timeline.select("link.down", "total"))
    if not totals:
        return {}
    told = sum(event["cause"] == "nat" for event in timeline.select("link.down", "dropped"))
    beyond = told - sum(total.data.get("dropped", {}).get("nat", 0) for total in totals)
    return {"nat": beyond} if beyond > 0 else {}


def _realised(timeline: Timeline, direction: str) -> dict[str, Any]:
    found = [dict(event.data) for event in timeline.select(f"link.{direction}", "realised")]
    return {"realised": found} if found else {}


def _relay(timeline: Timeline) -> dict[str, float]:
    totals = [_totals(timeline, direction) for direction in DIRECTIONS]
    worst: dict[str, float] = {}
    for name in ("error_p50_s", "error_p99_s"):
        values_s = [total[name] for total in totals if total.get(name) is not None]
        worst |= {name: max(values_s)} if values_s else {}
    if worst:
        worst["kernel_dropped"] = sum(total.get("kernel_dropped", 0) for total in totals)
    return worst
