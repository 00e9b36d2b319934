"""Packets through libsrtp, with one length for all calls instead of a new one for each."""

from collections.abc import Callable
from typing import Any

import pylibsrtp
from pylibsrtp import Session
from pylibsrtp._binding import ffi, lib

from simlab.virtual.fast.piece import Piece

_length = ffi.new("int *")
_SIZE = 1500  # of a session's buffer


def _through(
    function: Any, trailer_bytes: int, own: Callable[[Any, bytes], bytes]
) -> Callable[[Any, bytes], bytes]:
    """Return the method that puts a packet through a function of libsrtp."""

    def process(self: Any, packet: bytes) -> bytes:
        size = len(packet)
        if type(packet) is not bytes or size > _SIZE - trailer_bytes:
            return own(self, packet)  # which says what is wrong with it
        _length[0] = size
        buffer = self._buffer
        buffer[:size] = packet
        code = function(self._srtp[0], self._cdata, _length)
        if code:
            pylibsrtp._srtp_assert(code)  # type: ignore[no-untyped-call]
        processed: bytes = buffer[: _length[0]]
        return processed

    return process


PIECE = Piece(
    "packets through libsrtp",
    ((pylibsrtp, "6807096e2fe20197"),),
    (
        (Session, "protect", _through(lib.srtp_protect, pylibsrtp.SRTP_MAX_TRAILER_LEN, Session.protect)),
        (Session, "unprotect", _through(lib.srtp_unprotect, 0, Session.unprotect)),
    ),
)
