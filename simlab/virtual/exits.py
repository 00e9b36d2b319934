"""Let code of the user's own that ends the process end its session alone."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NoReturn

from simlab.virtual.replace import replaced

_ENDING = {getattr(signal, f"SIG{name}", None) for name in ("TERM", "INT", "HUP", "QUIT")} - {None}


@contextmanager
def exits_withheld() -> Iterator[None]:
    """Let ``os._exit`` in this thread do as ``sys.exit`` does, for as long as the context lasts.

    So does a signal that asks a process to end, and that it sends to itself. Other threads, and processes
    that are copies of this one, end as they want to.
    """
    owner = os.getpid(), threading.get_ident()
    leave, kill, raise_signal = os._exit, os.kill, signal.raise_signal

    def is_here() -> bool:
        return (os.getpid(), threading.get_ident()) == owner

    def raise_exit(status: int) -> NoReturn:
        if not is_here():
            leave(status)
        raise SystemExit(f"os._exit({status})")

    def kill_others(pid: int, number: int, /) -> None:
        if pid == owner[0]:
            end_by("os.kill", number)
        kill(pid, number)

    def raise_harmless(number: int, /) -> None:
        end_by("signal.raise_signal", number)
        raise_signal(number)

    def end_by(what: str, number: Any) -> None:
        if number in _ENDING and is_here():
            raise SystemExit(f"{what} with {signal.Signals(number).name}")

    with ExitStack() as stack:
        stack.enter_context(replaced(os, "_exit", raise_exit))
        stack.enter_context(replaced(os, "kill", kill_others))
        stack.enter_context(replaced(signal, "raise_signal", raise_harmless))
        yield
