"""Folders and files that appear whole or not at all, and what is said where they cannot."""

import os
import re
import secrets
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from simlab.core.errors import SimlabError


def written(
    parent: Path, name: str, ending: str, files: Mapping[str, bytes], captured: Path | None = None
) -> Path:
    """Write a folder, and return where it is: the first of ``name``, ``name-2`` and so on that is free.

    Parameters
    ----------
    captured
        A folder whose files are moved into it, and back where it cannot be finished.
    """
    draft = draft_of(parent, name)
    try:
        draft.mkdir()
        for file_name, content in files.items():
            (draft / file_name).parent.mkdir(exist_ok=True)
            (draft / file_name).write_bytes(content)
        if captured is not None:
            for path in sorted(captured.iterdir()):
                path.rename(draft / path.name)
            captured.rmdir()
        return moved(draft, parent, name, ending)
    except OSError:
        if captured is not None:
            _give_back(draft, captured, files)
        raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _give_back(draft: Path, captured: Path, files: Mapping[str, bytes]) -> None:
    """Move the files of a capture back from a folder that could not be finished."""
    captured.mkdir(exist_ok=True)
    for path in sorted(draft.iterdir()) if draft.exists() else ():
        if path.is_file() and path.name not in files:
            path.rename(captured / path.name)


def moved(draft: Path, parent: Path, name: str, ending: str) -> Path:
    """Give a finished folder the first name that is free."""
    number = 1
    while True:
        folder = parent / (f"{name}{ending}" if number == 1 else f"{name}-{number}{ending}")
        number += 1
        if folder.exists():
            continue
        try:
            # Refused where another process has just made the folder, since that one is not empty.
            return draft.rename(folder)
        except OSError:
            if not folder.exists():
                raise


def write_all(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files into a folder, each whole or not at all, over those that may be there."""
    for name, content in files.items():
        draft = draft_of(folder, name)
        try:
            draft.write_bytes(content)
            draft.replace(folder / name)
        finally:
            draft.unlink(missing_ok=True)


def now() -> datetime:
    """Return the time in UTC, whatever a session that another thread runs in virtual time makes of it."""
    # Where time_machine is not imported, no thread runs one; to import it would import pytest, too: 7 MB.
    real = getattr(sys.modules.get("time_machine"), "escape_hatch", None)
    try:
        return real.datetime.datetime.now(UTC) if real else datetime.now(UTC)
    except ValueError:  # no thread runs one
        return datetime.now(UTC)


def stamp() -> str:
    """Return the time in UTC as the names of folders have it."""
    return now().strftime("%Y%m%dT%H%M%SZ")


def draft_of(parent: Path, name: str) -> Path:
    """Return where something is written before it gets its name."""
    return parent / f".{name}.{secrets.token_hex(4)}"


def try_file(parent: Path) -> None:
    """Try whether a file can be written in a folder: an error of the system says that none can."""
    trial = draft_of(parent, "trial")
    trial.touch()
    trial.unlink()


@contextmanager
def told(place: Path, what: str) -> Iterator[None]:
    """Make of an error of the system one for the user."""
    try:
        yield
    except OSError as error:
        raise SimlabError(f"{place}: {what}: {reason(error)}") from error


def no_folder(place: Path, error: OSError) -> str:
    """Return why a folder cannot be made, or nothing in it: a file or broken link in the way by its name."""
    there = (one for one in (place, *place.parents) if os.path.lexists(one))
    in_the_way = next((one for one in there if not one.is_dir()), None)
    if in_the_way is None:
        return f"{place}: {reason(error)}"
    what = "a file" if in_the_way.exists() else "a link to nothing"
    return f"{place}: {'it' if in_the_way == place else in_the_way} is {what}, want a folder"


def utf8(text: str) -> bytes:
    """Return text for a file, also where the locale could not read a name in it (PEP 383)."""
    whole = _NO_BYTES.sub("\N{REPLACEMENT CHARACTER}", text)
    return whole.encode(errors="surrogateescape").decode(errors="replace").encode()


_NO_BYTES = re.compile("[\ud800-\udc7f\udd00-\udfff]")
"""Halves of characters that stand for no byte; somebody else's message may have them."""


def json_bytes(text: str) -> bytes:
    """Return JSON for a file; half a character in it is escaped, so that it is read as it was."""
    return text.encode(errors="backslashreplace")


def reason(error: OSError) -> str:
    """Return what the system says of an error."""
    return os.strerror(error.errno).lower() if error.errno else str(error)
