"""Sound that comes encoded to aiortc's sender, without a packet of FFmpeg's in between."""

from fractions import Fraction
from typing import Any

from aiortc import mediastreams
from aiortc.codecs import opus
from aiortc.codecs.opus import OpusEncoder

from simlab.virtual.fast.piece import Piece
from simlab.webrtc import media
from simlab.webrtc.clips import FRAME_SAMPLES, TIME_BASES

_own_packet_of = media.packet_of
_own_pack = OpusEncoder.pack


class OpusPacket:
    """What aiortc needs of an ``av.Packet``."""

    __slots__ = ("data", "pts")
    time_base: Fraction = TIME_BASES["audio"]

    def __init__(self, data: bytes, pts: int) -> None:
        self.data = data
        self.pts = pts

    def __bytes__(self) -> bytes:
        return self.data


def _packet_of(kind: str, codec: str | None, data: bytes, number: int) -> Any:
    if codec == "opus":
        return OpusPacket(data, number * FRAME_SAMPLES)
    return _own_packet_of(kind, codec, data, number)


def _pack(self: Any, packet: Any) -> tuple[list[bytes], int]:
    if type(packet) is OpusPacket:
        return [packet.data], packet.pts
    return _own_pack(self, packet)


PIECE = Piece(
    "encoded sound",
    ((opus, "e69768529e38a771"), (mediastreams, "5b5652ed582e0e9a")),
    ((media, "packet_of", _packet_of), (OpusEncoder, "pack", _pack)),
)
