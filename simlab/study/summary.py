"""What a study comes to, cell by cell: how many calls were saved, how soon, and at what cost."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scipy import stats

from simlab.core.rng import stream
from simlab.study.rows import Row
from simlab.study.survival import RecoveryCurve, quantile_interval_s, recovery_curve

Interval = tuple[float, float]


@dataclass(frozen=True)
class Cell:
    """The sessions of one group: of one policy, say, on one profile.

    Parameters
    ----------
    labels
        What the group has in common, by column.
    sessions, succeeded
        How many there were, and in how many the client connected and was not left in an outage at the end.
    success, success_interval
        The share, and Wilson's 95 % interval of it.
    curve
        How soon outages were over.
    median_s, p95_s
        After how long half and 95 % of the outages were over, with 95 % intervals; infinite if they never
        were.
    usable_fraction, attempts
        Means per session.
    violations
        How many in all.
    """

    labels: Mapping[str, Any]
    sessions: int
    succeeded: int
    success: float
    success_interval: Interval
    curve: RecoveryCurve
    median_s: float
    median_interval_s: Interval
    p95_s: float
    p95_interval_s: Interval
    usable_fraction: float
    attempts: float
    violations: int


def summarise(sessions: Iterable[Row], outages: Iterable[Row], by: Sequence[str]) -> list[Cell]:
    """Return the cells of a study, in the order in which they come in ``sessions``.

    Parameters
    ----------
    sessions, outages
        As ``study.rows`` makes them.
    by
        The columns that tell the groups apart.
    """
    groups: dict[tuple[Any, ...], list[Row]] = {}
    waits: dict[tuple[Any, ...], list[Row]] = {}
    for rows, found in ((sessions, groups), (outages, waits)):
        for row in rows:
            found.setdefault(tuple(row[name] for name in by), []).append(row)
    return [_cell(dict(zip(by, key, strict=True)), rows, waits.get(key, [])) for key, rows in groups.items()]


def _cell(labels: Mapping[str, Any], sessions: Sequence[Row], outages: Sequence[Row]) -> Cell:
    count, succeeded = len(sessions), sum(row["succeeded"] for row in sessions)
    interval = stats.binomtest(succeeded, count).proportion_ci(method="wilson")
    curve = recovery_curve([row["waited_s"] for row in outages], [row["recovered"] for row in outages])
    grouped = _by_session(outages)
    path = [str(value) for value in labels.values()]
    median, p95 = (
        quantile_interval_s(grouped, share, stream(0, "bootstrap", *path, str(share)))
        for share in (0.5, 0.95)
    )
    return Cell(
        labels,
        count,
        succeeded,
        succeeded / count,
        (float(interval.low), float(interval.high)),
        curve,
        curve.quantile_s(0.5) if outages else math.nan,
        median,
        curve.quantile_s(0.95) if outages else math.nan,
        p95,
        sum(row["usable_fraction"] for row in sessions) / count,
        sum(row["attempts_ice_restarts"] + row["attempts_recreations"] for row in sessions) / count,
        sum(row["violations"] for row in sessions),
    )


def _by_session(outages: Sequence[Row]) -> list[tuple[list[float], list[bool]]]:
    found: dict[int, tuple[list[float], list[bool]]] = {}
    for row in outages:
        waited_s, recovered = found.setdefault(row["session"], ([], []))
        waited_s.append(row["waited_s"])
        recovered.append(row["recovered"])
    return list(found.values())


def cell_json(cell: Cell) -> dict[str, Any]:
    """Return a cell as summary.json has it: what is infinite or unknown is null."""
    return {
        **cell.labels,
        "sessions": cell.sessions,
        "succeeded": cell.succeeded,
        "success_rate": cell.success,
        "success_rate_interval": cell.success_interval,
        "outages": cell.curve.outages,
        "outages_recovered": cell.curve.recovered,
        "recovery_median_s": _or_none(cell.median_s),
        "recovery_median_interval_s": [_or_none(end_s) for end_s in cell.median_interval_s],
        "recovery_p95_s": _or_none(cell.p95_s),
        "recovery_p95_interval_s": [_or_none(end_s) for end_s in cell.p95_interval_s],
        "usable_fraction": cell.usable_fraction,
        "attempts_per_session": cell.attempts,
        "violations": cell.violations,
    }


def _or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None
