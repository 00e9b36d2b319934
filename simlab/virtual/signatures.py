"""Give every DTLS datagram the same size in every run.

The length of an ECDSA signature in DER varies by a byte or two with OpenSSL's randomness, which cannot
be seeded (RFC 5480; measured: 69 to 72 bytes for P-256). Two handshake messages carry one,
ServerKeyExchange and CertificateVerify. A datagram with such a message travels through the link with
the bytes that its signature lacks, and loses them again before it is delivered. EdDSA, whose
signatures have one length, is no way out: OpenSSL does not offer it in DTLS 1.2.

A TURN server puts what it relays into ChannelData, and so do its clients: there it is the same.

Source of the layout: RFC 8656 section 12.4 (ChannelData), RFC 6347 section 4.3.1 (records), 4.2.2
(handshake), RFC 8422 section 5.4, 5.8.
"""

_LONGEST_SIGNATURE = 72
_RECORD_HEADER = 13
_HANDSHAKE_HEADER = 12
_HANDSHAKE = b"\x16"  # the type of a handshake record
_CHANNELS = frozenset(bytes([first]) for first in range(0x40, 0x50))
_CHANNEL_HEADER = 4
_SERVER_KEY_EXCHANGE = 12
_CERTIFICATE_VERIFY = 15

MAY_LACK = frozenset({_HANDSHAKE, *_CHANNELS})
"""The first bytes of datagrams that may lack something."""


def missing_bytes(payload: bytes) -> int:
    """Return how many bytes the signatures in a datagram lack to the greatest length."""
    missing = 0
    at = _CHANNEL_HEADER if payload[:1] in _CHANNELS else 0
    while at + _RECORD_HEADER <= len(payload) and payload[at : at + 1] == _HANDSHAKE:
        end = at + _RECORD_HEADER + int.from_bytes(payload[at + 11 : at + 13])
        if payload[at + 3 : at + 5] == b"\0\0":  # later epochs are encrypted
            missing += _missing_in_record(payload[at + _RECORD_HEADER : end])
        at = end
    return missing


def _missing_in_record(record: bytes) -> int:
    missing = 0
    while len(record) >= _HANDSHAKE_HEADER:
        end = _HANDSHAKE_HEADER + int.from_bytes(record[9:12])
        is_first_fragment = not any(record[6:9])
        if is_first_fragment:
            missing += _missing_in_message(record[0], record[_HANDSHAKE_HEADER:end])
        record = record[end:]
    return missing


def _missing_in_message(kind: int, body: bytes) -> int:
    """Look at the beginning of a message, which says how long the signature is."""
    if kind == _SERVER_KEY_EXCHANGE and len(body) > 4:
        algorithm_at = 4 + body[3]  # curve type, curve, length of the public key, the key
    elif kind == _CERTIFICATE_VERIFY:
        algorithm_at = 0
    else:
        return 0
    length = body[algorithm_at + 2 : algorithm_at + 4]
    return max(0, _LONGEST_SIGNATURE - int.from_bytes(length)) if len(length) == 2 else 0
