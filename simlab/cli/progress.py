"""A progress bar on stderr, on a terminal only."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from simlab.batch.interrupt import uninterrupted


class RateColumn(ProgressColumn):
    """How many sessions a second are done."""

    def render(self, task: Task) -> Text:
        """Return what is shown of a task."""
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:.1f}/s", style="progress.data.speed")


class Bar:
    """How many of the sessions are done; nothing at all where there is one, or no terminal.

    Parameters
    ----------
    what
        What they are done for.
    """

    def __init__(self, total: int, wanted: bool = True, done: int = 0, what: str = "Sessions") -> None:
        console = Console(stderr=True)
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            RateColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        self._what, self._failed = what, 0
        self._shown = wanted and total > 1 and sys.stderr.isatty()
        # What is printed on stdout stays there, so the bar must be gone while that happens.
        self._progress = Progress(
            *columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False
        )
        self._task = self._progress.add_task(what, total=total, completed=done)

    def __enter__(self) -> Self:
        self._show(self._progress.start)
        return self

    def __exit__(self, *_: object) -> None:
        self._show(self._progress.stop)

    def _show(self, change: Callable[[], None]) -> None:
        """Begin or end the bar's thread, which Ctrl-C must not leave half begun."""
        if self._shown:
            with uninterrupted():
                change()

    def advance(self, *, failed: bool, total: int) -> None:
        """Count one more of now so many, with nothing to be printed."""
        self._failed += failed
        told = f"{self._what} ({self._failed} failed)" if self._failed else self._what
        self._progress.update(self._task, advance=1, total=total, description=told)

    @contextmanager
    def one_done(self) -> Iterator[None]:
        """Count one more; the bar is hidden inside the block, for printing."""
        self._progress.advance(self._task)
        self._show(self._progress.stop)
        yield
        self._show(self._progress.start)
