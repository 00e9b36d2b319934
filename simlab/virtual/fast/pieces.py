"""All the pieces."""

from simlab.virtual.fast import channels, dtls, ice, sctp, sctp_packets
from simlab.virtual.fast.piece import Piece

PIECES: tuple[Piece, ...] = (
    ice.PIECE,
    dtls.PIECE,
    sctp_packets.PIECE,
    sctp.PIECE,
    channels.PIECE,
)
