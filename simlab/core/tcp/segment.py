"""What crosses the links: a segment, without the bytes that it stands for."""

from dataclasses import dataclass

MSS_BYTES = 1448
"""The payload of a full segment on Ethernet, beside timestamps."""

_HEADERS_BYTES = 52  # IPv4, TCP, and the timestamps option
_COUNTED_BYTES = 28  # what links add to each payload, for IP and UDP
_SACK_BYTES = 8


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment. Data bytes are numbered from 0; the SYN takes no number.

    Parameters
    ----------
    start, end
        Which bytes it carries: ``start <= n < end``.
    sent_s
        When it was sent: its timestamp.
    syn
        Whether it opens the connection.
    reset
        Whether it says that there is no such connection.
    ack
        The next byte that its sender wants; None in the very first segment.
    sacks
        Ranges of bytes beyond ``ack`` that its sender has.
    echo_s
        The timestamp that it answers.
    """

    start: int
    end: int
    sent_s: float
    syn: bool = False
    reset: bool = False
    ack: int | None = None
    sacks: tuple[tuple[int, int], ...] = ()
    echo_s: float | None = None

    @property
    def size_bytes(self) -> int:
        """As much UDP payload as takes the same room on the wire."""
        return self.end - self.start + _HEADERS_BYTES + _SACK_BYTES * len(self.sacks) - _COUNTED_BYTES
