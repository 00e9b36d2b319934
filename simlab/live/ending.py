"""The signals that ask a program to end, and who is told."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from simlab.core.timeline import Event

ASKING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def ending_signals() -> tuple[signal.Signals, ...]:
    """Return Ctrl-C, a polite kill, and a closed terminal's, unless that is to be ignored (``nohup``)."""
    polite = (signal.SIGINT, signal.SIGTERM)
    return polite if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else (*polite, signal.SIGHUP)


class Telling:
    """Tell of events until that fails, and then ask for the end: what is told of must go on until then.

    Parameters
    ----------
    happened
        Called with each event.
    stop
        Set when that has failed: nobody watches any more.

    Attributes
    ----------
    failure : OSError or None
        How it has failed.
    """

    def __init__(self, happened: Callable[[Event], None], stop: asyncio.Event) -> None:
        self._happened = happened
        self._stop = stop
        self.failure: OSError | None = None

    def __call__(self, event: Event) -> None:
        """Tell of an event."""
        if self.failure is not None:
            return
        try:
            self._happened(event)
        except OSError as error:
            self.failure = error
            self._stop.set()


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
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ASKING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
