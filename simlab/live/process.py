"""What both child processes do alike: begin quietly, and never outlive their parent."""

import ctypes
import os
import signal
import sys
import traceback
from collections.abc import Callable

_SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG, prctl(2)


def run_child(work: Callable[[int], None]) -> None:
    """Run a child process, and end it.

    Parameters
    ----------
    work
        Called with the file descriptor to write messages to. stdout itself becomes stderr, so that
        nothing that prints can get in between.
    """
    # The parent alone is interrupted, and then stops its children.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _die_with_parent()
    output = os.dup(1)
    os.dup2(2, 1)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    try:
        work(output)
    except BrokenPipeError:
        _exit(0)  # the parent is gone
    except BaseException as error:
        traceback.print_exception(error)
        leaf = _leaf(error)
        print(f"{type(leaf).__name__}: {leaf}", file=sys.stderr)
        _exit(1)
    _exit(0)


def _die_with_parent() -> None:
    # A closed stdin says the same, but only to a process that is not stopped or stuck.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)


def _leaf(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _exit(status: int) -> None:
    # Without waiting for threads: aiortc has one for each track that it decodes.
    sys.stderr.flush()
    os._exit(status)
