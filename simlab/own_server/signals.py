"""Signals are the session's, also when a module of the user's own is imported that asks for them."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_ENDING = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def signals_kept() -> Iterator[None]:
    """Put back who handles the signals that end a process, whoever asked for them meanwhile."""
    before = {number: signal.getsignal(number) for number in _ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            in_main_thread = threading.current_thread() is threading.main_thread()
            if in_main_thread and handler is not None and signal.getsignal(number) is not handler:
                signal.signal(number, handler)
