"""SCTP's way out in fewer calls: a message in one chunk, in order, which may go at once."""

from typing import Any

from aiortc import rtcsctptransport
from aiortc.rtcsctptransport import (
    SCTP_DATA_FIRST_FRAG,
    SCTP_DATA_LAST_FRAG,
    SCTP_TSN_MODULO,
    DataChunk,
    RTCSctpTransport,
)

from simlab.virtual.fast import dtls
from simlab.virtual.fast.dtls import Way
from simlab.virtual.fast.sctp_packets import serialize_packet

WHOLE = SCTP_DATA_FIRST_FRAG | SCTP_DATA_LAST_FRAG

_module: Any = rtcsctptransport  # whose `time` is another one under the virtual clock

_own_send = RTCSctpTransport._send
_own_transmit = RTCSctpTransport._transmit


def t3_start(self: Any) -> None:
    """Do as ``_t3_start``."""
    self._t3_handle = self._loop.call_later(self._rto, self._t3_expired)


def t3_cancel(self: Any) -> None:
    """Do as ``_t3_cancel``."""
    timer = self._t3_handle
    if timer is not None:
        timer.cancel()
        self._t3_handle = None


def t3_restart(self: Any) -> None:
    """Do as ``_t3_restart``."""
    t3_cancel(self)
    t3_start(self)


async def send(
    self: Any,
    stream_id: int,
    pp_id: int,
    user_data: bytes,
    expiry: float | None = None,
    max_retransmits: int | None = None,
    ordered: bool = True,
) -> None:
    """Do as ``_send``."""
    if not ordered or not 0 < len(user_data) <= _module.USERDATA_MAX_LENGTH:
        await _own_send(self, stream_id, pp_id, user_data, expiry, max_retransmits, ordered)
        return
    self._outbound_queue.append(_message(self, stream_id, pp_id, user_data, expiry, max_retransmits))
    await self._transmit()


def _message(
    self: Any,
    stream_id: int,
    pp_id: int,
    user_data: bytes,
    expiry: float | None,
    max_retransmits: int | None,
) -> Any:
    """Make the chunk of a message that fits in one, and count it."""
    chunk = DataChunk.__new__(DataChunk)
    chunk.flags = WHOLE
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
    self._outbound_stream_seq[stream_id] = (stream_seq + 1) & 0xFFFF
    return chunk


def send_now(
    self: Any, stream_id: int, pp_id: int, user_data: bytes, max_retransmits: int | None, way: Way
) -> None:
    """Send an ordered message that ``may_go_now`` on its straight way."""
    chunk = _message(self, stream_id, pp_id, user_data, None, max_retransmits)
    _launch(self, chunk)
    packet = serialize_packet(self._local_port, self._remote_port, self._remote_verification_tag, chunk)
    dtls.send_now(self._RTCSctpTransport__transport, way, packet)
    if not self._t3_handle:
        t3_start(self)


def may_go_now(self: Any, user_data: bytes) -> bool:
    """Tell whether a message fits in a chunk, and would be sent before all else, and at once."""
    if (
        self._outbound_queue
        or self._forward_tsn_chunk is not None
        or len(user_data) > _module.USERDATA_MAX_LENGTH
    ):
        return False
    sent = self._sent_queue
    return self._flight_size < self._cwnd and not (sent and any(chunk._retransmit for chunk in sent))


def _launch(self: Any, chunk: Any) -> None:
    """Take in that a chunk is under way."""
    self._sent_queue.append(chunk)
    if not chunk._in_flight:
        chunk._in_flight = True
        self._flight_size += chunk._book_size
    chunk._sent_count += 1
    chunk._sent_time = _module.time.time()


async def transmit(self: Any) -> None:
    """Do as ``_transmit``."""
    outbound, sent = self._outbound_queue, self._sent_queue
    if self._forward_tsn_chunk is not None or (sent and any(chunk._retransmit for chunk in sent)):
        await _own_transmit(self)
        return
    burst = 4 if self._fast_recovery_exit is None else 2
    window = min(self._flight_size + burst * _module.USERDATA_MAX_LENGTH, self._cwnd)
    while outbound and self._flight_size < window:
        chunk = outbound.popleft()
        _launch(self, chunk)
        tag = self._remote_verification_tag
        packet = serialize_packet(self._local_port, self._remote_port, tag, chunk)
        await self._RTCSctpTransport__transport._send_data(packet)
        if not self._t3_handle:
            t3_start(self)
