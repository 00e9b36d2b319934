"""What an application logs with, as in a process of its own: its handlers go with it.

A module that is run anew adds its handlers anew, and takes loguru's first one away by its number, which is 0
in a new process alone.
"""

import logging
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any

_DEFAULT = 0  # loguru's first handler, which writes to stderr
_TALKATIVE = "pipecat"

Held = set[tuple[logging.Logger, logging.Handler]]


class Logs:
    """The handlers that code of somebody's own adds, and takes away."""

    def __init__(self) -> None:
        self._held_before: Held = set()
        self._numbers_before: set[int] = set()
        self._has_default = False
        self._open = False

    def begin(self) -> None:
        """Let the code that runs from now on find what a new process has, beside what others have added."""
        self.end()
        with suppress(ImportError):  # or Pipecat would talk while it is imported
            import_module("loguru")
        self._held_before, self._numbers_before = _held(), set(_of_loguru())
        self._has_default = _DEFAULT in self._numbers_before
        _put_default()
        if "loguru" in sys.modules:
            sys.modules["loguru"].logger.enable(_TALKATIVE)
        self._open = True

    def end(self) -> None:
        """Take away what was added since the beginning, and put back the first handler if there was one."""
        if not self._open:
            return
        self._open = False
        for logger, handler in _held() - self._held_before:
            logger.removeHandler(handler)
            handler.close()
        _remove(set(_of_loguru()) - self._numbers_before)
        if self._has_default:
            _put_default()
        if "loguru" in sys.modules:
            sys.modules["loguru"].logger.disable(_TALKATIVE)  # for sessions with the published server

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Take away what is added in this context; nothing where there is one already."""
        if self._open:
            yield
            return
        self.begin()
        try:
            yield
        finally:
            self.end()


logs = Logs()


def _held() -> Held:
    loggers = [one for one in logging.root.manager.loggerDict.values() if isinstance(one, logging.Logger)]
    return {(one, handler) for one in [logging.root, *loggers] for handler in one.handlers}


def _of_loguru() -> dict[int, Any]:
    loguru = sys.modules.get("loguru")
    return {} if loguru is None else loguru.logger._core.handlers


def _remove(numbers: Iterable[int]) -> None:
    for number in numbers:
        sys.modules["loguru"].logger.remove(number)


def _put_default() -> None:
    """Let loguru's first handler be as in a new process, but for all that Pipecat tells and is no error."""
    loguru = sys.modules.get("loguru")
    if loguru is None:
        return
    _remove({_DEFAULT} & set(_of_loguru()))
    core = loguru.logger._core
    core.handlers_count = _DEFAULT
    loguru.logger.add(_to_stderr, filter=_is_news, colorize=sys.stderr.isatty())
    core.handlers_count = max(core.handlers) + 1


def _to_stderr(text: str) -> None:
    sys.stderr.write(text)  # whichever it is by then


def _is_news(record: Any) -> bool:
    is_talk = f"{record['name']}.".startswith(f"{_TALKATIVE}.")
    return not is_talk or record["level"].no >= logging.ERROR
