"""The files that a study is opened again from, beside its matrix: its tables, and what could not be run."""

import json
from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from simlab.core.errors import InvalidInputError
from simlab.study.rows import Row

if TYPE_CHECKING:
    import polars

SESSIONS, OUTAGES, FAILURES = NAMES = ("sessions.parquet", "outages.parquet", "failures.jsonl")
_NEEDED = {
    SESSIONS: (
        *("session", "seed", "clock", "succeeded", "usable_fraction", "violations", "media_up_sent"),
        *("attempts_ice_restarts", "attempts_recreations"),
    ),
    OUTAGES: ("session", "seed", "recovered", "waited_s", "outcome"),
    FAILURES: ("session", "profile", "policy", "seed", "stage", "reason"),
}


def written(
    sessions: "polars.DataFrame", outages: "polars.DataFrame", failures: Sequence[Row]
) -> dict[str, bytes]:
    """Return the files, by their names."""
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in failures)
    return {SESSIONS: _parquet(sessions), OUTAGES: _parquet(outages), FAILURES: lines.encode()}


def read(
    files: Mapping[str, bytes], folder: Path, by: Sequence[str]
) -> "tuple[polars.DataFrame, polars.DataFrame, list[Row]]":
    """Return the tables of sessions and outages, and the failures, from files of a folder.

    Parameters
    ----------
    by
        The columns that tell cells apart.

    Raises
    ------
    InvalidInputError
        If one of the files is damaged, or lacks a column or a value of one that all is made of.
    """
    sessions, outages = (read_table(files[name], folder / name) for name in (SESSIONS, OUTAGES))
    _check_columns(sessions, [*by, *_NEEDED[SESSIONS]], folder / SESSIONS)
    _check_columns(outages, [*by, *_NEEDED[OUTAGES]], folder / OUTAGES)
    return sessions, outages, _failures(files[FAILURES], folder / FAILURES)


def _parquet(frame: "polars.DataFrame") -> bytes:
    file = BytesIO()
    frame.write_parquet(file)
    return file.getvalue()


def read_table(content: bytes, path: Path) -> "polars.DataFrame":
    """Return the table in a Parquet file that was read from ``path``.

    Raises
    ------
    InvalidInputError
        If it is damaged.
    """
    import polars as pl

    try:
        return pl.read_parquet(BytesIO(content))
    except pl.exceptions.PolarsError as error:
        raise InvalidInputError([f"{path}: {str(error).splitlines()[0]}"]) from error


def _failures(content: bytes, path: Path) -> list[Row]:
    try:
        found = [json.loads(line) for line in content.splitlines()]
    except ValueError as error:
        raise InvalidInputError([f"{path}: {error}"]) from error
    for number, one in enumerate(found, 1):
        missing = [key for key in _NEEDED[FAILURES] if not isinstance(one, dict) or key not in one]
        if missing:
            raise InvalidInputError([f"{path}: line {number}: want {missing[0]}"])
    return found


def _check_columns(frame: "polars.DataFrame", wanted: Iterable[str], path: Path) -> None:
    from simlab.study.tables import type_of

    faults = []
    for name in wanted:
        if name not in frame.columns:
            faults.append(f"has no column {name}")
        elif frame.schema[name] != type_of(name):
            faults.append(f"column {name} is {frame.schema[name]}, want {type_of(name)}")
        elif frame[name].has_nulls():
            faults.append(f"column {name} has no value in some rows")
    if faults:
        raise InvalidInputError([f"{path}: {fault}" for fault in faults])
