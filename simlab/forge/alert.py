"""A forged DTLS alert.

Source of the layout: RFC 6347 section 4.1, RFC 5246 section 7.2.
"""

import struct

from scapy.layers.tls.record import TLSAlert

from simlab.core.inject import Forge

_ALERT, _DTLS_1_2 = 21, 0xFEFD
_FATAL, _HANDSHAKE_FAILURE = 2, 40
_NUMBER = 2**32  # of the record; of epoch 0, and beyond those of a handshake


def alert() -> Forge:
    """Return what makes a fatal alert in the clear, as whoever has no keys can."""
    body = bytes(TLSAlert(level=_FATAL, descr=_HANDSHAKE_FAILURE))  # type: ignore[no-untyped-call]
    record = struct.pack("!BHQH", _ALERT, _DTLS_1_2, _NUMBER, len(body)) + body
    return lambda _packet, _payload: record
