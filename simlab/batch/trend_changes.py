"""What changed over the nights of a trend, and what was other than before when it did."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from simlab.batch.baseline import FIXED, Record, labels_of
from simlab.batch.settings import difference
from simlab.study.night import name_of
from simlab.study.trend_changes import Change, changes

if TYPE_CHECKING:
    import polars

_NIGHTS = 60
_RECENT_NIGHTS = 14
_RUN_WITH = ("terms", "settings", "versions", "commit")


def frame_of(found: Sequence[Change]) -> "polars.DataFrame":
    """Return a row for each change."""
    import polars as pl

    varied = [key for one in found for key in one.first["varied"]]
    schema: dict[str, Any] = dict.fromkeys(["suite", *FIXED, *varied, "measure"], pl.String)
    schema |= {"night": pl.Int64, "until": pl.Int64, "at": pl.String}
    schema |= {"before": pl.Float64, "after": pl.Float64, "worse": pl.Boolean, "p": pl.Float64}
    return pl.DataFrame([_row(one) for one in found], schema | {"changed": pl.String})


def _row(one: Change) -> dict[str, Any]:
    labels = {name: one.first[name] for name in ("suite", *FIXED)} | one.first["varied"]
    times = {"night": one.first["night"], "until": one.until, "at": one.first.get("at")}
    means = {"before": one.before, "after": one.after, "worse": one.worse, "p": one.p}
    return {**labels, "measure": one.measure, **times, **means, "changed": why(one) or None}


def why(change: Change) -> str:
    """Say what was other in the night before: the policy, the profile, versions, and the commit at last."""
    return "; ".join(filter(None, (difference(*_both(change, table)) for table in _RUN_WITH)))


def _both(change: Change, table: str) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Return what both nights were run with; nothing where a record of an older version does not say."""
    last, first = (one.get(table) for one in (change.last, change.first))
    if last is None or first is None:
        return {}, {}
    return ({table: last}, {table: first}) if isinstance(first, str) else (last, first)


def recent(records: Sequence[Record], measures: Iterable[str]) -> list[str]:
    """Return what changed in the last fortnight of nights, as sentences, the latest first.

    Parameters
    ----------
    records
        Of one suite. The last 60 nights count.
    """
    last = max((one["night"] for one in records), default=0)
    found = changes([one for one in records if one["night"] > last - _NIGHTS], measures)
    of_late = [one for one in found if one.first["night"] > last - _RECENT_NIGHTS]
    ordered = sorted(of_late, key=lambda one: one.first["night"], reverse=True)
    return ["; ".join(filter(None, [_told(one), why(one)])) for one in ordered]


def _told(one: Change) -> str:
    return f"{name_of(labels_of(one.first))}: {one.told}"
