"""What the rules of a policy decide, held against what can be done."""

import math
import traceback
from numbers import Real
from posixpath import basename
from typing import Any

from simlab.reconnect.rules import Row, Rules
from simlab.reconnect.terms import Attempt


class PolicyBrokenError(Exception):
    """Rules of the user's own raised something, or decided what cannot be done: which, and where."""


class Decisions:
    """Ask rules, which may be the user's own.

    Raises
    ------
    PolicyBrokenError
        By every method, if these raise, or return what none can return.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._name = f"{type(rules).__module__}:{type(rules).__qualname__}"

    def begin(self) -> None:
        """Take in that a row of attempts is over."""
        self._asked("begin")

    def grace_s(self, cause: str) -> float:
        """Return how long to leave the path alone."""
        return self._seconds("grace_s", cause)

    def wait_s(self, row: Row) -> float:
        """Return how long to wait before the next attempt."""
        return self._seconds("wait_s", row)

    def action(self, row: Row) -> Attempt:
        """Return what the next attempt does."""
        found = self._asked("action", row)
        if not isinstance(found, Attempt):
            raise self._impossible("action", found, "an Attempt")
        return found

    def may_go_on(self, row: Row) -> bool:
        """Tell whether there may be another attempt."""
        return bool(self._asked("may_go_on", row))

    def _seconds(self, method: str, argument: Any) -> float:
        found = self._asked(method, argument)
        if isinstance(found, bool) or not isinstance(found, Real) or math.isnan(found):
            raise self._impossible(method, found, "seconds")
        return float(found)

    def _asked(self, method: str, *arguments: Any) -> Any:
        try:
            return getattr(self._rules, method)(*arguments)
        except Exception as error:
            if type(self._rules) is Rules:
                raise  # a bug in simlab
            raise broken_by(error, f"{self._name}.{method}", type(self._rules)) from error

    def _impossible(self, method: str, found: Any, wanted: str) -> PolicyBrokenError:
        return PolicyBrokenError(f"{self._name}.{method} returned {found!r}, want {wanted}")


def broken_by(error: Exception, what: str, kind: type[Rules]) -> PolicyBrokenError:
    """Return what says that something of these rules raised this, and at which line of their module."""
    said = f": {error}" if str(error) else ""
    return PolicyBrokenError(f"{what} raised {type(error).__name__}{said}{_place(error, kind)}")


def _place(error: Exception, kind: type[Rules]) -> str:
    for frame, line in reversed(list(traceback.walk_tb(error.__traceback__))):
        if frame.f_globals.get("__name__") == kind.__module__:
            return f" ({basename(frame.f_code.co_filename)}:{line})"
    return ""
