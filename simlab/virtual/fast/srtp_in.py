"""SRTP from DTLS to the receiver of its media, without awaiting anything in the usual case."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiortc import clock
from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtp import RtpPacket, is_rtcp
from pylibsrtp import Error as SrtpError

from simlab.virtual.fast.queues import Rest

_handle_rtp_data = RTCDtlsTransport._handle_rtp_data


def read(self: Any, record: bytes) -> Rest | None:
    """Read a packet, and return what is left to do and may have to wait.

    Parameters
    ----------
    self
        The ``RTCDtlsTransport``, which has a session of SRTP.
    """
    try:
        if is_rtcp(record):
            return Rest(_bar_srtp, self._handle_rtcp_data, self._rx_srtp.unprotect_rtcp(record))
        data = self._rx_srtp.unprotect(record)
        handle = self._handle_rtp_data
        if getattr(handle, "__func__", None) is _handle_rtp_data:
            return _handle(self, data)
        return Rest(_bar_srtp, handle, data, clock.current_ms())
    except SrtpError:
        return None


def _handle(self: Any, data: bytes) -> Rest | None:
    try:
        packet = RtpPacket.parse(data, self._rtp_header_extensions_map)
    except ValueError:
        return None
    receiver = self._rtp_router.route_rtp(packet)
    if receiver is None:
        return None
    handle = type(receiver)._handle_rtp_packet
    take = getattr(handle, "take", None)
    if take is not None and take(receiver, packet):
        return None
    return Rest(_bar_srtp, receiver._handle_rtp_packet, packet, clock.current_ms())


async def _bar_srtp(handle: Callable[..., Awaitable[None]], *args: Any) -> None:
    """Handle a packet; what libsrtp says of an answer is nobody's business."""
    try:
        await handle(*args)
    except SrtpError:
        return
