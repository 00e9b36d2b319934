"""Ctrl-C that ends a session and keeps what it recorded."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from simlab.live.ctrl_c import on_ctrl_c


class Interrupt:
    """A signal handler that ends the running session, not whatever line of code happens to run.

    An exception raised just anywhere can land in a callback from C, which swallows it. So the first signal
    goes through the event loop of the session, if that is running.

    Parameters
    ----------
    held
        Only remember a first signal. May be changed at any time.
    patient
        Leave out the signals after the first one; else they are raised at once.

    Attributes
    ----------
    for_loops : bool
        Only remember a first signal while no loop runs, as if ``held``. May be changed at any time.
    """

    def __init__(self, held: bool = False, patient: bool = False) -> None:
        self.asked = 0
        self.held = held
        self.for_loops = False
        self._patient = patient
        self._outer_loop = running_loop()  # a notebook's: none of a session's business

    def __call__(self, _: int, __: FrameType | None) -> None:
        """Take a signal.

        Raises
        ------
        KeyboardInterrupt
            If the signal is neither to be remembered, nor to be left out, nor for a loop.
        """
        self.asked += 1
        if (self.held and self.asked == 1) or (self._patient and self.asked > 1):
            return
        loop = running_loop()
        if loop is None and self.for_loops and self.asked == 1:
            return
        if self.asked > 1 or loop is None or loop is self._outer_loop:
            raise KeyboardInterrupt
        loop.call_soon(interrupt_now)

    def hold(self) -> bool:
        """Only remember the next signal, and tell whether there was one already."""
        asked, self.asked, self.held = self.asked > 0, 0, True
        return asked


def running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the event loop that runs in this thread, if there is one."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def interrupt_now() -> None:
    """Do what Ctrl-C does, as a callback of a loop.

    Raises
    ------
    KeyboardInterrupt
        Always.
    """
    raise KeyboardInterrupt


@contextmanager
def interruptible() -> Iterator[Interrupt]:
    """Let Ctrl-C end the session that runs inside."""
    interrupt = Interrupt()
    with on_ctrl_c(interrupt):
        yield interrupt


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let a first Ctrl-C wait for the end of the block.

    Raises
    ------
    KeyboardInterrupt
        At the end, if there was one.
    """
    interrupt = Interrupt(held=True)
    with on_ctrl_c(interrupt):
        yield
    if interrupt.asked:
        raise KeyboardInterrupt
