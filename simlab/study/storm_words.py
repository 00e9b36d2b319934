"""A session with several clients in words: the finding in a line, and the whole in sentences."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from simlab.core.timeline import Timeline
from simlab.study import reading
from simlab.study.words import count, listed

_WORST = 3


def storm_headline(metrics: Mapping[str, Any]) -> str:
    """Say the finding: how many have their call in the end, how soon, and what came upon the server."""
    storm = metrics["storm"]
    if storm["ready"] < storm["clients"] and not metrics["outages"]:
        return f"{storm['ready']} of {storm['clients']} clients were ever ready"
    kept = f"{storm['saved']} of {storm['clients']} clients"
    if not metrics["outages"]:
        return f"No outage of {kept} in {metrics['duration_s']:g} s"
    half_s, last_s = (storm["recovery"][name] for name in ("p50_s", "p100_s"))
    when = f", half of the outages over within {half_s:.1f} s" if half_s is not None else ""
    when += f", the last after {last_s:.1f} s" if last_s is not None else ""
    return f"{kept} were there in the end{when}; at most {_at_once(storm)}"


def _at_once(storm: Mapping[str, Any]) -> str:
    offers, opened = storm["offers_per_s"], storm["connections_per_s"]
    return f"{count(offers['count'], 'offer')} and {count(opened['count'], 'new connection')} in one second"


def storm_account(timeline: Timeline, metrics: Mapping[str, Any]) -> list[str]:
    """Tell what happened to all clients together, a sentence or two an item."""
    return [
        _ready(metrics),
        *(_fault(fault) for fault in reading.faults(timeline)),
        *_outages(metrics),
        *_load(metrics),
        *_violated(metrics),
        *_end(timeline, metrics),
    ]


def _ready(metrics: Mapping[str, Any]) -> str:
    storm, last_s = metrics["storm"], metrics["connect"]["bot_ready_s"]
    if last_s is not None:
        return f"All {storm['clients']} clients were ready after {last_s:.2f} s."
    return f"{storm['ready']} of {storm['clients']} clients were ever ready."


def _fault(fault: reading.Fault) -> str:
    span = fault.span
    lasted = "to the end" if span.is_open else f"until {span.ended_s:.1f} s"
    return f"From {span.began_s:.1f} s {lasted}: {fault.kind} [fault {fault.index}]."


def _outages(metrics: Mapping[str, Any]) -> Iterator[str]:
    found, storm = metrics["outages"], metrics["storm"]
    if not found:
        yield "No client had an outage."
        return
    fewest = storm["fewest_usable"]
    hit = len({outage["client_id"] for outage in found})
    yield (
        f"{count(len(found), 'outage')} of {count(hit, 'client')}; at {fewest['at_s']:.1f} s "
        f"{fewest['count']} of {storm['clients']} could use their connection."
    )
    ends = Counter(outage["outcome"].replace("_", " ") for outage in found)
    told = listed([f"{n} {outcome}" for outcome, n in ends.most_common()])
    times = [
        f"{name} {storm['recovery'][key]:.1f} s"
        for name, key in (("half within", "p50_s"), ("95 % within", "p95_s"), ("all within", "p100_s"))
        if storm["recovery"][key] is not None
    ]
    yield f"Of the outages: {told}{'; recovered ' + ', '.join(times) if times else ''}."


def _load(metrics: Mapping[str, Any]) -> Iterator[str]:
    storm, attempts = metrics["storm"], metrics["attempts"]
    for key, noun in (("offers_per_s", "offers"), ("connections_per_s", "new connections at the server")):
        peak = storm[key]
        if peak["at_s"] is not None:
            yield f"The busiest second had {peak['count']} {noun}, from {peak['at_s']:.1f} s on."
    failed = attempts["offers_failed"]
    yield f"The clients made {count(attempts['offers'], 'offer')}, of which {failed} failed."


def _violated(metrics: Mapping[str, Any]) -> Iterator[str]:
    of: dict[str, list[Mapping[str, Any]]] = {}
    for violation in metrics["violations"]:
        of.setdefault(violation["invariant"], []).append(violation)
    for name, found in of.items():
        first = found[0]
        who = f"client {first['client_id']}: " if "client_id" in first else ""
        more = f" And {count(len(found) - 1, 'time')} more." if len(found) > 1 else ""
        yield f"Violated ({name}): {who}{first['detail']}.{more}"


def _end(timeline: Timeline, metrics: Mapping[str, Any]) -> Iterator[str]:
    for event in timeline.select("session", "failed"):
        yield f"The session failed ({event['stage']}): {event['reason']}."
    storm = metrics["storm"]
    lost = [str(one["client_id"]) for one in metrics["clients"] if not one["saved"]]
    yield f"In the end {storm['saved']} of {storm['clients']} clients had their call{_named(lost)}."


def _named(lost: Sequence[str]) -> str:
    if not lost:
        return ""
    shown, more = lost[:_WORST], len(lost) - _WORST
    names = ", ".join(shown) + (f" and {more} more" if more > 0 else "")
    return f"; not so {'client' if len(lost) == 1 else 'clients'} {names}"
