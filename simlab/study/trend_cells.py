"""The cells of a trend: which records are of the same one, and what it is called."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Record = Mapping[str, Any]
Key = tuple[str, ...]

_FIXED = ("suite", "sweep", "profile", "policy")


def by_cell(records: Sequence[Record]) -> dict[Key, list[Record]]:
    """Return the records of each cell, the cells and the records in their order."""
    cells: dict[Key, list[Record]] = {}
    for one in records:
        cells.setdefault(_key(one), []).append(one)
    return cells


def namer(records: Sequence[Record]) -> Callable[[Record], str]:
    """Return what calls a cell by its name: with that of its suite where there are several."""
    several = len({one["suite"] for one in records}) > 1

    def name(one: Record) -> str:
        suite = f"{one['suite']}: " if several else ""
        return suite + ", ".join(_key(one)[1:])

    return name


def _key(one: Record) -> Key:
    fixed = (str(one[name]) for name in _FIXED)
    return (*fixed, *(f"{key}={value}" for key, value in one["varied"].items()))
