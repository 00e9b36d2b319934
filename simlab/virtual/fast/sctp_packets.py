"""SCTP packets to and from bytes, each with one chunk of data or one acknowledgement, in one step."""

from functools import lru_cache
from struct import Struct
from typing import Any

from aiortc import rtcsctptransport
from aiortc.rtcsctptransport import Chunk, DataChunk, SackChunk
from google_crc32c import extend
from google_crc32c import value as crc32c

from simlab.virtual.fast.piece import Piece

Parsed = tuple[int, int, int, list[Chunk]]

# Ports and verification tag, checksum, then the chunk (RFC 9260, sections 3.1, 3.3.1 and 3.3.4).
DATA = Struct("!HHLLBBHLHHL")
SACK = Struct("!HHLLBBHLLHH")
_HEAD = Struct("!HHL")
_DATA_CHUNK = Struct("!BBHLHHL")
_SACK_CHUNK = Struct("!BBHLLHH")
_CHECKSUM = Struct("<L")
DATA_TYPE, SACK_TYPE = DataChunk.type, SackChunk.type
CHUNK_AT = 12
DATA_HEADER, SACK_HEADER = 16, 16
_PADDING = (b"", b"\0\0\0", b"\0\0", b"\0")

_parse_packet = rtcsctptransport.parse_packet
_serialize_packet = rtcsctptransport.serialize_packet


def parse_packet(data: bytes) -> Parsed:
    """Parse a packet, as aiortc does."""
    size = len(data)
    if size >= DATA.size and data[CHUNK_AT] == DATA_TYPE:
        source, to, tag, _, _, flags, length, *fields = DATA.unpack_from(data)
        end = CHUNK_AT + length
        # One chunk, and less than a header behind it. Without user data it goes another way in aiortc.
        if end <= size < end + 4 and length > DATA_HEADER and is_sound(data):
            return source, to, tag, [_data_chunk(flags, fields, data[DATA.size : end])]
    elif size == SACK.size and data[CHUNK_AT] == SACK_TYPE:
        source, to, tag, _, _, flags, length, *fields = SACK.unpack_from(data)
        if length == SACK_HEADER and not fields[2] and not fields[3] and is_sound(data):
            return source, to, tag, [_sack_chunk(flags, fields[0], fields[1])]
    return _parse_packet(data)


@lru_cache(maxsize=64)  # it is the same for all packets of an association in one direction
def _begun(head: bytes) -> int:
    """Return the checksum of what comes before a packet's checksum, and of zeros in its place."""
    checksum: int = crc32c(head + bytes(4))
    return checksum


def is_sound(data: bytes) -> bool:
    """Tell whether a packet has the right checksum."""
    return data[8:12] == _CHECKSUM.pack(extend(_begun(data[:8]), data[12:]))


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


def sealed(head: bytes, body: bytes) -> bytes:
    """Return a packet with its checksum, of what comes before and behind it."""
    return head + _CHECKSUM.pack(extend(_begun(head), body)) + body


def serialize_packet(source_port: int, destination_port: int, verification_tag: int, chunk: Any) -> bytes:
    """Make a packet of a chunk, as aiortc does."""
    if type(chunk) is not DataChunk:
        return _serialize_packet(source_port, destination_port, verification_tag, chunk)
    user_data = chunk.user_data
    length = DATA_HEADER + len(user_data)
    fields = chunk.flags, length, chunk.tsn, chunk.stream_id, chunk.stream_seq, chunk.protocol
    body = _DATA_CHUNK.pack(DATA_TYPE, *fields) + user_data + _PADDING[length % 4]
    return sealed(_HEAD.pack(source_port, destination_port, verification_tag), body)


def sack_packet(
    source_port: int, destination_port: int, verification_tag: int, cumulative_tsn: int, window: int
) -> bytes:
    """Make a packet of an acknowledgement without gaps or duplicates, as aiortc does."""
    body = _SACK_CHUNK.pack(SACK_TYPE, 0, SACK_HEADER, cumulative_tsn, window, 0, 0)
    return sealed(_HEAD.pack(source_port, destination_port, verification_tag), body)


PIECE = Piece(
    "SCTP packets",
    ((rtcsctptransport, "7ab4c9797827e6c1"),),
    (
        (rtcsctptransport, "parse_packet", parse_packet),
        (rtcsctptransport, "serialize_packet", serialize_packet),
    ),
)
