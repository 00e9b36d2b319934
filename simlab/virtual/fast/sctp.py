"""SCTP's usual case in fewer calls: a message in one chunk, in order, and an acknowledgement without gaps.

Each function first looks whether the case is the usual one; if not, aiortc's own goes on from there, with
everything as it was.
"""

from typing import Any

from aiortc import rtcsctptransport, utils
from aiortc.rtcsctptransport import (
    SCTP_DATA_UNORDERED,
    SCTP_RTO_ALPHA,
    SCTP_RTO_BETA,
    SCTP_RTO_MAX,
    SCTP_RTO_MIN,
    SCTP_TSN_MODULO,
    WEBRTC_STRING,
    DataChunk,
    RTCSctpTransport,
    SackChunk,
)
from aiortc.utils import uint32_gt, uint32_gte

from simlab.virtual.fast import dtls
from simlab.virtual.fast.piece import Piece
from simlab.virtual.fast.queues import Rest
from simlab.virtual.fast.sctp_out import WHOLE, send, t3_cancel, t3_restart, t3_start, transmit
from simlab.virtual.fast.sctp_packets import (
    CHUNK_AT,
    DATA,
    DATA_HEADER,
    DATA_TYPE,
    SACK,
    SACK_HEADER,
    SACK_TYPE,
    is_sound,
    parse_packet,
    sack_packet,
)

_WHOLE_OR_UNORDERED = WHOLE | SCTP_DATA_UNORDERED

_module: Any = rtcsctptransport  # whose `time` is another one under the virtual clock

_own_handle_data = RTCSctpTransport._handle_data
_own_receive_data_chunk = RTCSctpTransport._receive_data_chunk
_own_receive_sack_chunk = RTCSctpTransport._receive_sack_chunk
_own_send_sack = RTCSctpTransport._send_sack


def take(self: Any, data: bytes) -> Rest | None:
    """Deal with a packet, and return what is left of it to do and may have to wait."""
    size = len(data)
    if size >= DATA.size and not self._sack_needed:
        kind = data[CHUNK_AT]
        if kind == DATA_TYPE:
            return _take_message(self, data, size)
        if kind == SACK_TYPE and size == SACK.size:
            return _take_sack(self, data)
    return Rest(_handle_any, self, data)


def _take_message(self: Any, data: bytes, size: int) -> Rest | None:
    _, _, tag, _, _, flags, length, tsn, stream_id, stream_seq, protocol = DATA.unpack_from(data)
    end, last_tsn = CHUNK_AT + length, self._last_received_tsn
    stream, channel = self._inbound_streams.get(stream_id), self._data_channels.get(stream_id)
    if (
        last_tsn is None
        or tsn != (last_tsn + 1) % SCTP_TSN_MODULO
        or flags & _WHOLE_OR_UNORDERED != WHOLE
        or stream is None
        or stream.sequence_number != stream_seq
        or stream.reassembly
        or channel is None
        or protocol != WEBRTC_STRING
        or self._sack_misordered
        or self._sack_duplicates
        or self._reconfig_deferred is not None
        or tag != self._local_verification_tag
        or not end <= size < end + 4
        or length <= DATA_HEADER
        or not is_sound(data)
    ):
        return Rest(_handle_any, self, data)
    self._sack_needed = True
    self._last_received_tsn = tsn
    stream.sequence_number = (stream_seq + 1) & 0xFFFF
    _tell(channel, data[DATA.size : end].decode("utf8"))
    return _acknowledge(self) if self._reconfig_deferred is None else Rest(_after_message, self)


def _tell(channel: Any, text: str) -> None:
    """Do what ``emit`` does, where one function listens."""
    listeners = channel._events.get("message")
    if listeners is None or len(listeners) != 1 or "emit" in channel.__dict__:  # or somebody looks on
        channel.emit("message", text)
        return
    for listener in listeners.values():
        channel._emit_run(listener, (text,), {})
        break


def _acknowledge(self: Any) -> Rest | None:
    if not self._sack_needed:
        return None
    transport = self._RTCSctpTransport__transport
    way = dtls.way_out(transport)
    if way is None:
        return Rest(self._send_sack)
    dtls.send_now(transport, way, _acknowledgement(self))
    self._sack_needed = False
    return None


def _acknowledgement(self: Any) -> bytes:
    return sack_packet(
        self._local_port,
        self._remote_port,
        self._remote_verification_tag,
        self._last_received_tsn,
        max(0, self._advertised_rwnd),
    )


async def _after_message(self: Any) -> None:
    await self._reset_deferred_streams()
    if self._sack_needed:
        await self._send_sack()


def _take_sack(self: Any, data: bytes) -> Rest | None:
    _, _, tag, _, _, _, length, tsn, _, gaps, duplicates = SACK.unpack(data)
    if (
        gaps
        or duplicates
        or length != SACK_HEADER
        or tag != self._local_verification_tag
        or self._fast_recovery_exit is not None
        or not is_sound(data)
    ):
        return Rest(_handle_any, self, data)
    return _acknowledged(self, tsn)


async def _handle_data(self: Any, data: bytes) -> None:
    rest = take(self, data)
    if rest is not None:
        await rest()


_handle_data.take = take  # type: ignore[attr-defined]  # for who has no need to wait


async def _handle_any(self: Any, data: bytes) -> None:
    try:
        _, _, tag, chunks = parse_packet(data)
    except ValueError:
        return
    kind = type(chunks[0]) if len(chunks) == 1 and tag == self._local_verification_tag else None
    if kind is DataChunk:
        await self._receive_data_chunk(chunks[0])
    elif kind is SackChunk:
        await self._receive_sack_chunk(chunks[0])
    else:
        await _own_handle_data(self, data)
        return
    if self._sack_needed:
        await self._send_sack()


async def _receive_data_chunk(self: Any, chunk: Any) -> None:
    tsn, last_tsn = chunk.tsn, self._last_received_tsn
    stream = self._inbound_streams.get(chunk.stream_id)
    if (
        last_tsn is None
        or tsn != (last_tsn + 1) % SCTP_TSN_MODULO
        or self._sack_misordered
        or self._sack_duplicates
        or chunk.flags & _WHOLE_OR_UNORDERED != WHOLE
        or stream is None
        or stream.reassembly
        or stream.sequence_number != chunk.stream_seq
    ):
        await _own_receive_data_chunk(self, chunk)
        return
    self._sack_needed = True
    self._last_received_tsn = tsn
    stream.sequence_number = (chunk.stream_seq + 1) & 0xFFFF
    channel = self._data_channels.get(chunk.stream_id) if chunk.protocol == WEBRTC_STRING else None
    if channel is not None:
        channel.emit("message", chunk.user_data.decode("utf8"))
    else:
        await self._receive(chunk.stream_id, chunk.protocol, chunk.user_data)
    if self._reconfig_deferred is not None:
        await self._reset_deferred_streams()


async def _receive_sack_chunk(self: Any, chunk: Any) -> None:
    if chunk.gaps or self._fast_recovery_exit is not None:
        await _own_receive_sack_chunk(self, chunk)
        return
    rest = _acknowledged(self, chunk.cumulative_tsn)
    if rest is not None:
        await rest()


def _acknowledged(self: Any, tsn: int) -> Rest | None:
    """Take in that all up to a TSN has arrived, and return what is left to be sent then."""
    sent = self._sent_queue
    if uint32_gt(self._last_sacked_tsn, tsn):
        return None
    self._last_sacked_tsn = tsn
    acked = _take_acked(self, tsn)
    if not sent:
        t3_cancel(self)
    elif acked:
        t3_restart(self)
    _advance_ack_point(self)
    if (
        self._data_channel_queue
        or self._reconfig_queue
        or self._outbound_queue
        or self._forward_tsn_chunk is not None
        or (sent and any(chunk._retransmit for chunk in sent))
    ):
        return Rest(_go_on, self)
    return None


async def _go_on(self: Any) -> None:
    """Send what has waited for an acknowledgement."""
    if self._data_channel_queue or self._reconfig_queue:
        await self._data_channel_flush()
    if self._sent_queue or self._outbound_queue or self._forward_tsn_chunk is not None:
        await self._transmit()


def _take_acked(self: Any, tsn: int) -> int:
    """Take what is acknowledged out of the queue, and return how many chunks that were."""
    sent = self._sent_queue
    fully_used = self._flight_size >= self._cwnd
    acked = acked_bytes = 0
    while sent and uint32_gte(tsn, sent[0].tsn):
        first = sent.popleft()
        acked += 1
        if not first._acked:
            acked_bytes += first._book_size
        if first._in_flight:
            first._in_flight = False
            self._flight_size -= first._book_size
        if acked == 1 and first._sent_count == 1:
            _measure(self, _module.time.time() - first._sent_time)
    if acked and fully_used:
        _grow_window(self, acked_bytes)
    return acked


def _measure(self: Any, round_trip_s: float) -> None:
    """Do as ``_update_rto``."""
    before_s = self._srtt
    if before_s is None:
        self._rttvar = round_trip_s / 2
        self._srtt = round_trip_s
    else:
        self._rttvar = (1 - SCTP_RTO_BETA) * self._rttvar + SCTP_RTO_BETA * abs(before_s - round_trip_s)
        self._srtt = (1 - SCTP_RTO_ALPHA) * before_s + SCTP_RTO_ALPHA * round_trip_s
    limit_s = self._srtt + 4 * self._rttvar
    self._rto = SCTP_RTO_MAX if limit_s > SCTP_RTO_MAX else max(limit_s, SCTP_RTO_MIN)


def _grow_window(self: Any, acked_bytes: int) -> None:
    if self._cwnd <= self._ssthresh:  # slow start
        self._cwnd += min(acked_bytes, rtcsctptransport.USERDATA_MAX_LENGTH)
        return
    self._partial_bytes_acked += acked_bytes
    if self._partial_bytes_acked >= self._cwnd:
        self._partial_bytes_acked -= self._cwnd
        self._cwnd += rtcsctptransport.USERDATA_MAX_LENGTH


def _advance_ack_point(self: Any) -> None:
    if (
        self._forward_tsn_streams
        or (self._outbound_queue and self._outbound_queue[0]._abandoned)
        or (self._sent_queue and self._sent_queue[0]._abandoned)
        or uint32_gt(self._advanced_peer_ack_tsn, self._last_sacked_tsn)
    ):
        self._update_advanced_peer_ack_point()
    elif uint32_gt(self._last_sacked_tsn, self._advanced_peer_ack_tsn):
        self._advanced_peer_ack_tsn = self._last_sacked_tsn


async def _send_sack(self: Any) -> None:
    if self._sack_misordered or self._sack_duplicates:
        await _own_send_sack(self)
        return
    await self._RTCSctpTransport__transport._send_data(_acknowledgement(self))
    self._sack_needed = False


PIECE = Piece(
    "SCTP's usual case",
    ((rtcsctptransport, "7ab4c9797827e6c1"), (utils, "f6664c632537d31e")),
    (
        (RTCSctpTransport, "_handle_data", _handle_data),
        (RTCSctpTransport, "_receive_data_chunk", _receive_data_chunk),
        (RTCSctpTransport, "_receive_sack_chunk", _receive_sack_chunk),
        (RTCSctpTransport, "_send", send),
        (RTCSctpTransport, "_send_sack", _send_sack),
        (RTCSctpTransport, "_t3_cancel", t3_cancel),
        (RTCSctpTransport, "_t3_restart", t3_restart),
        (RTCSctpTransport, "_t3_start", t3_start),
        (RTCSctpTransport, "_transmit", transmit),
    ),
)
