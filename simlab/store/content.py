"""What is in a file of a folder."""

import os
import stat
from pathlib import Path

from simlab.core.errors import InvalidInputError
from simlab.store.writing import reason


def content(path: Path) -> bytes:
    """Read a file.

    Raises
    ------
    InvalidInputError
        If it cannot be read, or is no file: a pipe in its place is never at its end, nor are some devices.
    """
    try:
        check_file(path)
        return path.read_bytes()
    except OSError as error:
        raise InvalidInputError([f"{path}: {reason(error)}"]) from error


def text_of(path: Path) -> str:
    """Read a file of text.

    Raises
    ------
    InvalidInputError
        If it cannot be read, is no file, or is not in UTF-8.
    """
    try:
        return content(path).decode()
    except UnicodeDecodeError as error:
        raise InvalidInputError([f"{path}: the text is not UTF-8"]) from error


def check_file(path: Path) -> None:
    """Make sure that a path leads to nothing that one waits at for ever; ``/dev/null`` is as good as a file.

    Raises
    ------
    OSError
        If it leads to nothing, or cannot be told.
    InvalidInputError
        If it is a pipe, a socket or a device.
    """
    found = path.stat()
    # That a folder is no file is told by the system.
    if stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode):
        return
    if not os.path.samestat(found, os.stat(os.devnull)):
        raise InvalidInputError([f"{path}: is a pipe, a socket or a device, want a file"])
