"""Messages of STUN and TURN: aioice's codec, and what it leaves out.

Source: RFC 8489 (STUN), RFC 8656 (TURN; section 12.4 for ChannelData).
"""

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aioice import stun

from simlab.core.ice import attributes
from simlab.core.packet import PacketClass, classify
from simlab.webrtc.iceserver.outputs import Address

SOFTWARE = "simlab"
UDP = 17
IPV4 = 0x01
FIRST_CHANNEL, LAST_CHANNEL = 0x4000, 0x4FFF

_CHANNEL_HEADER = struct.Struct("!HH")
_INTEGRITY_TYPE = 0x0008
_PEER_TYPE = 0x0012
_FAMILY_TYPE = 0x0017
_UNKNOWN_TYPES_TYPE = 0x000A
_FIRST_OPTIONAL_TYPE = 0x8000
_REASONS = {
    400: "Bad Request",
    401: "Unauthenticated",
    420: "Unknown Attribute",
    437: "Allocation Mismatch",
    438: "Stale Nonce",
    440: "Address Family not Supported",
    441: "Wrong Credentials",
    442: "Unsupported Transport Protocol",
    443: "Peer Address Family Mismatch",
    486: "Allocation Quota Reached",
    508: "Insufficient Capacity",
}


@dataclass(frozen=True, slots=True)
class ChannelData:
    """Application data on a channel."""

    number: int
    payload: bytes

    def __bytes__(self) -> bytes:
        """Return it as a datagram; over UDP there is no padding."""
        return _CHANNEL_HEADER.pack(self.number, len(self.payload)) + self.payload


@dataclass(frozen=True, slots=True)
class Received:
    """A STUN message that came in.

    Parameters
    ----------
    message
        What aioice makes of it.
    unknown
        Types of the attributes that have to be understood, and are not.
    peers
        Every XOR-PEER-ADDRESS, of which a message may have several.
    family
        REQUESTED-ADDRESS-FAMILY; None if there is none.
    """

    message: stun.Message
    unknown: tuple[int, ...] = ()
    peers: tuple[Address, ...] = ()
    family: int | None = None

    @property
    def is_request(self) -> bool:
        """Whether it wants a response."""
        return bool(self.message.message_class is stun.Class.REQUEST)


def parse(datagram: bytes) -> Received | ChannelData | None:
    """Read a datagram; None if it is neither STUN nor ChannelData, or broken."""
    if len(datagram) >= _CHANNEL_HEADER.size and FIRST_CHANNEL >> 8 <= datagram[0] <= LAST_CHANNEL >> 8:
        number, length = _CHANNEL_HEADER.unpack_from(datagram)
        payload = datagram[_CHANNEL_HEADER.size :][:length]
        return ChannelData(number, payload) if len(payload) == length else None
    if not datagram or datagram[0] > 3 or classify(datagram) is PacketClass.OTHER:
        return None
    try:
        message = stun.parse_message(datagram)
        peers = tuple(
            stun.unpack_xor_address(value, message.transaction_id)
            for kind, value in _authenticated(datagram)
            if kind == _PEER_TYPE
        )
    except (ValueError, struct.error):
        return None
    families = [value[0] for kind, value in _authenticated(datagram) if kind == _FAMILY_TYPE and value]
    known = {*stun.ATTRIBUTES_BY_TYPE, _FAMILY_TYPE}
    types = (kind for kind, _ in _authenticated(datagram) if kind < _FIRST_OPTIONAL_TYPE)
    unknown = tuple(dict.fromkeys(kind for kind in types if kind not in known))
    return Received(message, unknown, peers, families[0] if families else None)


def _authenticated(datagram: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the attributes up to the integrity, behind which none counts."""
    for kind, start, end in attributes(datagram):
        if kind == _INTEGRITY_TYPE:
            return
        yield kind, datagram[start:end]


def success(to: Received, values: Mapping[str, Any], key: bytes | None = None) -> bytes:
    """Return a success response.

    Parameters
    ----------
    values
        Attributes by aioice's names.
    key
        What to sign it with; None for no integrity.
    """
    return _finished(_answer(to, stun.Class.RESPONSE, values), b"", key)


def error(
    to: Received,
    code: int,
    values: Mapping[str, Any] | None = None,
    key: bytes | None = None,
    unknown: Sequence[int] = (),
) -> bytes:
    """Return an error response. See ``success``; ``unknown`` is what a 420 complains of."""
    said = {"ERROR-CODE": (code, _REASONS[code]), **(values or {})}
    types = struct.pack(f"!{len(unknown)}H", *unknown)
    extra = _attribute(_UNKNOWN_TYPES_TYPE, types) if unknown else b""
    return _finished(_answer(to, stun.Class.ERROR, said), extra, key)


def data_indication(payload: bytes, peer: Address) -> bytes:
    """Return a Data indication."""
    said = {"XOR-PEER-ADDRESS": peer, "DATA": payload}
    return bytes(stun.Message(stun.Method.DATA, stun.Class.INDICATION, attributes=said))


def _answer(to: Received, kind: stun.Class, values: Mapping[str, Any]) -> stun.Message:
    said = {**values, "SOFTWARE": SOFTWARE}
    return stun.Message(to.message.message_method, kind, to.message.transaction_id, said)


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)


def _finished(message: stun.Message, extra: bytes, key: bytes | None) -> bytes:
    """Append an attribute that aioice does not know, the integrity, and the fingerprint."""
    data = bytes(message) + extra
    if key is not None:
        data += _attribute(_INTEGRITY_TYPE, stun.message_integrity(data, key))
    data += _attribute(0x8028, struct.pack("!I", stun.message_fingerprint(data)))
    return bytes(stun.set_body_length(data, len(data) - stun.HEADER_LENGTH))
