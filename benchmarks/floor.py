"""What of a session of messages is encryption and SCTP's bytes alone: no session can be faster than that.

A bare loop does what cannot be left out: for each numbered message a packet of data and its acknowledgement,
each made, encrypted, decrypted and read, with the same OpenSSL and the same functions as in a session.
"""

import time
from contextlib import suppress
from typing import Any

from aiortc import RTCCertificate
from aiortc.rtcdtlstransport import SRTP_PROFILES
from aiortc.rtcsctptransport import DataChunk
from OpenSSL import SSL
from OpenSSL._util import ffi, lib

from simlab.virtual.fast.sctp_packets import parse_packet, sack_packet, serialize_packet

_SIZE = 1500
_MESSAGE = b'{"id": "0123abcd", "label": "rtvi-ai", "type": "client-message", "data": {"t": "simlab-probe"}}'
_ROUNDS = 5


def _connected() -> tuple[SSL.Connection, SSL.Connection]:
    certificate = RTCCertificate.generateCertificate()
    ends = [SSL.Connection(certificate._create_ssl_context(SRTP_PROFILES)) for _ in range(2)]
    ends[0].set_connect_state()
    ends[1].set_accept_state()
    for _ in range(8):
        for end, other in (ends, ends[::-1]):
            with suppress(SSL.WantReadError):
                end.do_handshake()
            with suppress(SSL.WantReadError):
                while True:
                    other.bio_write(end.bio_read(_SIZE))
    return ends[0], ends[1]


def _carry(sender: Any, receiver: Any, buffer: Any, packet: bytes) -> bytes:
    lib.SSL_write(sender._ssl, packet, len(packet))
    record = ffi.buffer(buffer)[: lib.BIO_read(sender._from_ssl, buffer, _SIZE)]
    lib.BIO_write(receiver._into_ssl, record, len(record))
    plain: bytes = ffi.buffer(buffer)[: lib.SSL_read(receiver._ssl, buffer, _SIZE)]
    return plain


def seconds(messages: int) -> float:
    """Return the processor's seconds that so many messages and their acknowledgements take, at best."""
    one, other = _connected()
    buffer = ffi.new("char[]", _SIZE)
    chunk: Any = DataChunk(flags=3)
    chunk.stream_id, chunk.stream_seq, chunk.protocol, chunk.user_data = 1, 0, 51, _MESSAGE
    times_s = []
    for _ in range(_ROUNDS):
        began_s = time.process_time()
        for chunk.tsn in range(messages):
            parse_packet(_carry(one, other, buffer, serialize_packet(5000, 5000, 1, chunk)))
            parse_packet(_carry(other, one, buffer, sack_packet(5000, 5000, 2, chunk.tsn, 131_072)))
        times_s.append(time.process_time() - began_s)
    return min(times_s)
