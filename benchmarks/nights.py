"""How often nights without any change fail, and those with one: simulated from stored nights."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from scipy import stats

from benchmarks.figure import Figure
from simlab import store
from simlab.study.nights import Group, Rules, Sample, judge

STORED = Path(__file__).parents[1] / "notebooks" / "03-nightly-trends.jsonl"
NIGHTS = int(os.environ.get("SIMLAB_NIGHTS", "2000"))
MEASURES = ("success_rate", "down_time", "attempts", "violations")
_RULES = Rules(0.01, MEASURES, {"down_time": 0.25})
_KEPT = 30
# True of every stored cell: the least share is 82 %.
_EXPECTED = SimpleNamespace(metric="success_rate", operator=">=", bound=0.8, text="success_rate >= 0.8")

Values = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Stored:
    """What was measured of a cell, a value of each measure for each of the seeds, which all cells share."""

    name: str
    values: Values


def stored(file: Path = STORED) -> list[Stored]:
    """Return the sessions of all stored nights that were not worse in any cell."""
    records = store.records(file)
    bad = {one["night"] for one in records if one["worse"]}
    cells: dict[str, dict[str, list[float]]] = {}
    for one in records:
        if one["night"] not in bad:
            empty: dict[str, list[float]] = {name: [] for name in one["values"]}
            values = cells.setdefault(f"{one['profile']}, {one['policy']}", empty)
            for name, numbers in one["values"].items():
                values[name] += numbers
    return [
        Stored(name, {key: np.array(numbers) for key, numbers in values.items()})
        for name, values in cells.items()
    ]


def failed_nights(
    cells: Sequence[Stored], nights: int, seeds: int, draws: np.random.Generator, later_s: float = 0.0
) -> list[list[str]]:
    """Return of each night the cells that failed, the first night left out, which has no baseline.

    Each night draws sessions anew, the same in all cells, so that policies have their luck in common.

    Parameters
    ----------
    later_s
        By how much longer every session of the first cell is down, in the nights but for the first 30.
    """
    before: list[Sequence[Values]] = []
    found: list[list[str]] = []
    for night in range(nights + 1):
        number = len(cells[0].values["down_time"])
        chosen = draws.integers(0, number, seeds)
        tonight = [{name: values[chosen] for name, values in cell.values.items()} for cell in cells]
        if later_s and night >= _KEPT:
            tonight[0] = tonight[0] | {"down_time": tonight[0]["down_time"] + later_s}
        failed = _failed(cells, tonight, before[-_KEPT:]) if before else []
        if night:
            found.append(failed)
        if not failed:
            before.append(tonight)
    return found


def _failed(
    cells: Sequence[Stored], tonight: Sequence[Values], before: Sequence[Sequence[Values]]
) -> list[str]:
    groups = [
        _group(cell.name, tonight[at], [night[at] for night in before]) for at, cell in enumerate(cells)
    ]
    return [check.labels["policy"] for check in judge(groups, _RULES) if check.alarms]


def _group(name: str, tonight: Values, before: Sequence[Values]) -> Group:
    pooled = {key: np.concatenate([night[key] for night in before]) for key in tonight}
    sessions = [{"session": at, "succeeded": good} for at, good in enumerate(tonight["success_rate"])]
    number = len(pooled["down_time"])
    # Fresh luck: no seed is in both.
    old, new = _sample(pooled, range(number)), _sample(tonight, range(number, number + len(sessions)))
    return Group({"sweep": "", "profile": "", "policy": name}, sessions, [], new, old, [(_EXPECTED, 0.95)])


def _sample(values: Values, seeds: range) -> Sample:
    return Sample(tuple(seeds), {key: tuple(numbers.tolist()) for key, numbers in values.items()})


def measure() -> Iterator[Figure]:
    """Yield the share of nights that fail without a change, and with one of 2 s."""
    cells = stored()
    false = failed_nights(cells, NIGHTS, 10, np.random.default_rng(1))
    alarms = sum(map(bool, false))
    high = stats.binomtest(alarms, NIGHTS).proportion_ci(method="exact").high
    yield Figure("nights: fail without a change", alarms / NIGHTS, "share")
    yield Figure("nights: the same, at most, at 95 %", float(high), "share", at_most=0.01)
    changed = failed_nights(cells, 100, 10, np.random.default_rng(2), later_s=2.0)[_KEPT - 1 :]
    named = sum(cells[0].name in failed for failed in changed)
    yield Figure("nights: name a change of 2 s", named / len(changed), "share")
