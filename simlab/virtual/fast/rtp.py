"""RTP packets to and from bytes, with the usual header extensions, in fewer calls."""

from struct import Struct
from typing import Any

from aiortc import rtp
from aiortc.rtp import HeaderExtensions, HeaderExtensionsMap, RtpPacket

from simlab.virtual.fast.piece import Piece

_EXTENDED = Struct("!BBHLLHH")  # RFC 3550, sections 5.1 and 5.3.1
_EXTENDED_BITS = 0x90  # version 2, an extension, no padding, no contributing sources
_ONE_BYTE_HEADERS = 0xBEDE  # RFC 8285, section 4.2
_PADDING = (b"", b"\0\0\0", b"\0\0", b"\0")

_own_get = HeaderExtensionsMap.get
_own_set = HeaderExtensionsMap.set
_own_parse = RtpPacket.parse.__func__  # type: ignore[attr-defined]
_own_serialize = RtpPacket.serialize


def _parse(cls: Any, data: bytes, extensions_map: HeaderExtensionsMap | None = None) -> Any:
    if extensions_map is None:
        return _own_parse(cls, data)
    if len(data) < _EXTENDED.size or data[0] != _EXTENDED_BITS:
        return _own_parse(cls, data, extensions_map)
    _, marker_and_type, number, timestamp, ssrc, profile, words = _EXTENDED.unpack_from(data)
    payload_at = _EXTENDED.size + 4 * words
    if payload_at > len(data):
        return _own_parse(cls, data, extensions_map)
    packet = cls.__new__(cls)
    packet.version = 2
    packet.marker = marker_and_type >> 7
    packet.payload_type = marker_and_type & 0x7F
    packet.sequence_number = number
    packet.timestamp = timestamp
    packet.ssrc = ssrc
    packet.csrc = []
    packet.extensions = extensions_map.get(profile, data[_EXTENDED.size : payload_at])
    packet.payload = data[payload_at:]
    packet.padding_size = 0
    return packet


def _serialize(self: Any, extensions_map: HeaderExtensionsMap | None = None) -> bytes:
    if extensions_map is None:
        return _own_serialize(self)
    if self.csrc or self.padding_size or self.version != 2:
        return _own_serialize(self, extensions_map)
    profile, value = extensions_map.set(self.extensions)
    if not value:
        return _own_serialize(self, extensions_map)
    header = _EXTENDED.pack(
        _EXTENDED_BITS,
        self.marker << 7 | self.payload_type,
        self.sequence_number,
        self.timestamp,
        self.ssrc,
        profile,
        len(value) >> 2,
    )
    return header + value + bytes(self.payload)


def _get(self: Any, extension_profile: int, extension_value: bytes) -> HeaderExtensions:
    """Read the one element that aiortc writes into a packet that comes encoded: the name of its media."""
    value = extension_value
    if (
        extension_profile == _ONE_BYTE_HEADERS
        and value
        and value[0] >> 4 == self._HeaderExtensionsMap__ids.mid
    ):
        end = 2 + (value[0] & 0x0F)
        if end <= len(value) and not any(value[end:]):
            found = HeaderExtensions()
            found.mid = value[1:end].decode("utf8")
            return found
    return _own_get(self, extension_profile, extension_value)


def _set(self: Any, values: HeaderExtensions) -> tuple[int, bytes]:
    """Write that element; where there is another, or a longer one, aiortc does."""
    ids, mid = self._HeaderExtensionsMap__ids, values.mid
    if mid and 0 < (ids.mid or 0) < 15 and _is_alone(ids, values):
        name = mid.encode("utf8")
        if len(name) <= 16:
            value = b"%c%b" % (ids.mid << 4 | len(name) - 1, name)
            return _ONE_BYTE_HEADERS, value + _PADDING[len(value) % 4]
    return _own_set(self, values)


def _is_alone(ids: HeaderExtensions, values: HeaderExtensions) -> bool:
    """Tell whether nothing but the name is written."""
    return (
        (values.abs_send_time is None or not ids.abs_send_time)
        and values.audio_level is None
        and values.repaired_rtp_stream_id is None
        and values.rtp_stream_id is None
        and values.transmission_offset is None
        and values.transport_sequence_number is None
    )


PIECE = Piece(
    "RTP packets",
    ((rtp, "6e5e1a6ec951ce2f"),),
    (
        (RtpPacket, "parse", classmethod(_parse)),
        (RtpPacket, "serialize", _serialize),
        (HeaderExtensionsMap, "get", _get),
        (HeaderExtensionsMap, "set", _set),
    ),
)
