"""Ctrl-C that ends a session and keeps what it recorded."""

import asyncio
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupt:
    """A signal handler that ends the running session, not whatever line of code happens to run.

    An exception raised just anywhere can land in a callback from C, which swallows it, or in the clearing
    up, which then stays half done. So the first signal goes through the event loop of the session, if one
    is running; otherwise it waits.
    """

    def __init__(self) -> None:
        self.asked = 0
        self.passed_on = False

    def __call__(self, _: int, __: FrameType | None) -> None:
        """Take a signal: pass the first one on, raise the others at once.

        Raises
        ------
        KeyboardInterrupt
            From the second signal on.
        """
        self.asked += 1
        if self.asked > 1:
            raise KeyboardInterrupt
        self.pass_on()

    def pass_on(self) -> None:
        """End the session of the running loop, if there is one."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        self.passed_on = True
        loop.call_soon(_interrupt)


class WorkerInterrupt(Interrupt):
    """The same for a process that runs sessions for another one, which may tell it more than once.

    ``direct`` is to be set while a session runs that handles KeyboardInterrupt itself.
    """

    def __init__(self) -> None:
        super().__init__()
        self.direct = False

    def __call__(self, _: int, __: FrameType | None) -> None:
        """Take a signal: pass the first one on, leave out the others.

        Raises
        ------
        KeyboardInterrupt
            If the session wants it.
        """
        self.asked += 1
        if self.asked > 1:
            return
        if self.direct:
            raise KeyboardInterrupt
        self.pass_on()


def _interrupt() -> None:
    raise KeyboardInterrupt


@contextmanager
def deferred_interrupt() -> Iterator[None]:
    """Let Ctrl-C end the session that runs inside, or else wait for the end of the block.

    Nothing changes outside the main thread, or where somebody else handles Ctrl-C already.

    Raises
    ------
    KeyboardInterrupt
        At the end, if Ctrl-C came and there was no session to end.
    """
    in_main_thread = threading.current_thread() is threading.main_thread()
    if not in_main_thread or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    interrupt = Interrupt()
    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if interrupt.asked and not interrupt.passed_on:
        raise KeyboardInterrupt
