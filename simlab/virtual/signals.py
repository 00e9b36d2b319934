"""Let code of the user's own ask for signals, and get none: in a session they are simlab's."""

import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from simlab.virtual.replace import replaced


@contextmanager
def signals_withheld() -> Iterator[None]:
    """Only note who asks to handle a signal in this thread, for as long as the context lasts."""
    owner = threading.get_ident()
    set_handler, get_handler = signal.signal, signal.getsignal
    noted: dict[int, Any] = {}

    def note(number: int, handler: Any, /) -> Any:
        if threading.get_ident() != owner:
            return set_handler(number, handler)
        before = look_up(number)
        noted[number] = handler
        return before

    def look_up(number: int, /) -> Any:
        return noted.get(number, get_handler(number))

    with ExitStack() as stack:
        stack.enter_context(replaced(signal, "signal", note))
        stack.enter_context(replaced(signal, "getsignal", look_up))
        yield
