"""An asyncio event loop that never waits: asked to, it moves its own clock forward."""

import asyncio
import contextvars
import heapq
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from os.path import dirname
from types import FrameType
from typing import Any, NoReturn, TypeVar, TypeVarTuple

from simlab.core.errors import SessionFailedError
from simlab.virtual.standstill import MOST_READINGS, TimeStandsStillError, standstill
from simlab.virtual.tasks import Future, Task

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_ASYNCIO = dirname(asyncio.__file__)
_MOST_ROUNDS = 1_000_000
"""So many at the same time are for ever; of simlab's own there are some hundreds."""


@dataclass(eq=False, frozen=True)
class Process:
    """A process of a virtual host: all that runs in a context of which it is the ``current_process``."""

    name: str


# The process that the running code belongs to. Tasks and callbacks inherit it; what has none is the world.
current_process: contextvars.ContextVar[Process | None] = contextvars.ContextVar(
    "current_process", default=None
)


class _Handle(asyncio.Handle):
    """A callback, made in one step: asyncio's own asks the loop first whether it debugs."""

    __slots__ = ()

    def __init__(
        self,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        loop: asyncio.AbstractEventLoop,
        context: contextvars.Context | None,
    ) -> None:
        self._callback = callback
        self._args = args
        self._loop = loop
        self._context = contextvars.copy_context() if context is None else context
        self._cancelled = False
        self._repr = None
        self._source_traceback = None


class _Timer(_Handle, asyncio.TimerHandle):
    """A callback at a time, made in one step, and cancelled without a word to the loop."""

    __slots__ = ()

    def __init__(
        self,
        when: float,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        loop: asyncio.AbstractEventLoop,
        context: contextvars.Context | None,
    ) -> None:
        _Handle.__init__(self, callback, args, loop, context)
        self._when = when
        self._scheduled = True

    def cancel(self) -> None:
        """Do not run: the loop skips it when its time comes."""
        self._cancelled = True
        self._callback = self._args = None  # type: ignore[assignment]


def _task_of(handle: asyncio.Handle) -> "asyncio.Task[Any] | None":
    task = getattr(handle._callback, "__self__", None)  # type: ignore[attr-defined]
    return task if isinstance(task, asyncio.Task) else None


def _frame_of(work: Any) -> FrameType | None:
    """Return where a coroutine is: in the innermost one that it awaits, but for asyncio's own."""
    frame: FrameType | None = getattr(work, "cr_frame", None)
    awaited = getattr(work, "cr_await", None)
    inner = None if awaited is None else _frame_of(awaited)
    if inner is None or inner.f_code.co_filename.startswith(_ASYNCIO):
        return frame
    return inner


def _who(handle: asyncio.Handle) -> str:
    """Return whose turn it is: the task's coroutine and the line that it is in, or the function."""
    task = _task_of(handle)
    work: Any = handle._callback if task is None else task.get_coro()  # type: ignore[attr-defined]
    name = getattr(work, "__qualname__", type(work).__name__)
    frame, code = _frame_of(work), getattr(work, "__code__", None)
    if frame is not None:
        return f"{frame.f_code.co_qualname} ({frame.f_code.co_filename}:{frame.f_lineno})"
    return name if code is None else f"{name} ({code.co_filename}:{code.co_firstlineno})"


def _raise_again(reason: str) -> NoReturn:
    raise TimeStandsStillError(reason)


class VirtualLoop(asyncio.BaseEventLoop):
    """Run callbacks in the order of their times, and of their making where these are equal.

    asyncio's own loop compares timers by their time alone, so a heap of them may return equal ones in
    any order; it also asks a selector in every round. Neither is wanted here, and half of its time was
    spent on them.
    """

    # asyncio's own 19 attributes are in a dict, which is fast up to 30 of them: these are not.
    __slots__ = (
        "_future_numbers",
        "_readings",
        "_signals",
        "_task_numbers",
        "_ties",
        "_timers",
        "halted",
        "is_last_act",
        "now_s",
    )

    _ready: deque[Any]  # of handles, whose fields asyncio keeps to itself
    _stopping: bool
    _closed: bool
    _task_factory: Any
    _thread_id: int | None

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0
        self._readings = 0  # of the clock, at the same time
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._ties = count()
        self._task_numbers, self._future_numbers = count(1), count(1)
        self.halted: dict[Process, list[asyncio.Handle]] = {}  # with what is kept of each
        self._signals: set[int] = set()
        self.is_last_act = False  # set by a callback that does nothing after what it does now

    def halt(self, process: Process) -> None:
        """Run nothing of a process any more: what comes up is kept."""
        self.halted.setdefault(process, [])

    def resume(self, process: Process) -> None:
        """Let a halted process go on: what was kept comes first, in its order."""
        self._ready.extendleft(reversed(self.halted.pop(process, [])))

    def resume_all(self) -> None:
        """Let every halted process go on."""
        for process in list(self.halted):
            self.resume(process)

    def is_halted(self, process: Process | None) -> bool:
        """Tell whether a process is halted."""
        return process in self.halted

    def time(self) -> float:
        """Return the virtual seconds since the loop was made, for code of the user's own, too.

        Raises
        ------
        TimeStandsStillError
            If it is asked for ever at the same time.
        """
        self._readings += 1
        if self._readings > MOST_READINGS:
            self._stand_still()
        return self.now_s

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        """Call ``callback`` at the virtual time ``when``, or at once if that has passed."""
        timer = _Timer(when, callback, args, self, context)
        heapq.heappush(self._timers, (when, next(self._ties), timer))
        return timer

    def call_again(self, timer: asyncio.TimerHandle, when: float) -> None:
        """Let a timer that has run, and was never cancelled, run once more at a time to come."""
        timer._when = when  # type: ignore[attr-defined]
        heapq.heappush(self._timers, (when, next(self._ties), timer))

    def call_later(
        self,
        delay: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        """Call ``callback`` after ``delay`` virtual seconds."""
        when = self.now_s + delay
        timer = _Timer(when, callback, args, self, context)
        heapq.heappush(self._timers, (when, next(self._ties), timer))
        return timer

    def create_task(self, coro: Any, **options: Any) -> "asyncio.Task[Any]":
        """Run a coroutine as a task."""
        if self._closed:
            return super().create_task(coro, **options)
        if self._task_factory is not None:
            return self._made_by_factory(coro, **options)
        return Task(coro, number=next(self._task_numbers), loop=self, **options)

    def _made_by_factory(self, coro: Any, **options: Any) -> "asyncio.Task[Any]":
        """Let a factory make a task; asyncio numbers the names of such through all sessions."""
        task = super().create_task(coro, **options)
        if options.get("name") is None:
            task.set_name(f"Task-{next(self._task_numbers)}")
        return task

    def call_soon(
        self,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.Handle:
        """Call ``callback`` after what is ready already."""
        if self._closed:
            self._check_closed()  # type: ignore[attr-defined]
        handle = _Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def _run_once(self) -> None:
        """Run rounds until the loop is to stop, each to its end.

        Raises
        ------
        SessionFailedError
            If the time does not move any more.
        """
        ready, held = self._ready, self.halted
        rounds = 0  # at the same time
        while True:
            if not ready:
                self._advance()
                rounds = 0
            elif (rounds := rounds + 1) > _MOST_ROUNDS:
                self._give_up()
            for _ in range(len(ready)):
                handle = ready.popleft()
                if handle._cancelled or (held and self._is_kept(handle)):
                    continue
                try:
                    handle._context.run(handle._callback, *handle._args)
                except (SystemExit, KeyboardInterrupt):
                    raise
                except BaseException as error:  # as asyncio does
                    self._report(handle, error)
            if self._stopping:
                return

    def call_next(self, callback: Callable[[], object], context: contextvars.Context) -> None:
        """Do as ``call_soon``, or call it here and now if it would be the very next thing to run."""
        if self.is_last_act and not self._ready:
            self.is_last_act = False
            context.run(callback)
        else:
            self._ready.append(_Handle(callback, (), self, context))

    def run_newest(self) -> None:
        """Run now what was made ready last: a task that shall go on at once, before all else."""
        handle = self._ready.pop()
        handle._context.run(handle._callback, *handle._args)

    def _give_up(self) -> NoReturn:
        """End what never lets the time pass: tasks by a cancellation, others by never calling them again."""
        several = ", ".join(sorted({_who(handle) for handle in self._ready})[:3])
        tasks = [(handle, task) for handle in self._ready if (task := _task_of(handle)) is not None]
        self._ready.clear()
        for handle, task in tasks:
            task.cancel()
            self._ready.append(handle)
        reason = f"stuck: the time stays {self.now_s:.3f} s, for this goes on for ever: {several}"
        raise SessionFailedError("session", reason)

    def _stand_still(self) -> None:
        """End what looks at the clock for ever, once it lets go at the latest, whatever it catches."""
        self._readings = 0
        if self._thread_id != threading.get_ident():  # for other threads it moves
            return
        error = standstill(self.now_s)
        self._ready.appendleft(_Handle(_raise_again, (str(error),), self, contextvars.Context()))
        raise error

    def _report(self, handle: asyncio.Handle, error: BaseException) -> None:
        message = f"Exception in callback {handle!r}"
        self.call_exception_handler({"message": message, "exception": error, "handle": handle})

    def _is_kept(self, handle: asyncio.Handle) -> bool:
        process = handle._context.get(current_process)  # type: ignore[attr-defined]
        held = self.halted.get(process) if process is not None else None
        if held is not None:
            held.append(handle)
        return held is not None

    def _advance(self) -> None:
        """Move the clock to the next timer, and make what is due then ready to run.

        Raises
        ------
        SessionFailedError
            If there is none: then nothing will ever happen again.
        """
        timers = self._timers
        while timers and timers[0][2]._cancelled:
            heapq.heappop(timers)
        if not timers:
            raise SessionFailedError("session", "stuck: everything waits and nothing is scheduled")
        if timers[0][0] > self.now_s:
            self.now_s = timers[0][0]
            self._readings = 0
        while timers and timers[0][0] <= self.now_s:
            self._ready.append(heapq.heappop(timers)[2])

    def _write_to_self(self) -> None:
        """Wake nobody: the loop never sleeps, so a callback of another thread is found in time."""

    def add_signal_handler(self, sig: int, callback: Callable[..., object], *args: Any) -> None:  # type: ignore[override]
        """Take in that somebody waits for a signal, which never comes here."""
        self._signals.add(sig)

    def remove_signal_handler(self, sig: int) -> bool:
        """Tell whether somebody waited for a signal, and forget it."""
        waited = sig in self._signals
        self._signals.discard(sig)
        return waited

    def close(self) -> None:
        """Drop what is still scheduled."""
        self._timers.clear()
        super().close()

    def run_in_executor(self, executor: object, func: Callable[[*Ts], T], *args: *Ts) -> asyncio.Future[T]:
        """Call ``func`` here and now: a thread would bring real time in."""
        future: Future[T] = Future(number=next(self._future_numbers), loop=self)
        try:
            future.set_result(func(*args))
        except Exception as error:  # whatever it is, it belongs to the caller
            future.set_exception(error)
        return future
