"""Where in a user's own code something went wrong."""

import os
import traceback
from pathlib import Path

from simlab.own_server.whose import is_installed, is_stdlib

_SIMLAB = os.path.join(Path(__file__).parents[1], "")


def place(error: BaseException) -> str:
    """Return what went wrong, and where: the last line of the user's own, if there is one."""
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [frame for frame in frames if is_theirs(frame.filename)]
    where = [f" ({frame.filename}:{frame.lineno})" for frame in (theirs or frames)[-1:]]
    said = f": {error}" if str(error) else ""
    return f"{type(error).__name__}{said}{''.join(where)}"


def told_of_import(error: BaseException) -> str:
    """Return the traceback of an import that failed, from the first line of the user's own on."""
    whole = traceback.TracebackException.from_exception(error)
    numbers = [number for number, frame in enumerate(whole.stack) if is_theirs(frame.filename)]
    whole.stack = traceback.StackSummary.from_list(whole.stack[min(numbers, default=len(whole.stack)) :])
    return "".join(whole.format()).rstrip()


def is_theirs(file: str) -> bool:
    """Tell whether a file is neither of simlab, nor of Python, nor an installed library's."""
    return not (file.startswith(("<", _SIMLAB)) or is_stdlib(file) or is_installed(file))
