"""A packet of SRTP from aiortc's DTLS transport to the network, in one step where nothing has to wait."""

from typing import Any

from aiortc import rtcdtlstransport, rtp
from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtp import is_rtcp

from simlab.virtual.fast.dtls import way_out
from simlab.virtual.fast.piece import Piece

_own_send = RTCDtlsTransport._send_rtp


async def _send_rtp(self: Any, data: bytes) -> None:
    way = way_out(self)
    if way is None:
        await _own_send(self, data)
        return
    session = self._tx_srtp
    packet = session.protect_rtcp(data) if is_rtcp(data) else session.protect(data)
    transport, address, allows = way
    if allows is None or allows():
        transport.sendto(packet, address)
    self._RTCDtlsTransport__tx_bytes += len(packet)
    self._RTCDtlsTransport__tx_packets += 1


PIECE = Piece(
    "packets of SRTP sent",
    ((rtcdtlstransport, "c1d1429e773a5d2d"), (rtp, "6e5e1a6ec951ce2f")),
    ((RTCDtlsTransport, "_send_rtp", _send_rtp),),
)
