"""The numbers of a session with several clients, for each and over all."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from simlab.core.timeline import Timeline
from simlab.study.crowd import busiest_second, fewest_usable, first_fault_s, usable_spans
from simlab.study.expect import succeeded
from simlab.study.outages import known_waits_s

# Of all clients together, or of none in particular.
_OF_ALL = ("profile", "policy", "seed", "clock", "duration_s", "wall_s", "beyond_links", "expectations")
_DIRECTIONS = ("up", "down")
_SUMS = ("media", "video", "messages", "links")

Metrics = Mapping[str, Any]


def together(
    timeline: Timeline, whole: Metrics, each: Mapping[int, Metrics], clients: Mapping[int, Timeline]
) -> dict[str, Any]:
    """Return the metrics of a session with several clients.

    They have the shape of those with one: what is counted is added up, a phase of connecting is over when it
    is over for all, ``usable_fraction`` is the mean, and ``outages`` and ``violations`` are of all clients
    and say of which. ``clients`` has those of each, and ``storm`` what only several can have.

    Parameters
    ----------
    timeline
        Of the session.
    whole
        Metrics of the timeline as a whole, of which what is the server's or the session's is taken.
    each, clients
        Metrics and timeline of each client.
    """
    ones = list(each.values())
    spans = [span for one in clients.values() for span in usable_spans(one)]
    return {
        **{name: whole[name] for name in whole if name in _OF_ALL},
        "connect": {name: _latest_s([one["connect"][name] for one in ones]) for name in whole["connect"]},
        "final_state": _common([one["final_state"] for one in ones]),
        "usable_fraction": round(sum(one["usable_fraction"] for one in ones) / len(ones), 6),
        "outages": sorted(_told(each, "outages"), key=lambda outage: outage["began_s"]),
        **{name: {way: _added([one[name][way] for one in ones]) for way in _DIRECTIONS} for name in _SUMS},
        "attempts": _added([one["attempts"] for one in ones]),
        "server": whole["server"],
        "violations": whole["violations"],
        "expectations": [],
        "storm": _storm(timeline, ones) | {"fewest_usable": asdict(fewest_usable(timeline, spans))},
        "clients": [
            {"client_id": number, "saved": succeeded(one)}
            | {name: value for name, value in one.items() if name not in _OF_ALL}
            for number, one in each.items()
        ],
    }


def _latest_s(times_s: Sequence[float | None]) -> float | None:
    known_s = [t_s for t_s in times_s if t_s is not None]
    return max(known_s) if len(known_s) == len(times_s) else None


def _common(words: Sequence[str | None]) -> str | None:
    return words[0] if len(set(words)) == 1 else "mixed"


def _told(each: Mapping[int, Metrics], name: str) -> list[dict[str, Any]]:
    return [{"client_id": number, **one} for number, metrics in each.items() for one in metrics[name]]


def _added(several: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {key: _sum(key, [one[key] for one in several]) for key in several[0]}


def _sum(key: str, values: Sequence[Any]) -> Any:
    if isinstance(values[0], Mapping):
        counts: Counter[str] = Counter()
        for value in values:
            counts.update(value)
        return dict(sorted(counts.items()))
    if isinstance(values[0], bool):
        return all(values)
    return max(values) if key == "longest_gap_s" else sum(values)


def _storm(timeline: Timeline, ones: Sequence[Metrics]) -> dict[str, Any]:
    from_s = first_fault_s(timeline)
    waits_s = known_waits_s(outage for one in ones for outage in one["outages"])
    offers_s = (event.t_s for event in timeline.select("client", "offer"))
    opened_s = (event.t_s for event in timeline.select("server", "connection_opened"))
    return {
        "clients": len(ones),
        "ready": sum(one["connect"]["bot_ready_s"] is not None for one in ones),
        "saved": sum(map(succeeded, ones)),
        "recovery": {f"p{rank}_s": _rank_s(waits_s, rank / 100) for rank in (50, 95, 100)},
        "offers_per_s": asdict(busiest_second(offers_s, from_s)),
        "connections_per_s": asdict(busiest_second(opened_s, from_s)),
    }


def _rank_s(ordered_s: Sequence[float], share: float) -> float | None:
    """Return a quantile by the nearest rank; None where that outage never ended, or there was none."""
    value_s = ordered_s[max(0, math.ceil(share * len(ordered_s)) - 1)] if ordered_s else math.inf
    return None if math.isinf(value_s) else value_s
