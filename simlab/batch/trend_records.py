"""The records of a trend file, which anything may have written."""

from pathlib import Path
from typing import Any

from simlab import store
from simlab.batch.baseline import FIXED, Record
from simlab.core.errors import InvalidInputError

_KINDS: dict[str, type] = {
    "suite": str,
    "night": int,
    **dict.fromkeys(FIXED, str),
    **dict.fromkeys(("varied", "values"), dict),
    "network": str,
    **dict.fromkeys(("worse", "accepted"), bool),
    "seeds": list,
}
"""What later nights read of a record."""
_LARGEST = 1e12  # far above all that is counted or measured
_LATER = ("settings", "terms")
"""The tables that records of older versions do not have."""


def records_in(file: Path, suite: str | None = None) -> list[Record]:
    """Read a trend file; one that is not there has no records.

    Parameters
    ----------
    suite
        Leave out those of other suites, whatever is in them.

    Raises
    ------
    InvalidInputError
        If it cannot be read, or a line is no record of a night, with the first of these.
    """
    numbered = [
        (number, one)
        for number, one in enumerate(store.records(file), 1)
        if suite is None or one.get("suite") == suite
    ]
    faults = [
        f"{file}: line {number}: is no record of a night: want {key}"
        for number, one in numbered
        for key in _missing(one)
    ]
    if faults:
        raise InvalidInputError(store.first_faults(file, faults))
    return [one for _, one in numbered]


def _missing(one: Record) -> list[str]:
    kinds = _KINDS | {key: dict for key in _LATER if key in one}
    wrong = [key for key, kind in kinds.items() if not isinstance(one.get(key), kind)]
    return (wrong or _not_numbers(one))[:1]


def _not_numbers(one: Record) -> list[str]:
    """Return what of a record is no list of numbers, one for each session."""
    seeds = one["seeds"]
    lists = {f"values.{name}": values for name, values in one["values"].items()}
    wrong = [key for key, values in lists.items() if not _are_numbers(values) or len(values) != len(seeds)]
    return wrong if all(isinstance(seed, int) for seed in seeds) else ["seeds"]


def _are_numbers(values: Any) -> bool:
    return isinstance(values, list) and all(
        isinstance(one, int | float) and abs(one) <= _LARGEST for one in values
    )
