"""The shape that every model of liveness has."""

from typing import Protocol


class Liveness(Protocol):
    """How a stack decides that a path is bad: what happens and when goes in, states and times come out.

    Attributes
    ----------
    state
        ``iceConnectionState``: ``new``, ``checking``, ``connected``, ``disconnected``, ``failed`` or
        ``closed``.
    next_timer_s
        When ``handle_timer`` wants to be called, or None.
    """

    state: str
    next_timer_s: float | None

    @property
    def connection_state(self) -> str:
        """``connectionState``, where that is another one."""

    def begin(self, now_s: float) -> None:
        """Take in that the remote description was applied, and checks begin."""

    def connected(self, now_s: float) -> None:
        """Take in that ICE has nominated a pair."""

    def received(self, now_s: float, what: str = "media") -> None:
        """Take in a packet that is no check: ``"media"``, or ``"data"`` of the channel."""

    def check_received(self, now_s: float) -> None:
        """Take in a check of the other side."""

    def answered(self, sent_s: float, now_s: float) -> None:
        """Take in the answer to the check that was sent at ``sent_s``."""

    def handle_timer(self, now_s: float) -> bool:
        """Update the state, and tell whether to send a check now."""
