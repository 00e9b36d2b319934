"""A datagram on its way through a link, and what kind of datagram it is."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

_MAGIC_COOKIE = b"\x21\x12\xa4\x42"
_STUN_BINDING = 0x001


class Direction(StrEnum):
    """One direction of the network."""

    UP = "up"  # client → server
    DOWN = "down"  # server → client


class PacketClass(StrEnum):
    """What a datagram is, by its first bytes (RFC 7983, RFC 5761, RFC 8489)."""

    STUN_REQUEST = "stun.request"
    STUN_RESPONSE = "stun.response"
    STUN_ERROR = "stun.error"
    STUN_INDICATION = "stun.indication"
    TURN = "turn"
    ZRTP = "zrtp"
    DTLS_HANDSHAKE = "dtls.handshake"
    DTLS_DATA = "dtls.data"
    RTP = "rtp"
    RTCP = "rtcp"
    OTHER = "other"

    # Enum's own hash is Python code, and every stage looks up its stream by the class of each packet.
    __hash__ = str.__hash__


_STUN_CLASSES = (
    PacketClass.STUN_REQUEST,
    PacketClass.STUN_INDICATION,
    PacketClass.STUN_RESPONSE,
    PacketClass.STUN_ERROR,
)


def classify(payload: bytes) -> PacketClass:
    """Tell what a datagram is.

    STUN messages of a method other than Binding belong to TURN (RFC 8656), as do ChannelData
    messages. A DTLS record is application data when its content type is 23; SCTP travels in those.
    DTLS 1.3 hides the type of its encrypted records (RFC 9147), so all of them count as data.

    Source: RFC 7983 section 7 (first byte), RFC 5761 section 4 (RTCP), RFC 8489 section 5 (STUN).
    """
    if not payload:
        return PacketClass.OTHER
    first = payload[0]
    if 128 <= first <= 191:
        is_rtcp = len(payload) > 1 and 192 <= payload[1] <= 223
        return PacketClass.RTCP if is_rtcp else PacketClass.RTP
    if 20 <= first <= 63:
        return PacketClass.DTLS_DATA if first == 23 or first >= 32 else PacketClass.DTLS_HANDSHAKE
    if first <= 3:
        return _classify_stun(payload)
    if 16 <= first <= 19:
        return PacketClass.ZRTP
    return PacketClass.TURN if 64 <= first <= 79 else PacketClass.OTHER


def _classify_stun(payload: bytes) -> PacketClass:
    if len(payload) < 20 or payload[4:8] != _MAGIC_COOKIE:
        return PacketClass.OTHER
    message_type = int.from_bytes(payload[:2])
    method = (message_type & 0x000F) | (message_type & 0x00E0) >> 1 | (message_type & 0x3E00) >> 2
    if method != _STUN_BINDING:
        return PacketClass.TURN
    return _STUN_CLASSES[(message_type & 0x0100) >> 7 | (message_type & 0x0010) >> 4]


CLASS_ALIASES: dict[str, frozenset[PacketClass]] = {
    "stun.consent": frozenset({PacketClass.STUN_REQUEST, PacketClass.STUN_RESPONSE}),
}
"""Names beside those of the classes and their families.

A consent check (RFC 7675) is a Binding request with the same attributes as a first check, so bytes cannot
tell them apart: ``"stun.consent"`` means both, and the responses. What makes it consent is the time: a fault
that begins after the connection is up meets consent checks alone.
"""


def classes_named(names: Iterable[str]) -> frozenset[PacketClass]:
    """Return the classes that any of the names covers: ``"stun"`` covers ``"stun.request"`` and so on.

    ``CLASS_ALIASES`` has names beside these.

    Raises
    ------
    ValueError
        If a name covers nothing.
    """
    covered: set[PacketClass] = set()
    for name in names:
        matching = CLASS_ALIASES.get(name) or {
            c for c in PacketClass if c == name or c.startswith(name + ".")
        }
        if not matching:
            raise ValueError(f"no packet class is called {name!r}")
        covered |= matching
    return frozenset(covered)


# Not frozen, though nobody changes one: a frozen dataclass takes four times as long to make.
@dataclass(slots=True)
class Packet:
    """A datagram as it enters a link. It is not to be changed.

    Parameters
    ----------
    seq
        Its number in this link, from 0.
    arrived_s
        When it entered, in seconds since the session began.
    payload
        The UDP payload.
    kind
        What it is.
    tag
        The caller's own; it comes back with the delivered packet.
    nth
        Its number among the packets of its class in this link, from 0.
    marks
        What stages noted when it entered, each under its own key; None if none did.
    """

    seq: int
    arrived_s: float
    payload: bytes
    kind: PacketClass
    tag: object = None
    nth: int = 0
    marks: dict[object, int] | None = None


@dataclass(slots=True)
class Transit:
    """A packet, or a copy of it, between two stages of a link.

    A stage owns the transit that it is given, and may change it before handing it on.

    Parameters
    ----------
    packet
        As it entered the link.
    due_s
        When it would leave the link, as far as the stages until now are concerned.
    payload
        As it would leave.
    """

    packet: Packet
    due_s: float
    payload: bytes
