"""aioice: a datagram that is no STUN message goes straight to who reads the connection, and out again."""

from collections.abc import Coroutine
from typing import Any

from aioice import ice, stun
from aiortc import rtcrtpreceiver

from simlab.virtual.fast.piece import Piece
from simlab.virtual.fast.queues import DatagramQueue, OpenQueue, Reader, Rest

_STUN_HEADER_BYTES = 20

_init = ice.Connection.__init__
_init_track = rtcrtpreceiver.RemoteStreamTrack.__init__
_datagram_received = ice.StunProtocol.datagram_received


def _init_with_queue(self: Any, *args: Any, **kwargs: Any) -> None:
    _init(self, *args, **kwargs)
    self._queue = DatagramQueue()


def _init_track_with_queue(self: Any, *args: Any, **kwargs: Any) -> None:
    _init_track(self, *args, **kwargs)
    self._queue = OpenQueue()


def _received(self: Any, data: Any, addr: Any) -> None:
    # The two reasons for which parse_message raises ValueError first of all, without the exception.
    size = len(data)
    if size < _STUN_HEADER_BYTES or size != _STUN_HEADER_BYTES + (data[2] << 8 | data[3]):
        self.receiver.data_received(data, self.local_candidate.component)
    else:
        _datagram_received(self, data, addr)


def receive(self: Any, reader: Reader | None = None) -> Coroutine[Any, Any, bytes | Rest]:
    """Wait for data as aioice's own ``recv`` does, or for what a reader leaves of it."""
    if not self._nominated:
        raise ConnectionError("Cannot receive data, not connected")
    taking: Coroutine[Any, Any, bytes | Rest] = self._queue.get_data(reader)
    return taking


def sends_on(connection: Any, pair: Any) -> bool:
    """Tell whether a connection still sends its data on that pair."""
    return connection._nominated.get(1) is pair and "sendto" not in connection.__dict__


def straight_way(connection: Any) -> tuple[Any, Any, Any] | None:
    """Return the pair, whose ``sendto`` takes data, and the address, if that is all there is to it."""
    if "sendto" in connection.__dict__:
        return None
    pair = connection._nominated.get(1)
    if not pair or type(pair.protocol) is not ice.StunProtocol:
        return None
    remote = pair.remote_candidate
    return pair, pair.protocol.transport, (remote._network_host, remote.port)


async def send(self: Any, data: bytes) -> None:
    """Send data as aioice's own does."""
    if "sendto" in self.__dict__:  # somebody decides what this connection sends, and when
        await self.sendto(data, 1)
        return
    pair = self._nominated.get(1)
    if not pair:
        raise ConnectionError("Cannot send data, not connected")
    protocol = pair.protocol
    if type(protocol) is ice.StunProtocol:
        protocol.transport.sendto(data, pair.remote_addr)
    else:  # through TURN
        await protocol.send_data(data, pair.remote_addr)


PIECE = Piece(
    "datagrams through aioice",
    ((ice, "092f9bac34fd6f05"), (stun, "e4ba84bcdbb59f0d"), (rtcrtpreceiver, "6c64de023fc5e83d")),
    (
        (ice.Connection, "__init__", _init_with_queue),
        (ice.Connection, "recv", receive),
        (ice.Connection, "send", send),
        (ice.StunProtocol, "datagram_received", _received),
        (rtcrtpreceiver.RemoteStreamTrack, "__init__", _init_track_with_queue),
    ),
)
