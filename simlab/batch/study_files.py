"""The files that a study is opened again from, beside its matrix: its tables, and what could not be run."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from simlab import store
from simlab.core.errors import InvalidInputError
from simlab.core.json_text import json_of
from simlab.study.rows import Row

if TYPE_CHECKING:
    import polars

SESSIONS, OUTAGES, FAILURES = NAMES = ("sessions.parquet", "outages.parquet", "failures.jsonl")
_NEEDED = {
    SESSIONS: (
        *("session", "seed", "clock", "succeeded", "duration_s", "usable_fraction", "violations", "violated"),
        *("media_up_sent", "media_down_sent", "media_up_longest_gap_s", "media_down_longest_gap_s"),
        *("attempts_ice_restarts", "attempts_recreations"),
    ),
    OUTAGES: ("session", "seed", "recovered", "waited_s", "outcome"),
    FAILURES: ("session", "profile", "policy", "seed", "stage", "reason"),
}


_MAY_BE_NULL = "connect_bot_ready_s"
_RANGES: Mapping[str, tuple[str, float, float]] = {
    SESSIONS: ("usable_fraction", 0.0, 1.0),
    OUTAGES: ("waited_s", 0.0, math.inf),
}


def written(
    sessions: "polars.DataFrame", outages: "polars.DataFrame", failures: Sequence[Row]
) -> dict[str, bytes]:
    """Return the files, by their names."""
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in failures)
    return {SESSIONS: _parquet(sessions), OUTAGES: _parquet(outages), FAILURES: store.json_bytes(lines)}


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
        If one of the files is damaged, lacks a column or a value of one that all is made of, or has an outage
        of no session.
    """
    return *tables(files, folder, by), _failures(files[FAILURES], folder / FAILURES)


def tables(
    files: Mapping[str, bytes], folder: Path, by: Sequence[str]
) -> "tuple[polars.DataFrame, polars.DataFrame]":
    """Return the tables of sessions and outages alone: see ``read``."""
    sessions, outages = (_table(files[name], folder / name) for name in (SESSIONS, OUTAGES))
    for frame, name in ((sessions, SESSIONS), (outages, OUTAGES)):
        _check(_columns_faults(frame, [*by, *_NEEDED[name]]), folder / name)
        _check(_values_faults(frame, *_RANGES[name]), folder / name)
    _check([] if _MAY_BE_NULL in sessions.columns else [f"has no column {_MAY_BE_NULL}"], folder / SESSIONS)
    again = sessions["session"].filter(sessions["session"].is_duplicated())
    _check([f"session {number} is there more than once" for number in again[:1]], folder / SESSIONS)
    _check(_strays_faults(sessions, outages, [*by, "seed"]), folder / OUTAGES)
    return sessions, outages


def _parquet(frame: "polars.DataFrame") -> bytes:
    file = BytesIO()
    frame.write_parquet(file)
    return file.getvalue()


def _table(content: bytes, path: Path) -> "polars.DataFrame":
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
    except pl.exceptions.PanicException as error:  # what it says is of its own code
        raise InvalidInputError([f"{path}: the table is damaged"]) from error


def _failures(content: bytes, path: Path) -> list[Row]:
    try:
        found = [json_of(line) for line in content.splitlines()]
    except ValueError as error:
        raise InvalidInputError([f"{path}: {error}"]) from error
    for number, one in enumerate(found, 1):
        missing = [key for key in _NEEDED[FAILURES] if not isinstance(one, dict) or key not in one]
        if missing:
            raise InvalidInputError([f"{path}: line {number}: want {missing[0]}"])
    return found


def _check(faults: Iterable[str], path: Path) -> None:
    if told := [f"{path}: {fault}" for fault in faults]:
        raise InvalidInputError(told)


def _columns_faults(frame: "polars.DataFrame", needed: Sequence[str]) -> list[str]:
    from simlab.study.tables import OUTAGE_COLUMNS, SESSION_COLUMNS, type_of

    faults = []
    known = [name for name in frame.columns if name in SESSION_COLUMNS or name in OUTAGE_COLUMNS]
    for name in dict.fromkeys([*needed, *known]):
        if name not in frame.columns:
            faults.append(f"has no column {name}")
        elif frame.schema[name] != type_of(name):
            faults.append(f"column {name} is {frame.schema[name]}, want {type_of(name)}")
        elif name in needed and frame[name].has_nulls():
            faults.append(f"column {name} has no value in some rows")
    return faults


def _values_faults(frame: "polars.DataFrame", name: str, low: float, high: float) -> list[str]:
    """Say which session is the first with a number that is none, or not within a range."""
    wrong = frame.filter(~(frame[name].is_finite() & frame[name].is_between(low, high)))
    wanted = f"{low:g} or more" if math.isinf(high) else f"{low:g} to {high:g}"
    return [
        f"column {name} is {'NaN' if math.isnan(value) else value} in session {number}, want {wanted}"
        for number, value in wrong.select("session", name).head(1).rows()
    ]


def _strays_faults(
    sessions: "polars.DataFrame", outages: "polars.DataFrame", labels: Sequence[str]
) -> list[str]:
    """Say which outage is the first that no session has, by its number and labels."""
    strays = outages.with_row_index("row").join(sessions, on=["session", *labels], how="anti").sort("row")
    if strays.is_empty():
        return []
    row = strays.row(0, named=True)
    told = ", ".join(f"{name} {row[name]}" for name in labels)
    return [f"session {row['session']} is not in {SESSIONS} with {told}"]
