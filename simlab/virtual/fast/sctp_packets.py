"""SCTP packets to and from bytes, each with one chunk of data or one acknowledgement, in one step."""

from struct import Struct
from typing import Any

from aiortc import rtcsctptransport
from aiortc.rtcsctptransport import Chunk, DataChunk, SackChunk
from google_crc32c import value as crc32c

from simlab.virtual.fast.piece import Piece

Parsed = tuple[int, int, int, list[Chunk]]

# Ports and verification tag, checksum, then the chunk (RFC 9260, sections 3.1, 3.3.1 and 3.3.4).
_DATA = Struct("!HHLLBBHLHHL")
_SACK = Struct("!HHLLBBHLLHH")
_CHECKSUM = Struct("<L")
_DATA_TYPE, _SACK_TYPE = DataChunk.type, SackChunk.type
_CHUNK_AT = 12
_DATA_HEADER, _SACK_HEADER = 16, 16
_PADDING = (b"", b"\0\0\0", b"\0\0", b"\0")

_parse_packet = rtcsctptransport.parse_packet
_serialize_packet = rtcsctptransport.serialize_packet


def parse_packet(data: bytes) -> Parsed:
    """Parse a packet, as aiortc does."""
    size = len(data)
    if size >= _DATA.size and data[_CHUNK_AT] == _DATA_TYPE:
        source, to, tag, _, _, flags, length, *fields = _DATA.unpack_from(data)
        end = _CHUNK_AT + length
        # One chunk, and less than a header behind it. Without user data it goes another way in aiortc.
        if end <= size < end + 4 and length > _DATA_HEADER and _is_sound(data):
            return source, to, tag, [_data_chunk(flags, fields, data[_DATA.size : end])]
    elif size == _SACK.size and data[_CHUNK_AT] == _SACK_TYPE:
        source, to, tag, _, _, flags, length, *fields = _SACK.unpack_from(data)
        if length == _SACK_HEADER and not fields[2] and not fields[3] and _is_sound(data):
            return source, to, tag, [_sack_chunk(flags, fields[0], fields[1])]
    return _parse_packet(data)


def _is_sound(data: bytes) -> bool:
    checksum: int = crc32c(b"%b\0\0\0\0%b" % (data[:8], data[12:]))
    return data[8:12] == _CHECKSUM.pack(checksum)


def _data_chunk(flags: int, fields: list[int], user_data: bytes) -> DataChunk:
    chunk = DataChunk.__new__(DataChunk)
    chunk.flags = flags
    chunk.tsn, chunk.stream_id, chunk.stream_seq, chunk.protocol = fields
    chunk.user_data = user_data
    return chunk


def _sack_chunk(flags: int, tsn: int, window: int) -> SackChunk:
    chunk = SackChunk.__new__(SackChunk)
    chunk.flags = flags
    chunk.gaps, chunk.duplicates = [], []
    chunk.cumulative_tsn, chunk.advertised_rwnd = tsn, window
    return chunk


def _sealed(blank: bytes) -> bytes:
    """Put the checksum in, which was zero."""
    return blank[:8] + _CHECKSUM.pack(crc32c(blank)) + blank[12:]


def serialize_packet(source_port: int, destination_port: int, verification_tag: int, chunk: Any) -> bytes:
    """Make a packet of a chunk, as aiortc does."""
    kind = type(chunk)
    if kind is DataChunk:
        user_data = chunk.user_data
        length = _DATA_HEADER + len(user_data)
        blank = _DATA.pack(
            source_port, destination_port, verification_tag, 0, _DATA_TYPE, chunk.flags, length,
            chunk.tsn, chunk.stream_id, chunk.stream_seq, chunk.protocol,
        )  # fmt: skip
        blank += user_data + _PADDING[length % 4]
        return _sealed(blank)
    return _serialize_packet(source_port, destination_port, verification_tag, chunk)


def sack_packet(
    source_port: int, destination_port: int, verification_tag: int, cumulative_tsn: int, window: int
) -> bytes:
    """Make a packet of an acknowledgement without gaps or duplicates, as aiortc does."""
    ports_and_tag = (source_port, destination_port, verification_tag)
    blank = _SACK.pack(*ports_and_tag, 0, _SACK_TYPE, 0, _SACK_HEADER, cumulative_tsn, window, 0, 0)
    return _sealed(blank)


PIECE = Piece(
    "SCTP packets",
    ((rtcsctptransport, "7ab4c9797827e6c1"),),
    (
        (rtcsctptransport, "parse_packet", parse_packet),
        (rtcsctptransport, "serialize_packet", serialize_packet),
    ),
)
