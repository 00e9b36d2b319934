"""aioice: a datagram that is no STUN message goes straight to who reads the connection, and out again."""

from collections.abc import Coroutine
from typing import Any

from aioice import ice, stun
from aiortc import rtcrtpreceiver

from simlab.virtual.fast.piece import Piece
from simlab.virtual.fast.queues import OpenQueue

_STUN_HEADER_BYTES = 20

_init = ice.Connection.__init__
_init_track = rtcrtpreceiver.RemoteStreamTrack.__init__
_datagram_received = ice.StunProtocol.datagram_received


class _DatagramQueue(OpenQueue):
    """What a connection has received: pairs of data and component, or None when it is lost."""

    async def get_data(self) -> bytes:
        """Take the data of the next datagram, and wait for one if there is none."""
        items = self._items
        while not items:
            getter = self._make_future()
            self._getters.append(getter)
            try:
                await getter
            except BaseException:
                self._forget(getter)
                raise
        item = items.popleft()
        if item is None:
            raise ConnectionError("Connection lost while receiving data")
        data: bytes = item[0]
        return data


def _init_with_queue(self: Any, *args: Any, **kwargs: Any) -> None:
    _init(self, *args, **kwargs)
    self._queue = _DatagramQueue()


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


def _recv(self: Any) -> Coroutine[Any, Any, bytes]:
    if not self._nominated:
        raise ConnectionError("Cannot receive data, not connected")
    taking: Coroutine[Any, Any, bytes] = self._queue.get_data()
    return taking


async def _send(self: Any, data: bytes) -> None:
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
        (ice.Connection, "recv", _recv),
        (ice.Connection, "send", _send),
        (ice.StunProtocol, "datagram_received", _received),
        (rtcrtpreceiver.RemoteStreamTrack, "__init__", _init_track_with_queue),
    ),
)
