"""Study folders."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simlab.profile.text import parsed
from simlab.store.content import content

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
    found = {name: content(folder / name) for name in (MATRIX, *names)}
    text = found.pop(MATRIX).decode(errors="surrogateescape")
    return SavedStudy(parsed(text, str(folder / MATRIX)), found)
