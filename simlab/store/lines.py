"""Files of JSON lines, which only grow."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from simlab.core.errors import InvalidInputError
from simlab.core.json_text import json_of
from simlab.store.content import check_file, text_of
from simlab.store.writing import json_bytes, no_folder, reason, told, try_file

_MOST_FAULTS = 5


def prepare_append(path: Path) -> None:
    """Make the folder of a file that ``append`` adds to, and try whether it can be written; it is not made.

    Raises
    ------
    InvalidInputError
        If it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            check_file(path)
            path.open("ab").close()
        else:
            try_file(path.parent)
    except OSError as error:
        if not path.parent.is_dir():
            raise InvalidInputError([f"--trend {no_folder(path.parent, error)}"]) from error
        raise InvalidInputError([f"--trend {path}: {reason(error)}"]) from error


def append(path: Path, records: Sequence[Mapping[str, Any]]) -> None:
    """Add records to a file of JSON lines, all of them or none; what is in it stays as it is.

    Raises
    ------
    SimlabError
        If the disk is full or cannot be written.
    """
    text = "".join(json.dumps(one, ensure_ascii=False, allow_nan=False) + "\n" for one in records)
    with told(path, "the records could not be added"):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+b", buffering=0) as file:
            before_bytes, written = os.fstat(file.fileno()).st_size, 0
            content = json_bytes(_line_end(file, before_bytes) + text)
            try:
                while written < len(content):  # a disk that is about to be full takes a part
                    written += file.write(content[written:])
            except OSError:
                file.truncate(before_bytes)
                raise


def _line_end(file: BinaryIO, size_bytes: int) -> str:
    """Return what ends the last line, which an editor may have left without an end."""
    file.seek(max(0, size_bytes - 1))
    return "\n" if file.read(1) not in (b"", b"\n") else ""


def records(path: Path) -> list[dict[str, Any]]:
    """Read a file of JSON lines; one that is not there has none.

    Raises
    ------
    InvalidInputError
        If it cannot be read, or a line is no JSON object; of many such lines, with the first ones.
    """
    if not path.exists():
        return []
    text = text_of(path)
    if not text:
        return []
    found: list[dict[str, Any]] = []
    faults: list[str] = []
    for number, line in enumerate(text.removesuffix("\n").split("\n"), 1):
        try:
            one = json_of(line)
        except ValueError as error:
            faults.append(f"{path}: line {number}: {error}")
            continue
        if isinstance(one, dict):
            found.append(one)
        else:
            faults.append(f"{path}: line {number}: want an object")
    if faults:
        raise InvalidInputError(first_faults(path, faults))
    return found


def first_faults(path: Path, faults: Sequence[str]) -> list[str]:
    """Return the faults of the first lines of a file, and how many more lines have one."""
    more = len(faults) - _MOST_FAULTS
    rest = [f"{path}: and {more} more of its lines"] if more > 0 else []
    return [*faults[:_MOST_FAULTS], *rest]
