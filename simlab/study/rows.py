"""Sessions and their outages as rows of tables."""

from collections.abc import Iterator, Mapping
from typing import Any

from simlab.study.expect import succeeded

Row = dict[str, Any]

# How long a session took depends on the machine, and the same sessions have the same rows on any.
_LEFT_OUT = ("wall_s",)
_LISTS = ("outages", "violations", "expectations")


def session_row(labels: Mapping[str, Any], metrics: Mapping[str, Any]) -> Row:
    """Return the scalars of metrics.json, flattened with ``_``.

    Parameters
    ----------
    labels
        What comes first: the number of the session, the profile's and policy's names, the seed, and the
        values of the keys that vary.
    metrics
        Of one session.

    Returns
    -------
    dict
        ``succeeded``; for lists, how many there are, and of ``violations`` also their names.
    """
    numbers = {name: len(metrics[name]) for name in ("outages", "violations")}
    names = ", ".join(sorted({one["invariant"] for one in metrics["violations"]}))
    scalars = {
        key: value
        for key, value in _flat({k: v for k, v in metrics.items() if k not in (*_LISTS, *_LEFT_OUT)})
        if key not in labels
    }
    return {**labels, "succeeded": succeeded(metrics), **scalars, **numbers, "violated": names}


def _flat(tree: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{key}_")
        elif not isinstance(value, list):
            yield f"{above}{key}", value


def outage_rows(labels: Mapping[str, Any], metrics: Mapping[str, Any]) -> list[Row]:
    """Return a row for each outage of a session.

    Returns
    -------
    list of dict
        The fields of the outage, and ``waited_s`` and ``recovered``: seconds from its beginning until all
        passed again, or, where that never happened, until the user did not want it any more or the session
        ended (right-censored).
    """
    return [
        {
            **labels,
            "outage": number,
            **outage,
            "recovered": outage["recovered_s"] is not None,
            "waited_s": _waited_s(outage, metrics["duration_s"]),
        }
        for number, outage in enumerate(metrics["outages"], 1)
    ]


def _waited_s(outage: Mapping[str, Any], end_s: float) -> float:
    if outage["recovered_s"] is not None:
        return float(outage["recovered_s"])
    watched_until_s = end_s if outage["ended_s"] is None else outage["ended_s"]
    return float(watched_until_s - outage["began_s"])
