"""The tables of a study: which columns they have, and of which types, whatever the sessions were."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from simlab.study.rows import Row

_NUMBERED = {"session": pl.Int64, "profile": pl.String, "policy": pl.String, "seed": pl.Int64}
_CAUSES = (
    "links_up_dropped_",
    "links_down_dropped_",
    "links_up_added_",
    "links_down_added_",
    "beyond_links_dropped_",
)
"""Columns that begin so say how many packets each cause dropped or added: the causes of the study alone."""


def _counts(prefix: str, *names: str) -> dict[str, Any]:
    return {f"{prefix}_{name}": pl.Int64 for name in names}


def _media(kind: str) -> dict[str, Any]:
    gap_and_end = {"longest_gap_s": pl.Float64, "alive_at_end": pl.Boolean}
    return {
        f"{kind}_{way}_{name}": of
        for way in ("up", "down")
        for name, of in {"sent": pl.Int64, "received": pl.Int64, **gap_and_end}.items()
    }


SESSION_COLUMNS: dict[str, Any] = {
    "succeeded": pl.Boolean,
    "clock": pl.String,
    "duration_s": pl.Float64,
    **{f"connect_{step}_s": pl.Float64 for step in ("offer", "ice", "dtls", "channel", "bot_ready")},
    "final_state": pl.String,
    "usable_fraction": pl.Float64,
    **_media("media"),
    **_media("video"),
    **_counts("messages_up", "sent", "delivered", "lost", "duplicated", "late"),
    **_counts("messages_down", "sent", "delivered", "lost", "duplicated", "late"),
    **_counts("attempts", "ice_restarts", "recreations", "offers", "offers_failed", "unneeded"),
    **_counts("server", "connections_opened", "connections_open_at_end", "bots_started"),
    **_counts("links_up", "offered", "delivered", "corrupted"),
    **_counts("links_down", "offered", "delivered", "corrupted"),
    "relay_error_p50_s": pl.Float64,
    "relay_error_p99_s": pl.Float64,
    "relay_kernel_dropped": pl.Int64,
    "outages": pl.Int64,
    "violations": pl.Int64,
    "violated": pl.String,
}
"""What ``sessions`` has beside the labels and the causes of drops; docs/metrics.md says what it means."""

OUTAGE_COLUMNS: dict[str, Any] = {
    "outage": pl.Int64,
    "began_s": pl.Float64,
    "ended_s": pl.Float64,
    "cause": pl.Int64,
    "detected_s": pl.Float64,
    "first_attempt_s": pl.Float64,
    "attempts": pl.Int64,
    "recovered_s": pl.Float64,
    "after_heal_s": pl.Float64,
    "outcome": pl.String,
    "gave_up_s": pl.Float64,
    "recovered": pl.Boolean,
    "waited_s": pl.Float64,
}
"""What ``outages`` has beside the labels."""


def type_of(column: str) -> Any:
    """Return the type of a column of either table; what is not stated here is a key that varies."""
    return {**_NUMBERED, **SESSION_COLUMNS, **OUTAGE_COLUMNS}.get(column, pl.String)


def sessions_frame(rows: Iterable[Row], varied: Sequence[str] = ()) -> pl.DataFrame:
    """Return a row for each session, in the order of their numbers.

    Parameters
    ----------
    rows
        As ``rows.session_row`` makes them, in any order.
    varied
        The keys that vary, each a column of text.
    """
    rows = list(rows)
    # Which causes there are depends on the rows, so it must not depend on which row came first.
    causes = sorted({name for row in rows for name in row if name.startswith(_CAUSES)})
    schema = {**SESSION_COLUMNS, **dict.fromkeys(causes, pl.Int64)}
    frame = _frame(rows, varied, schema)
    # What a session does not name as a cause has dropped or added nothing in it.
    return frame.with_columns(pl.col(causes).fill_null(0)).sort("session")


def outages_frame(rows: Iterable[Row], varied: Sequence[str] = ()) -> pl.DataFrame:
    """Return a row for each outage, session by session, in the order in which they began."""
    return _frame(list(rows), varied, OUTAGE_COLUMNS).sort("session", "outage")


def _frame(rows: list[Row], varied: Sequence[str], columns: Mapping[str, Any]) -> pl.DataFrame:
    labels = {**_NUMBERED, **dict.fromkeys([key for key in varied if key not in _NUMBERED], pl.String)}
    return pl.DataFrame(rows, schema={**labels, **columns}, orient="row")
