"""Run somebody else's program with what this package adds to it."""

import runpy
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from simlab.capture.keys import keys_logged
from simlab.core.errors import InvalidInputError


def run_with_keys(path: Path, arguments: Sequence[str]) -> None:
    """Run a Python program in this process, and append the secrets of its DTLS connections to a file.

    Parameters
    ----------
    arguments
        As for ``python``: a file, or ``-m`` and a module that can be found, and then the program's own.

    Raises
    ------
    InvalidInputError
        If the file of secrets cannot be written.
    BaseException
        Whatever the program raises, ``SystemExit`` too.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(keys_logged(path))
        except OSError as error:
            raise InvalidInputError([f"{path}: {error.strerror}"]) from error
        if arguments[0] == "-m":
            sys.argv = ["", *arguments[2:]]  # runpy puts the module's file in the first place
            runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
        else:
            sys.argv = [*arguments]
            sys.path.insert(0, str(Path(arguments[0]).resolve().parent))
            runpy.run_path(arguments[0], run_name="__main__")
