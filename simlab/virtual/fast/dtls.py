"""DTLS records in and out of OpenSSL without pyOpenSSL's checks in between.

pyOpenSSL asks for the error of each call that succeeded, and raises an exception to say that there is
nothing to send, twice for each packet. Here the library is asked only when a call has not succeeded.
"""

from functools import partial
from typing import Any

from aiortc import rtcdtlstransport
from aiortc.rtcdtlstransport import RTCDtlsTransport, State
from OpenSSL import SSL
from OpenSSL._util import ffi, lib

from simlab.virtual.fast import ice, srtp_in
from simlab.virtual.fast.piece import Piece
from simlab.virtual.fast.queues import Rest

_SIZE = 1500  # what aiortc asks for at a time
_buffer = ffi.new("char[]", _SIZE)  # shared: what is read into it is copied at once
_read = ffi.buffer(_buffer)

Way = tuple[Any, Any, Any]
"""Whose ``sendto`` takes what is sent, the address, and what tells whether it may go out, or None."""

_WAY = "_simlab_way"  # the one that was found last, with all that it depends on

_recv_next = RTCDtlsTransport._recv_next
_CONNECTED = State.CONNECTED


def _has_failed(connection: SSL.Connection, result: int) -> bool:
    """Tell whether pyOpenSSL may have something to raise after a call with that result."""
    helper = connection._context._verify_helper
    return result <= 0 or (helper is not None and bool(helper._problems))


async def _flush(self: Any) -> None:
    # An empty BIO returns -1, which aiortc takes for "nothing".
    size = lib.BIO_read(self._ssl._from_ssl, _buffer, _SIZE)
    if size > 0:
        await _send_record(self, size)


async def _send_record(self: Any, size: int) -> None:
    await self._transport._send(_read[:size])
    self._RTCDtlsTransport__tx_bytes += size
    self._RTCDtlsTransport__tx_packets += 1


async def _send_data(self: Any, data: bytes) -> None:
    if self._state is not _CONNECTED:
        raise ConnectionError("Cannot send encrypted data, not connected")
    connection = self._ssl
    result = lib.SSL_write(connection._ssl, data, len(data))
    if _has_failed(connection, result):
        connection._raise_ssl_error(connection._ssl, result)
    size = lib.BIO_read(connection._from_ssl, _buffer, _SIZE)
    if size > 0:
        await _send_record(self, size)


def way_out(self: Any) -> Way | None:
    """Return what ``send_now`` needs, or None if what is to be sent may have to wait."""
    known = self.__dict__.get(_WAY)
    if known is not None and self._state is _CONNECTED:
        sender, connection, pair, way = known
        if self._transport._send is sender and ice.sends_on(connection, pair):
            return way  # type: ignore[no-any-return]
    return _find_way(self)


def _find_way(self: Any) -> Way | None:
    if getattr(type(self), "_send_data", None) is not _send_data or self._state is not _CONNECTED:
        return None
    kept = sender = self._transport._send
    allows = getattr(sender, "allows", None)
    if allows is not None:
        sender = sender.sender
    if getattr(sender, "__func__", None) is not ice.send:
        return None
    connection = sender.__self__
    found = ice.straight_way(connection)
    if found is None:
        return None
    pair, transport, address = found
    self.__dict__[_WAY] = kept, connection, pair, (transport, address, allows)
    return transport, address, allows


def send_now(self: Any, way: Way, data: bytes) -> None:
    """Send data on its straight way, without awaiting anything."""
    connection = self._ssl
    result = lib.SSL_write(connection._ssl, data, len(data))
    helper = connection._context._verify_helper  # as in _has_failed
    if result <= 0 or (helper is not None and helper._problems):
        connection._raise_ssl_error(connection._ssl, result)
    size = lib.BIO_read(connection._from_ssl, _buffer, _SIZE)
    if size > 0:
        transport, address, allows = way
        if allows is None or allows():
            transport.sendto(_read[:size], address)
        self._RTCDtlsTransport__tx_bytes += size
        self._RTCDtlsTransport__tx_packets += 1


async def _receive_next(self: Any) -> None:
    if not self._RTCDtlsTransport__handshake_done:
        await _recv_next(self)
        return
    receive = self._transport._recv
    if getattr(receive, "__func__", None) is ice.receive:
        record = await receive(partial(_read_any, self))
    else:
        record = await receive()
    rest = record if type(record) is Rest else _read_any(self, record)
    if rest is not None:
        await rest()


def _read_any(self: Any, record: bytes) -> Rest | None:
    """Read what has been received, and return what is left to do and may have to wait."""
    self._RTCDtlsTransport__rx_bytes += len(record)
    self._RTCDtlsTransport__rx_packets += 1
    first_byte = record[0]  # RFC 7983
    if 19 < first_byte < 64:
        return _read_record(self, record)
    return srtp_in.read(self, record) if 127 < first_byte < 192 and self._rx_srtp else None


def _read_record(self: Any, record: bytes) -> Rest | None:
    """Read a record of DTLS."""
    connection = self._ssl
    data = _decrypted(connection, record)
    size = lib.BIO_read(connection._from_ssl, _buffer, _SIZE)
    if size > 0 or data is None:
        return Rest(_answer, self, _read[: max(size, 0)], data)
    receiver = self._data_receiver
    if not data or not receiver:
        return None
    take = getattr(type(receiver)._handle_data, "take", None)
    return Rest(receiver._handle_data, data) if take is None else take(receiver, data)


async def _answer(self: Any, reply: bytes, data: bytes | None) -> None:
    """Send what OpenSSL has to say to a record, and go on with what was in it."""
    if reply:
        await self._transport._send(reply)
        self._RTCDtlsTransport__tx_bytes += len(reply)
        self._RTCDtlsTransport__tx_packets += 1
    if data is None:
        raise ConnectionError  # the remote party has shut DTLS down
    if data and self._data_receiver:
        await self._data_receiver._handle_data(data)


def _decrypted(connection: SSL.Connection, record: bytes) -> bytes | None:
    """Return what is in a record; nothing if it is no data, None if it is the end."""
    written = lib.BIO_write(connection._into_ssl, record, len(record))
    if written <= 0:
        connection._handle_bio_errors(connection._into_ssl, written)
    size = lib.SSL_read(connection._ssl, _buffer, _SIZE)
    helper = connection._context._verify_helper  # as in _has_failed
    if size <= 0 or (helper is not None and helper._problems):
        try:
            connection._raise_ssl_error(connection._ssl, size)
        except SSL.ZeroReturnError:
            return None
        except SSL.Error:
            return b""
    data: bytes = _read[:size]
    return data


PIECE = Piece(
    "records through OpenSSL",
    ((rtcdtlstransport, "c1d1429e773a5d2d"), (SSL, "64aa970bf5bd1dab")),
    (
        (RTCDtlsTransport, "_recv_next", _receive_next),
        (RTCDtlsTransport, "_send_data", _send_data),
        (RTCDtlsTransport, "_write_ssl", _flush),
    ),
)
