"""Other tools' files, as profiles."""

import re
import sys
from pathlib import Path

from simlab.batch.files import text_of
from simlab.core.errors import InvalidInputError
from simlab.profile.importers import import_text
from simlab.profile.importers.text import Way
from simlab.profile.load import LONGEST_TEXT
from simlab.profile.model import NAME_PATTERN

STDIN = "-"


def import_file(kind: str, file: str, name: str | None = None, direction: Way | None = None) -> str:
    """Return a profile that says what a file of another tool says.

    Parameters
    ----------
    kind
        One of ``simlab.profile.importers.IMPORTERS``.
    file
        ``-`` is stdin.
    name
        Of the profile; None for that of the file.
    direction
        None is that of the file's ending (``.up``, ``.down``), and both for any other.

    Raises
    ------
    InvalidInputError
        If the file cannot be read or is wrong, or the name cannot be that of a profile.
    """
    if name is not None and not re.fullmatch(NAME_PATTERN, name):
        raise InvalidInputError(
            [f"--name {name}: want at most 64 letters, digits, dots, dashes and underscores"]
        )
    path = Path(file)
    text = _stdin() if file == STDIN else text_of(path, "a file")
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", path.stem).strip("-._")[:64]
    return import_text(kind, text, file, name or stem or "imported", direction or _ending(path))


def _ending(path: Path) -> Way:
    if path.suffix == ".up":
        return "up"
    return "down" if path.suffix == ".down" else "both"


def _stdin() -> str:
    try:
        return sys.stdin.buffer.read(4 * LONGEST_TEXT).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInputError(["stdin: is not text in UTF-8"]) from None
