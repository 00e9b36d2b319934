"""Two studies side by side: each cell of the one against the same cell of the other."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simlab.study.comparison import Comparison, compared, comparison_json, corrected
from simlab.study.rows import Row
from simlab.study.sides import Key, Side
from simlab.study.summary import Cell, summarise

BEFORE, AFTER = "before", "after"
TOLERANCES = ("success_rate", "usable_fraction", "longest_outage", "recovery_p95")
_LIMIT = re.compile(r"(\d+(?:\.\d+)?)\s*(%|s|ms|points)?")


@dataclass(frozen=True)
class Limit:
    """How much worse a measure may be.

    Parameters
    ----------
    amount
        In the measure's own unit: a share, or seconds.
    is_relative
        Whether it is a share of what it was before instead.
    """

    amount: float
    is_relative: bool = False

    def allows(self, before: float, worse_by: float) -> bool:
        """Tell whether it may be this much worse than it was."""
        most = self.amount * before if self.is_relative else self.amount
        return worse_by <= most * (1 + 1e-9) + 1e-9


def parse_limit(measure: str, text: str) -> Limit:
    """Read what is tolerated of a measure.

    Parameters
    ----------
    text
        ``"2%"`` or ``"2 points"`` of ``success_rate`` and ``usable_fraction``, in points; ``"1.5s"``,
        ``"200ms"``, or ``"10%"`` of what it was, of ``longest_outage`` and ``recovery_p95``.

    Raises
    ------
    ValueError
        If it is neither.
    """
    is_share = measure in ("success_rate", "usable_fraction")
    want = 'points, such as "2%"' if is_share else 'seconds or a share of what it was: "1.5s" or "10%"'
    found = _LIMIT.fullmatch(text.strip())
    unit = found and found[2]
    if not found or (unit not in ("%", "points", None) if is_share else unit not in ("%", "s", "ms")):
        raise ValueError(f'is "{text}", want {want}')
    amount = float(found[1])
    if is_share:
        share = amount / 100 if unit else amount
        if share > 1:
            raise ValueError(f'is "{text}", want at most 100 %, in {want}')
        return Limit(share)
    return Limit(amount / {"%": 100, "ms": 1000}.get(str(unit), 1.0), is_relative=unit == "%")


@dataclass(frozen=True)
class CellCompared:
    """One cell, before and after.

    Parameters
    ----------
    comparison
        The first side is what it was before, the second what it is after.
    before, after
        What each side comes to.
    """

    comparison: Comparison
    before: Cell
    after: Cell

    @property
    def verdict(self) -> str:
        """What became of it: better, worse, mixed or can't be told."""
        turned = {"better": "worse", "worse": "better"}
        return turned.get(self.comparison.verdict, self.comparison.verdict)

    @property
    def p95_verdict(self) -> str:
        """The same of the 95th percentile of the recovery time, by whether both intervals lie apart."""
        (low_1, high_1), (low_2, high_2) = self.before.p95_interval_s, self.after.p95_interval_s
        if math.isnan(low_1) or math.isnan(low_2):
            return "can't be told"
        return "better" if high_2 < low_1 else "worse" if low_2 > high_1 else "can't be told"

    def regressions(self, tolerance: Mapping[str, Limit]) -> list[str]:
        """Name the measures that are worse, as far as can be told, and by more than is tolerated.

        Of a measure that ``tolerance`` does not name, nothing is tolerated.
        """
        found = []
        for name in TOLERANCES:
            told, before, worse_by = self._change(name)
            if told and not (name in tolerance and tolerance[name].allows(before, worse_by)):
                found.append(name)
        return found

    def _change(self, name: str) -> tuple[bool, float, float]:
        """Return whether a measure is worse, what it was, and by how much it is worse."""
        if name == "recovery_p95":
            before, after = self.before.p95_s, self.after.p95_s
            return self.p95_verdict == "worse", before, after - before
        key = "longest_outage_s" if name == "longest_outage" else name
        one = self.comparison.measures[key]
        sign = 1.0 if name in ("success_rate", "usable_fraction") else -1.0
        return one.verdict == "better", one.first, sign * one.difference


def compare_cells(
    before: tuple[Sequence[Row], Sequence[Row]],
    after: tuple[Sequence[Row], Sequence[Row]],
    by: Sequence[str],
) -> list[CellCompared]:
    """Compare the cells that two studies have in common, in the order of the first.

    Parameters
    ----------
    before, after
        The sessions and outages of each, as ``study.rows`` makes them.
    by
        The columns that tell the cells apart.

    Returns
    -------
    list of CellCompared
        Corrected for all of them together. Cells that only one has are left out.
    """
    one, other = _sides(before, by), _sides(after, by)
    shared = [key for key in one if key in other]
    found = corrected(
        [
            compared(dict(zip(by, key, strict=True)), (BEFORE, one[key]), (AFTER, other[key]), ("seed",))
            for key in shared
        ]
    )
    return [
        CellCompared(comparison, _summary(one[key], by), _summary(other[key], by))
        for key, comparison in zip(shared, found, strict=True)
    ]


def _sides(rows: tuple[Sequence[Row], Sequence[Row]], by: Sequence[str]) -> dict[Key, Side]:
    found: dict[Key, tuple[list[Row], list[Row]]] = {}
    for place, table in enumerate(rows):
        for row in table:
            found.setdefault(tuple(row[name] for name in by), ([], []))[place].append(row)
    return {key: Side(*tables) for key, tables in found.items() if tables[0]}


def _summary(side: Side, by: Iterable[str]) -> Cell:
    (cell,) = summarise(side.sessions, side.outages, list(by))
    return cell


def cell_compared_json(one: CellCompared, tolerance: Mapping[str, Limit]) -> dict[str, Any]:
    """Return a cell as ``simlab compare --json`` has it."""

    def time(cell: Cell) -> dict[str, Any]:
        ends = [end if math.isfinite(end) else None for end in cell.p95_interval_s]
        return {"value_s": cell.p95_s if math.isfinite(cell.p95_s) else None, "interval_s": ends}

    return {
        **comparison_json(one.comparison),
        "verdict": one.verdict,
        "recovery_p95": {
            "before": time(one.before),
            "after": time(one.after),
            "verdict": one.p95_verdict,
        },
        "regressions": one.regressions(tolerance),
    }
