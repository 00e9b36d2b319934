"""Study folders."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simlab.core.errors import InvalidInputError
from simlab.core.limits import MOST_SEEDS
from simlab.profile.text import parsed
from simlab.store.content import content

MATRIX = "study.toml"
_FORM: Mapping[str, tuple[type, str]] = {
    "set": (dict, "a table"),
    "vary": (dict, "a table"),
    "notes": (list, "a list"),
    "cell": (list, "a list of tables"),
}
"""What is read out of study.toml, whatever it was written by, and its type."""


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
    tables = parsed(text, str(folder / MATRIX))
    if faults := list(_faults(tables)):
        raise InvalidInputError([f"{folder / MATRIX}: {fault}" for fault in faults])
    return SavedStudy(tables, found)


def _faults(tables: Mapping[str, Any]) -> Iterator[str]:
    for key, (kind, told) in _FORM.items():
        if key in tables and not isinstance(tables[key], kind):
            yield f"{key} is {json.dumps(tables[key], default=str)}, want {told}"
    seeds = tables.get("seeds", 1)
    if not isinstance(seeds, int) or not 1 <= seeds <= MOST_SEEDS:
        yield f"seeds is {json.dumps(seeds, default=str)}, want 1 to {MOST_SEEDS:,}"
