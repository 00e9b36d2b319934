"""Which of several clients the running code works for, and what it records of it.

A session with one client knows no number: nothing is set, and no event has one.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from simlab.core.timeline import Event, Recorder

# From 1. Tasks and callbacks inherit it; so does what a server does for a connection accepted from a client.
client_id: ContextVar[int | None] = ContextVar("client_id", default=None)

# Its events have the address of a client, by which it is known there.
_WITHOUT = "ice-server"


@contextmanager
def working_for(number: int | None) -> Iterator[None]:
    """Work for a client as long as the context lasts."""
    token = client_id.set(number)
    try:
        yield
    finally:
        client_id.reset(token)


class ClientsRecorder(Recorder):
    """Collect the events of several clients, each with the number of its own as ``client_id``.

    Parameters
    ----------
    number
        Returns for whom the running code works; None is for nobody, or for all.
    """

    def __init__(
        self,
        now_s: Callable[[], float],
        sink: Callable[[Event], None] | None = None,
        number: Callable[[], int | None] = client_id.get,
    ) -> None:
        super().__init__(now_s, sink)
        self._number = number

    def of(self, number: int) -> "ClientsRecorder":
        """Return a recorder for what concerns one client, whoever does it; it closes with this one."""
        return ClientsRecorder(self.now_s, lambda event: self._sink(event), lambda: number)

    def __call__(self, source: str, kind: str, *, at_s: float | None = None, **data: Any) -> None:
        """Record an event, now or at ``at_s``."""
        number = self._number()
        if number is not None and source != _WITHOUT:
            data["client_id"] = number
        super().__call__(source, kind, at_s=at_s, **data)
