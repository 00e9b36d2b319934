"""SCTP's usual case in fewer calls: a message in one chunk, in order, and an acknowledgement without gaps.

Each function first looks whether the case is the usual one; if not, aiortc's own goes on from there, with
everything as it was.
"""

from typing import Any

from aiortc import rtcsctptransport, utils
from aiortc.rtcsctptransport import (
    SCTP_DATA_FIRST_FRAG,
    SCTP_DATA_LAST_FRAG,
    SCTP_DATA_UNORDERED,
    SCTP_TSN_MODULO,
    USERDATA_MAX_LENGTH,
    WEBRTC_STRING,
    DataChunk,
    RTCSctpTransport,
    SackChunk,
)
from aiortc.utils import uint32_gt, uint32_gte

from simlab.virtual.fast.piece import Piece
from simlab.virtual.fast.sctp_packets import parse_packet, sack_packet, serialize_packet

_WHOLE = SCTP_DATA_FIRST_FRAG | SCTP_DATA_LAST_FRAG
_WHOLE_OR_UNORDERED = _WHOLE | SCTP_DATA_UNORDERED

_module: Any = rtcsctptransport  # whose `time` is another one under the virtual clock

_own_handle_data = RTCSctpTransport._handle_data
_own_receive_data_chunk = RTCSctpTransport._receive_data_chunk
_own_receive_sack_chunk = RTCSctpTransport._receive_sack_chunk
_own_send = RTCSctpTransport._send
_own_send_sack = RTCSctpTransport._send_sack
_own_transmit = RTCSctpTransport._transmit


async def _handle_data(self: Any, data: bytes) -> None:
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
        or chunk.flags & _WHOLE_OR_UNORDERED != _WHOLE
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
    tsn, sent = chunk.cumulative_tsn, self._sent_queue
    if chunk.gaps or self._fast_recovery_exit is not None:
        await _own_receive_sack_chunk(self, chunk)
        return
    if uint32_gt(self._last_sacked_tsn, tsn):
        return
    self._last_sacked_tsn = tsn
    acked = _take_acked(self, tsn)
    if not sent:
        self._t3_cancel()
    elif acked:
        self._t3_restart()
    _advance_ack_point(self)
    if self._data_channel_queue or self._reconfig_queue:
        await self._data_channel_flush()
    if sent or self._outbound_queue or self._forward_tsn_chunk is not None:
        await self._transmit()


def _take_acked(self: Any, tsn: int) -> int:
    """Take what is acknowledged out of the queue, and return how many chunks that were."""
    sent, received_s = self._sent_queue, _module.time.time()
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
            self._update_rto(received_s - first._sent_time)
    if acked and fully_used:
        _grow_window(self, acked_bytes)
    return acked


def _grow_window(self: Any, acked_bytes: int) -> None:
    if self._cwnd <= self._ssthresh:  # slow start
        self._cwnd += min(acked_bytes, USERDATA_MAX_LENGTH)
        return
    self._partial_bytes_acked += acked_bytes
    if self._partial_bytes_acked >= self._cwnd:
        self._partial_bytes_acked -= self._cwnd
        self._cwnd += USERDATA_MAX_LENGTH


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
    packet = sack_packet(
        self._local_port,
        self._remote_port,
        self._remote_verification_tag,
        self._last_received_tsn,
        max(0, self._advertised_rwnd),
    )
    await self._RTCSctpTransport__transport._send_data(packet)
    self._sack_needed = False


async def _send(
    self: Any,
    stream_id: int,
    pp_id: int,
    user_data: bytes,
    expiry: float | None = None,
    max_retransmits: int | None = None,
    ordered: bool = True,
) -> None:
    if not ordered or not 0 < len(user_data) <= USERDATA_MAX_LENGTH:
        await _own_send(self, stream_id, pp_id, user_data, expiry, max_retransmits, ordered)
        return
    chunk = DataChunk.__new__(DataChunk)
    chunk.flags = _WHOLE
    chunk.tsn = self._local_tsn
    chunk.stream_id = stream_id
    chunk.stream_seq = stream_seq = self._outbound_stream_seq.get(stream_id, 0)
    chunk.protocol = pp_id
    chunk.user_data = user_data
    chunk._abandoned = chunk._acked = chunk._in_flight = chunk._retransmit = False
    chunk._book_size = len(user_data)
    chunk._expiry = expiry
    chunk._max_retransmits = max_retransmits
    chunk._misses = chunk._sent_count = 0
    chunk._sent_time = None
    self._local_tsn = (self._local_tsn + 1) % SCTP_TSN_MODULO
    self._outbound_queue.append(chunk)
    self._outbound_stream_seq[stream_id] = (stream_seq + 1) & 0xFFFF
    await self._transmit()


async def _transmit(self: Any) -> None:
    outbound, sent = self._outbound_queue, self._sent_queue
    if self._forward_tsn_chunk is not None or (sent and any(chunk._retransmit for chunk in sent)):
        await _own_transmit(self)
        return
    burst = 4 if self._fast_recovery_exit is None else 2
    window = min(self._flight_size + burst * USERDATA_MAX_LENGTH, self._cwnd)
    while outbound and self._flight_size < window:
        chunk = outbound.popleft()
        sent.append(chunk)
        if not chunk._in_flight:
            chunk._in_flight = True
            self._flight_size += chunk._book_size
        chunk._sent_count += 1
        chunk._sent_time = _module.time.time()
        tag = self._remote_verification_tag
        packet = serialize_packet(self._local_port, self._remote_port, tag, chunk)
        await self._RTCSctpTransport__transport._send_data(packet)
        if not self._t3_handle:
            self._t3_start()


PIECE = Piece(
    "SCTP's usual case",
    ((rtcsctptransport, "7ab4c9797827e6c1"), (utils, "f6664c632537d31e")),
    (
        (RTCSctpTransport, "_handle_data", _handle_data),
        (RTCSctpTransport, "_receive_data_chunk", _receive_data_chunk),
        (RTCSctpTransport, "_receive_sack_chunk", _receive_sack_chunk),
        (RTCSctpTransport, "_send", _send),
        (RTCSctpTransport, "_send_sack", _send_sack),
        (RTCSctpTransport, "_transmit", _transmit),
    ),
)
