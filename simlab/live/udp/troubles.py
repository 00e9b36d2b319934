"""Errors of sockets, told once a second at most, however many there are."""

from collections.abc import Callable


class Troubles:
    """Tell of an error when it first happens, and once a second how often it went on.

    Nobody listening at the target is an error for each packet.

    Parameters
    ----------
    tell
        Called with ``"trouble"`` and ``where``, ``why`` and ``times``.
    """

    def __init__(self, tell: Callable[..., None]) -> None:
        self._tell = tell
        self._since: dict[tuple[str, str], int] = {}  # how often, since it was told last

    def happened(self, where: str, error: OSError) -> None:
        """Take in an error of a socket."""
        trouble = where, error.strerror or str(error)
        if trouble in self._since:
            self._since[trouble] += 1
            return
        self._since[trouble] = 0
        self._told(trouble, 1)

    def next_second(self) -> None:
        """Tell what went on, and forget what did not."""
        going_on = {trouble: times for trouble, times in self._since.items() if times}
        for trouble, times in going_on.items():
            self._told(trouble, times)
        self._since = dict.fromkeys(going_on, 0)

    def _told(self, trouble: tuple[str, str], times: int) -> None:
        where, why = trouble
        self._tell("trouble", where=where, why=why, times=times)
