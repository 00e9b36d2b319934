"""Whose code is calling, and where in it."""

import os
import sys
from functools import cache
from pathlib import Path
from types import FrameType

_STDLIB = os.path.dirname(os.__file__)
_LIBRARIES = ("site-packages", "dist-packages")
_PASSED_OVER = ("simlab", "anyio", "asyncio")


def caller(frame: FrameType | None, own_code_alone: bool) -> str | None:
    """Return the module, line and function that is calling, with Python and the simulator passed over.

    Parameters
    ----------
    own_code_alone
        Whether to return None for an installed library, too.
    """
    while frame is not None:
        module, file = frame.f_globals.get("__name__", ""), frame.f_code.co_filename
        if module.partition(".")[0] not in _PASSED_OVER and not _is_stdlib(file):
            if own_code_alone and _is_installed(file):
                return None
            return f"{module}, line {frame.f_lineno}, in {frame.f_code.co_name}"
        frame = frame.f_back
    return None


@cache
def _is_stdlib(file: str) -> bool:
    if file.startswith("<frozen"):
        return True
    return _is_in(file, _STDLIB) and not any(part in _LIBRARIES for part in Path(file).parts)


def _is_installed(file: str) -> bool:
    """Tell whether a file is an installed library's, and not its user's own.

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
