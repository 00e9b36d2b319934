"""Who is told of Ctrl-C, and of what does the same."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

Handler = Callable[[int, FrameType | None], object]

_raise = signal.raise_signal  # in a session, that of the module fails the session
# Where Ctrl-C is ignored, no handler of it may be set, and the others find theirs here.
_unset: list[Handler] = []


@contextmanager
def on_ctrl_c(handler: Handler) -> Iterator[None]:
    """Handle Ctrl-C within the block, and ``as_ctrl_c`` where Ctrl-C itself is ignored.

    Nothing changes outside the main thread, or where somebody else handles it already.
    """
    now = signal.getsignal(signal.SIGINT)
    in_main_thread = threading.current_thread() is threading.main_thread()
    if in_main_thread and now is signal.default_int_handler:
        signal.signal(signal.SIGINT, handler)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, now)
    elif in_main_thread and now is signal.SIG_IGN and not _unset:
        _unset.append(handler)
        try:
            yield
        finally:
            _unset.clear()
    else:
        yield


@contextmanager
def noted() -> Iterator[Callable[[], bool]]:
    """Note within the block what Ctrl-C would raise, and raise nothing; tell whether there was one.

    An exception can come while a thread is being started, which then has nobody who would end it.
    """
    asked: list[int] = []
    now = signal.getsignal(signal.SIGINT)
    if not callable(now) or threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return

    def note(number: int, frame: FrameType | None) -> None:
        try:
            now(number, frame)
        except KeyboardInterrupt:
            asked.append(number)

    signal.signal(signal.SIGINT, note)
    try:
        yield lambda: bool(asked)
    finally:
        signal.signal(signal.SIGINT, now)


def as_ctrl_c(number: int, frame: FrameType | None) -> None:
    """Do what Ctrl-C does, as the handler of another signal, even where Ctrl-C itself is ignored.

    So it is in what a script runs in the background (POSIX, XCU 2.11).

    Raises
    ------
    KeyboardInterrupt
        If nobody handles it.
    """
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        _raise(signal.SIGINT)
        return
    handler = _unset[0] if _unset else signal.default_int_handler
    handler(number, frame)
