"""The signals that ask a program to end, and who is told."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager


def ending_signals() -> tuple[signal.Signals, ...]:
    """Return Ctrl-C, a polite kill, and a closed terminal's, unless that is to be ignored (``nohup``)."""
    polite = (signal.SIGINT, signal.SIGTERM)
    return polite if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else (*polite, signal.SIGHUP)


async def asked_to_stop(stop: asyncio.Event) -> None:
    """Wait for ``stop``, or for a signal that asks to end. A second one then ends everything at once."""
    loop = asyncio.get_running_loop()
    signals = ending_signals()
    for number in signals:
        loop.add_signal_handler(number, stop.set)
    await stop.wait()
    for number in signals:
        loop.remove_signal_handler(number)


@contextmanager
def parent_alone_is_asked() -> Iterator[None]:
    """Keep these signals from the processes that are started inside, for as long as they live.

    A terminal, ``timeout`` and others send them to all processes of a group, and so to a child before it can
    say that its parent ends it. A mask is inherited (``execve(2)``).
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
