"""The files that a study is opened again from, beside its matrix: its tables, and what could not be run."""

import json
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from simlab.core.errors import InvalidInputError
from simlab.study.rows import Row

if TYPE_CHECKING:
    import polars

_SESSIONS, _OUTAGES, _FAILURES = NAMES = ("sessions.parquet", "outages.parquet", "failures.jsonl")


def written(
    sessions: "polars.DataFrame", outages: "polars.DataFrame", failures: Sequence[Row]
) -> dict[str, bytes]:
    """Return the files, by their names."""
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in failures)
    return {_SESSIONS: _parquet(sessions), _OUTAGES: _parquet(outages), _FAILURES: lines.encode()}


def read(files: Mapping[str, bytes], folder: Path) -> "tuple[polars.DataFrame, polars.DataFrame, list[Row]]":
    """Return the tables of sessions and outages, and the failures, from files of a folder.

    Raises
    ------
    InvalidInputError
        If one of the files is damaged.
    """
    sessions, outages = (read_table(files[name], folder / name) for name in (_SESSIONS, _OUTAGES))
    return sessions, outages, _failures(files[_FAILURES], folder / _FAILURES)


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
        return [json.loads(line) for line in content.splitlines()]
    except ValueError as error:
        raise InvalidInputError([f"{path}: {error}"]) from error
