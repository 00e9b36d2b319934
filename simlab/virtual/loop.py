"""An asyncio event loop that never waits: asked to, it moves its own clock forward."""

import asyncio
import selectors
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, TypeVarTuple

from simlab.core.errors import SessionFailedError

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class _JumpingSelector(selectors.BaseSelector):
    """Report no file ready, ever, and let the time asked for pass at once."""

    def __init__(self, advance: Callable[[float], None]) -> None:
        self._advance = advance
        self._keys: dict[Any, selectors.SelectorKey] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """Remember the loop's own wake-up socket, the only one there is."""
        fd = fileobj if isinstance(fileobj, int) else fileobj.fileno()
        self._keys[fileobj] = selectors.SelectorKey(fileobj, fd, events, data)
        return self._keys[fileobj]

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        """Forget it."""
        return self._keys.pop(fileobj)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        """Return what is registered."""
        return self._keys

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Let ``timeout`` seconds pass.

        Raises
        ------
        SessionFailedError
            If nothing is scheduled: then nothing will ever happen again.
        """
        if timeout is None:
            raise SessionFailedError("session", "stuck: everything waits and nothing is scheduled")
        if timeout > 0:
            self._advance(timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Run callbacks in the order of their times, without waiting for any of them.

    Parameters
    ----------
    on_advance
        Called with the new time in seconds whenever the clock has moved.
    """

    def __init__(self, on_advance: Callable[[float], None] = lambda _: None) -> None:
        self._now_s = 0.0
        self._on_advance = on_advance
        super().__init__(_JumpingSelector(self._advance))
        # Two timers closer than this run together; the loop's default is that of the real clock.
        self._clock_resolution = 1e-9

    def _advance(self, by_s: float) -> None:
        self._now_s += by_s
        self._on_advance(self._now_s)

    def time(self) -> float:
        """Return the virtual seconds since the loop was made."""
        return self._now_s

    def run_in_executor(  # type: ignore[override]
        self, executor: object, func: Callable[[*Ts], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """Call ``func`` here and now: a thread would bring real time in."""
        future: asyncio.Future[T] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to the caller
            future.set_exception(error)
        return future
