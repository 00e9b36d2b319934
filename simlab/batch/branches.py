"""Work that goes on in several ways from where it comes to a choice, in a copy of the process for each."""

import asyncio
import ctypes
import gc
import os
import pickle
import random
import select
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from simlab.batch.interrupt import running_loop

T = TypeVar("T")

_POLL_S = 0.1  # until a copy is told that the user does not want it any more
_CHUNK_BYTES = 1 << 16
_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
if sys.platform != "win32":
    _system_fork = os.fork  # in a session, that of the module is told as a leak


class BranchError(Exception):
    """A copy raised an exception: its traceback is the message."""


def can_branch() -> bool:
    """Tell whether this process can be copied here: all that runs in it must be what is to go on."""
    in_main_thread = threading.current_thread() is threading.main_thread()
    return sys.platform == "linux" and in_main_thread and running_loop() is None


class Branches(Generic[T]):
    """What the branches of some work come to.

    Copies run one after the other, while the process that they are copies of waits: the work takes one core.

    Parameters
    ----------
    is_stopped
        Tells whether the user wants it to end.
    """

    def __init__(self, is_stopped: Callable[[], bool]) -> None:
        self._is_stopped = is_stopped
        self._found: list[T] = []
        self._failure = ""  # the traceback of a copy
        self._to_parent: int | None = None  # where a copy writes what it comes to

    def run(self, work: Callable[[], T]) -> list[T]:
        """Return what each branch of ``work`` comes to, but for those whose process died, or was ended.

        Raises
        ------
        BranchError
            If a copy raised an exception.
        """
        try:
            found = work()
        except BaseException as error:
            if self._to_parent is None:
                raise
            self._leave([] if isinstance(error, KeyboardInterrupt) else traceback.format_exc())
        self._found.append(found)
        self._end_copy()
        if self._failure:
            raise BranchError(self._failure)
        return self._found

    def end_copy(self, result: Callable[[], T]) -> None:
        """Return nothing, if this process is a copy, but end it with this result.

        Nobody needs what it would give back, and of what it would free it has to copy every page.
        """
        if self._to_parent is not None:
            self._found.append(result())
            self._end_copy()

    def _end_copy(self) -> None:
        if self._to_parent is not None:
            self._leave(self._failure or self._found)

    def choose(self, groups: Sequence[Sequence[int]]) -> Sequence[int]:
        """Go on with each of several groups, and return the one that it is here."""
        own, *others = groups
        for group in others:
            if self._is_stopped():
                break
            if self._copied():
                return group
        return own

    def _copied(self) -> bool:
        """Make a copy of this process, which returns True; False once it is over."""
        reading, writing = os.pipe()
        pid = _fork()
        if pid == 0:
            os.close(reading)
            self._to_parent, self._found = writing, []
            return True
        os.close(writing)
        self._take(self._said(pid, reading))
        return False

    def _said(self, pid: int, reading: int) -> bytes:
        told = False
        parts = []
        with open(reading, "rb", buffering=0) as pipe:
            while True:
                if self._is_stopped() and not told:
                    told = True
                    os.kill(pid, signal.SIGTERM)
                if select.select([pipe], [], [], _POLL_S)[0]:
                    part = pipe.read(_CHUNK_BYTES)
                    if not part:
                        break
                    parts.append(part)
        _, status = os.waitpid(pid, 0)
        return b"".join(parts) if status == 0 else b""

    def _take(self, said: bytes) -> None:
        if not said:
            return
        found = pickle.loads(said)
        if isinstance(found, str):
            self._failure = found  # to be told at the end: here, an event loop would keep it to itself
        else:
            self._found += found

    def _leave(self, said: object) -> None:
        """End a copy."""
        assert self._to_parent is not None
        with open(self._to_parent, "wb") as pipe:
            pipe.write(pickle.dumps(said))
        os._exit(0)


def _fork() -> int:
    """Copy this process, with the luck and the running loop that it has; 0 in the copy."""
    loop, luck, parent = running_loop(), random.getstate(), os.getpid()
    tasks = (asyncio.current_task(loop), asyncio.all_tasks(loop)) if loop is not None else None
    with warnings.catch_warnings():
        # Other threads are none of the session's, and what they hold it does not want.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = _system_fork()
    if pid:
        return pid
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    gc.freeze()  # or the collector would go through everything, and so copy every page of it
    random.setstate(luck)  # Python seeds it anew in each copy
    if loop is not None and tasks is not None:
        asyncio.set_event_loop(loop)
        asyncio._set_running_loop(loop)
        _remember(loop, *tasks)
    return 0


def _remember(
    loop: asyncio.AbstractEventLoop, current: "asyncio.Task[Any] | None", tasks: "set[asyncio.Task[Any]]"
) -> None:
    """Tell asyncio again of its tasks, which Python 3.14 and later forget in a copy."""
    lost = tasks - asyncio.all_tasks(loop)
    for task in lost:  # all before the first is there again, or a list of asyncio's is left in disorder
        asyncio._unregister_task(task)
    for task in lost:
        asyncio._register_task(task)
    if current is not None and asyncio.current_task(loop) is not current:
        asyncio._enter_task(loop, current)
