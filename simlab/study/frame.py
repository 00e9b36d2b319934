"""A timeline as a table."""

import json

import polars as pl

from simlab.core.timeline import Event, Timeline

_COMMON = ("state", "direction", "what")
_SCHEMA = {
    "t_s": pl.Float64,
    "source": pl.String,
    "kind": pl.String,
    **dict.fromkeys(_COMMON, pl.String),
    "data": pl.String,
}


def frame(timeline: Timeline) -> pl.DataFrame:
    """Return the events of a timeline, a row each, in time order.

    Returns
    -------
    polars.DataFrame
        ``t_s`` (seconds since the session began), ``source``, ``kind``; ``state``, ``direction`` and ``what``
        (null where an event has none); and ``data``, all of the event's own fields as a JSON object.
    """
    return pl.DataFrame([_row(event) for event in timeline.events], schema=_SCHEMA, orient="row")


def _row(event: Event) -> tuple[float | str | None, ...]:
    shared = (None if (value := event.data.get(name)) is None else str(value) for name in _COMMON)
    data = json.dumps(dict(event.data), separators=(",", ":"), ensure_ascii=False)
    return (event.t_s, event.source, event.kind, *shared, data)
