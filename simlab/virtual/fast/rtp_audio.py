"""An audio packet's way from SRTP to the jitter buffer in fewer calls.

Only for audio that is neither wrapped nor retransmitted; anything else goes the way of aiortc's own.
"""

from typing import Any

from aiortc import clock, codecs, rtcrtpreceiver
from aiortc.rtcrtpreceiver import RTCRtpReceiver, StreamStatistics

from simlab.virtual.fast.piece import Piece

_PLAIN = frozenset({"audio/opus", "audio/PCMU", "audio/PCMA", "audio/G722"})

_own_handle = RTCRtpReceiver._handle_rtp_packet
_own_add = StreamStatistics.add
_receiver: Any = rtcrtpreceiver  # with the clock of its module


def take(self: Any, packet: Any) -> bool:
    """Take in a packet, if it is of the usual kind; otherwise return False, and do nothing."""
    codec = self._RTCRtpReceiver__codecs.get(packet.payload_type)
    if (
        codec is None
        or codec.mimeType not in _PLAIN
        or not self._enabled
        or self._RTCRtpReceiver__kind != "audio"
        or self._RTCRtpReceiver__decoder_error.is_set()
    ):
        return False
    ssrc, streams = packet.ssrc, self._RTCRtpReceiver__remote_streams
    self._RTCRtpReceiver__active_ssrc[ssrc] = clock.current_datetime()
    statistics = streams.get(ssrc)
    if statistics is None:
        statistics = streams[ssrc] = StreamStatistics(codec.clockRate)
    statistics.add(packet)
    packet._data = packet.payload or b""
    _, frame = self._RTCRtpReceiver__jitter_buffer.add(packet)
    if frame is not None and self._RTCRtpReceiver__decoder_thread:
        frame.timestamp = self._RTCRtpReceiver__timestamp_mapper.map(frame.timestamp)
        self._RTCRtpReceiver__decoder_queue.put((codec, frame))
    return True


async def _handle_rtp_packet(self: Any, packet: Any, arrival_time_ms: int) -> None:
    if not take(self, packet):
        await _own_handle(self, packet, arrival_time_ms)


_handle_rtp_packet.take = take  # type: ignore[attr-defined]


def _add(self: Any, packet: Any) -> None:
    last = self.max_seq
    if last is None:
        _own_add(self, packet)
        return
    self.packets_received += 1
    number = packet.sequence_number
    if not 0 < (number - last) & 0xFFFF < 0x8000:
        return
    arrival = int(_receiver.time.time() * self._clockrate)
    if number < last:
        self.cycles += 1 << 16
    self.max_seq = number
    timestamp = packet.timestamp
    if timestamp != self._last_timestamp:
        moved = abs(arrival - self._last_arrival - (timestamp - self._last_timestamp))
        self._jitter_q4 += moved - ((self._jitter_q4 + 8) >> 4)
    self._last_arrival = arrival
    self._last_timestamp = timestamp


PIECE = Piece(
    "audio packets received",
    ((rtcrtpreceiver, "6c64de023fc5e83d"), (codecs, "39618957c8b58ae8")),
    ((RTCRtpReceiver, "_handle_rtp_packet", _handle_rtp_packet), (StreamStatistics, "add", _add)),
)
