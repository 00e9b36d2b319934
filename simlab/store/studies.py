"""Study folders."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from simlab.core.errors import InvalidInputError
from simlab.profile.text import parsed
from simlab.store.writing import reason, told, written

MATRIX = "study.toml"


@dataclass(frozen=True)
class SavedStudy:
    """What a study folder holds.

    Parameters
    ----------
    matrix
        The tables of study.toml.
    files
        The contents of the files that were asked for, by name.
    """

    matrix: dict[str, Any]
    files: Mapping[str, bytes]


def save_study(parent: Path, name: str, files: Mapping[str, bytes]) -> Path:
    """Write a study folder, named after the time in UTC and ``name``, and return where it is.

    Raises
    ------
    SimlabError
        If the disk is full or cannot be written; then there is no folder.
    """
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    with told(parent, "the study could not be saved"):
        parent.mkdir(parents=True, exist_ok=True)
        return written(parent, f"{stamp}-{name}", "", files)


def is_study(folder: Path) -> bool:
    """Tell whether a folder is a study's."""
    return (folder / MATRIX).is_file()


def load_study(folder: Path, names: Sequence[str]) -> SavedStudy:
    """Read study.toml and the files of these names.

    Raises
    ------
    InvalidInputError
        If one of them is not there, or study.toml is damaged.
    """
    found = {name: _content(folder / name) for name in (MATRIX, *names)}
    text = found.pop(MATRIX).decode(errors="surrogateescape")
    return SavedStudy(parsed(text, str(folder / MATRIX)), found)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidInputError([f"{path}: {reason(error)}"]) from error
