"""Forged STUN messages.

Who forges sees all packets, but has no password: no forgery has a MESSAGE-INTEGRITY that is right.

Source of the layout: RFC 8489 sections 5, 14.7, 14.8.
"""

import zlib

from scapy.contrib.stun import STUN, STUNFingerprint, STUNGenericTlv

from simlab.core.ice import spoiled
from simlab.core.inject import Forge
from simlab.core.packet import Packet

_BINDING_REQUEST, _BINDING_ERROR = 0x0001, 0x0111
_TRANSACTION = slice(8, 20)
_ERROR_CODE = 0x0009
_UNKNOWN_OPTIONAL = 0xC001  # what is not known and at least 0x8000 is to be ignored
_FINGERPRINT_BYTES = 8
_FINGERPRINT_XOR = 0x5354554E
_LARGEST_BYTES = 1472  # what fits into an Ethernet frame behind IPv4 and UDP
_HEADER_BYTES, _ATTRIBUTE_HEADER_BYTES = 20, 4


def error(code: int, reason: str) -> Forge:
    """Return what makes an error response to the request that a response answers."""
    value = bytes((0, 0, *divmod(code, 100))) + reason.encode()
    template = _message(_BINDING_ERROR, STUNGenericTlv(type=_ERROR_CODE, value=value))

    def forge(_: Packet, response: bytes) -> bytes:
        return _fingerprinted(template[:8] + response[_TRANSACTION] + template[20:])

    return forge


def oversized() -> Forge:
    """Return what makes a Binding request as large as a datagram can be, without user or integrity."""
    room = _LARGEST_BYTES - _HEADER_BYTES - _ATTRIBUTE_HEADER_BYTES - _FINGERPRINT_BYTES
    message = _fingerprinted(
        _message(_BINDING_REQUEST, STUNGenericTlv(type=_UNKNOWN_OPTIONAL, value=bytes(room)))
    )
    return lambda _packet, _payload: message


def bad_integrity(_: Packet, message: bytes) -> bytes | None:
    """Return a STUN message with a wrong MESSAGE-INTEGRITY; None if it has none."""
    forged = spoiled(message)
    return forged if forged != message else None


def truncated(_: Packet, message: bytes) -> bytes:
    """Return the first half of a STUN message, whose header says that there is more."""
    return message[: max(_HEADER_BYTES, len(message) // 2)]


def _message(kind: int, *attributes: STUNGenericTlv) -> bytes:
    message = STUN(
        stun_message_type=kind, transaction_id=0, attributes=[*attributes, STUNFingerprint(crc_32=0)]
    )
    return bytes(message)


def _fingerprinted(message: bytes) -> bytes:
    body = message[:-_FINGERPRINT_BYTES]
    return message[:-4] + (zlib.crc32(body) ^ _FINGERPRINT_XOR).to_bytes(4)
