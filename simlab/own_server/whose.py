"""Whose code a file is: Python's, an installed library's, or its user's own."""

import os
import sys
from functools import cache
from pathlib import Path

_STDLIB = os.path.dirname(os.__file__)
_LIBRARIES = ("site-packages", "dist-packages")


@cache
def is_stdlib(file: str) -> bool:
    """Tell whether a file is of Python itself."""
    if file.startswith("<frozen"):
        return True
    return _is_in(file, _STDLIB) and not any(part in _LIBRARIES for part in Path(file).parts)


def is_installed(file: str) -> bool:
    """Tell whether a file is an installed library's.

    Such a file is imported from a folder of libraries: one of Python's, or one that has what pip writes
    beside all that it installs (``pip install --target``).
    """
    folders = [folder for folder in sys.path if folder and _is_in(file, folder)]
    return bool(folders) and _has_libraries(max(folders, key=len))


@cache
def _has_libraries(folder: str) -> bool:
    return Path(folder).name in _LIBRARIES or any(Path(folder).glob("*.dist-info"))


def _is_in(file: str, folder: str) -> bool:
    return file.startswith(os.path.join(folder, ""))
