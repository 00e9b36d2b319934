"""Tell a traceback once in a process that runs many sessions: code that fails may fail in all of them."""

import logging
import traceback


class ToldOnce(logging.Filter):
    """Leave out a traceback that was logged before, but not the session in which it came again."""

    def __init__(self) -> None:
        super().__init__()
        self._told: set[tuple[type, str]] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        """Let a record pass, shortened to a line if its traceback is known."""
        error = record.exc_info[1] if record.exc_info else None
        if error is None:
            return True
        place = type(error), "".join(traceback.format_tb(error.__traceback__))
        if place in self._told:
            record.msg, record.args, record.exc_info = _line(record.getMessage(), error), (), None
        self._told.add(place)
        return True


def _line(message: str, error: BaseException) -> str:
    first, what = message.partition("\n")[0], type(error).__name__
    if what not in first:
        first += f": {''.join(traceback.format_exception_only(error)).strip()}"
    return f"{first}, as before"
