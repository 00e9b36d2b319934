"""From a data channel's ``send`` to SCTP, and from SCTP to who listens, in fewer calls."""

from typing import Any

from aiortc import rtcdatachannel, rtcsctptransport
from aiortc.rtcdatachannel import RTCDataChannel
from aiortc.rtcsctptransport import WEBRTC_DCEP, WEBRTC_STRING, RTCSctpTransport
from pyee import asyncio as pyee_asyncio
from pyee import base as pyee_base
from pyee.asyncio import AsyncIOEventEmitter

from simlab.virtual.fast import dtls, sctp_out
from simlab.virtual.fast.piece import Piece

_ESTABLISHED = RTCSctpTransport.State.ESTABLISHED

_own_emit_run = AsyncIOEventEmitter._emit_run
_own_flush = RTCSctpTransport._data_channel_flush
_own_send = RTCSctpTransport._data_channel_send


def _channel_send(self: Any, channel: Any, data: Any) -> None:
    user_data = data.encode("utf8") if isinstance(data, str) else b""
    if not user_data or 0 < self._remote_max_message_size < len(user_data):
        _own_send(self, channel, data)
        return
    channel._addBufferedAmount(len(user_data))
    self._data_channel_queue.append((channel, WEBRTC_STRING, user_data))
    self._loop.call_soon(_flush_soon, self)


def _flush_soon(self: Any) -> None:
    """Do what a task for ``_data_channel_flush`` would do, when it would, and let one do the rest."""
    if not _flush_now(self):
        self._loop.create_task(self._data_channel_flush())
        self._loop.run_newest()


def _flush_now(self: Any) -> bool:
    """Send what waits; False if there is more to do, which may have to wait."""
    if self._association_state is not _ESTABLISHED:
        return True
    queue = self._data_channel_queue
    if not queue:
        return not self._reconfig_queue
    way = dtls.way_out(self._RTCSctpTransport__transport)
    while queue and way is not None:
        channel, protocol, user_data = queue[0]
        stream_id, about = channel._RTCDataChannel__id, channel._RTCDataChannel__parameters
        if stream_id is None or protocol == WEBRTC_DCEP or about.maxPacketLifeTime or not about.ordered:
            return False
        if not sctp_out.may_go_now(self, user_data):
            return False
        queue.popleft()
        sctp_out.send_now(self, stream_id, protocol, user_data, about.maxRetransmits, way)
        channel._addBufferedAmount(-len(user_data))
    return way is not None and not self._reconfig_queue


async def _flush(self: Any) -> None:
    if self._association_state is not _ESTABLISHED:
        return
    queue = self._data_channel_queue
    while queue and not self._outbound_queue:
        channel, protocol, user_data = queue[0]
        stream_id, about = channel._RTCDataChannel__id, channel._RTCDataChannel__parameters
        if stream_id is None or protocol == WEBRTC_DCEP or about.maxPacketLifeTime:
            await _own_flush(self)
            return
        queue.popleft()
        await self._send(stream_id, protocol, user_data, None, about.maxRetransmits, about.ordered)
        channel._addBufferedAmount(-len(user_data))
    if self._reconfig_queue:
        await self._transmit_reconfig()


def _add_buffered(self: Any, amount: int) -> None:
    before = self._RTCDataChannel__bufferedAmount
    after = self._RTCDataChannel__bufferedAmount = before + amount
    if before > self._RTCDataChannel__bufferedAmountLowThreshold >= after and self._events:
        self.emit("bufferedamountlow")


def _emit(self: Any, event: str, *args: Any, **kwargs: Any) -> bool:
    listeners = self._events.get(event)
    if not listeners:
        self._emit_handle_potential_error(event, args[0] if args else None)
        return False
    for listener in list(listeners.values()):
        self._emit_run(listener, args, kwargs)
    return True


def _emit_run(self: Any, listener: Any, args: Any, kwargs: Any) -> None:
    try:
        result = listener(*args, **kwargs)
    except Exception as error:
        self.emit("error", error)
        return
    if result is not None:  # a coroutine or a future, perhaps
        _own_emit_run(self, lambda: result, (), {})


PIECE = Piece(
    "messages of data channels",
    (
        (rtcdatachannel, "0cb618e9ad5433aa"),
        (rtcsctptransport, "7ab4c9797827e6c1"),
        # In what these versions differ, removing listeners and waiting for coroutines, is left to pyee.
        (
            pyee_base,
            "cb34b7e3bbfbe748",  # 13.0.0
            "11974c09ed438f0a",  # 13.0.1
            "06686723ce070dfc",  # 14.0.0
            "a4f9cb67f0dbfa92",  # 15.0.0
            "37c9c3c3f3f153c5",  # 16.0.0, 16.0.1
        ),
        (
            pyee_asyncio,
            "3fc5040cd66df80b",  # 13.0.0 to 14.0.0
            "4a273fafc9d13e22",  # 15.0.0
            "8de8eaab53bb3a2f",  # 16.0.0
            "0455852373815d0a",  # 16.0.1
        ),
    ),
    (
        (RTCSctpTransport, "_data_channel_send", _channel_send),
        (RTCSctpTransport, "_data_channel_flush", _flush),
        (RTCDataChannel, "_addBufferedAmount", _add_buffered),
        (AsyncIOEventEmitter, "emit", _emit),
        (AsyncIOEventEmitter, "_emit_run", _emit_run),
    ),
)
