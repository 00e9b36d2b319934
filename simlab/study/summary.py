"""What a study comes to, cell by cell: how many calls were saved, how soon, and at what cost."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simlab.study.proportions import Interval, wilson_interval
from simlab.study.quantiles import quantile_interval_s
from simlab.study.restricted import Waits
from simlab.study.rows import Row
from simlab.study.survival import RecoveryCurve, recovery_curve
from simlab.study.words import count


@dataclass(frozen=True, repr=False)
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
        were, and an end of an interval also where too few were seen to say.
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

    @property
    def never_came_about(self) -> int:
        """In how many sessions without any outage the client was never ready, at least."""
        return 0 if self.curve.outages else self.sessions - self.succeeded

    def __repr__(self) -> str:
        name = ", ".join(map(str, self.labels.values()))
        saved = f"{self.succeeded} of {count(self.sessions, 'call')} saved"
        over = f"{self.curve.recovered} of {count(self.curve.outages, 'outage')} over"
        return f"<{name}: {saved}, {over}>"


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
    curve = recovery_curve([row["waited_s"] for row in outages], [row["recovered"] for row in outages])
    waits = _waits(outages)
    return Cell(
        labels,
        count,
        succeeded,
        succeeded / count,
        wilson_interval(succeeded, count),
        curve,
        curve.quantile_s(0.5) if outages else math.nan,
        quantile_interval_s(waits, 0.5),
        curve.quantile_s(0.95) if outages else math.nan,
        quantile_interval_s(waits, 0.95),
        sum(row["usable_fraction"] for row in sessions) / count,
        sum(row["attempts_ice_restarts"] + row["attempts_recreations"] for row in sessions) / count,
        sum(row["violations"] for row in sessions),
    )


def _waits(outages: Sequence[Row]) -> Waits:
    number = {session: n for n, session in enumerate(dict.fromkeys(row["session"] for row in outages))}
    return Waits.of(
        [row["waited_s"] for row in outages],
        [row["recovered"] for row in outages],
        [number[row["session"]] for row in outages],
    )


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
