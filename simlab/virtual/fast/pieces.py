"""All the pieces."""

from collections.abc import Callable

from simlab.virtual.fast import (
    channels,
    dtls,
    ice,
    jitter,
    rtp,
    rtp_audio,
    rtp_clock,
    sctp,
    sctp_packets,
    srtp,
)
from simlab.virtual.fast.piece import Piece

PIECES: tuple[Piece, ...] = (
    ice.PIECE,
    dtls.PIECE,
    sctp_packets.PIECE,
    sctp.PIECE,
    channels.PIECE,
    srtp.PIECE,
    rtp.PIECE,
    jitter.PIECE,
    rtp_audio.PIECE,
)


def pieces(time_ns: Callable[[], int]) -> tuple[Piece, ...]:
    """Return the pieces for a session.

    Parameters
    ----------
    time_ns
        Returns the virtual wall time in nanoseconds since 1970.
    """
    return (*PIECES, rtp_clock.piece(time_ns))
