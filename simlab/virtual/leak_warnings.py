"""Tell of leaks as Python's warnings, for those who filter them, expect them or make them errors."""

import warnings

from simlab.core.errors import VirtualClockWarning
from simlab.virtual.callers import Caller


class LeakWarnings:
    """Warn of leaks.

    Where a filter makes errors of them, the code that leaks does not meet these: it would do something
    else, or catch them, as a web framework does with whatever a handler raises. They are kept.
    """

    def __init__(self) -> None:
        self.refused: list[str] = []
        """Those that a filter made errors of and that nobody was told of yet, each with its file and line."""

    def tell(self, what: str, place: Caller) -> None:
        """Warn of a leak. The message begins with its kind, as filters want it."""
        message = f"{what} (in {place.function})"
        try:
            warnings.warn_explicit(message, VirtualClockWarning, place.file, place.line, place.module)
        except VirtualClockWarning:
            self.refused.append(f"{place.file}:{place.line}: {message}")

    def raise_refused(self) -> None:
        """Raise those that are errors.

        Raises
        ------
        VirtualClockWarning
            If there are any.
        """
        if self.refused:
            told = VirtualClockWarning("\n".join(self.refused))
            self.refused.clear()
            raise told
