"""What else ends a command as Ctrl-C does."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from simlab.live.ctrl_c import as_ctrl_c


@contextmanager
def others_as_ctrl_c() -> Iterator[None]:
    """Let a polite kill, and a terminal that is closed, do what Ctrl-C does: what is over is saved.

    Where somebody handles or ignores one of these already (``nohup``), that stays.
    """
    numbers = [
        number for number in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(number) is signal.SIG_DFL
    ]
    for number in numbers:
        signal.signal(number, as_ctrl_c)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)
