"""DTLS records in and out of OpenSSL without pyOpenSSL's checks in between.

pyOpenSSL asks for the error of each call that succeeded, and raises an exception to say that there is
nothing to send, twice for each packet. Here the library is asked only when a call has not succeeded.
"""

from typing import Any

from aiortc import clock, rtcdtlstransport
from aiortc.rtcdtlstransport import RTCDtlsTransport, State
from aiortc.rtp import is_rtcp
from OpenSSL import SSL
from OpenSSL._util import ffi, lib
from pylibsrtp import Error as SrtpError

from simlab.virtual.fast.piece import Piece

_SIZE = 1500  # what aiortc asks for at a time
_buffer = ffi.new("char[]", _SIZE)  # shared: what is read into it is copied at once
_read = ffi.buffer(_buffer)

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


async def _receive_next(self: Any) -> None:
    if not self._RTCDtlsTransport__handshake_done:
        await _recv_next(self)
        return
    record = await self._transport._recv()
    self._RTCDtlsTransport__rx_bytes += len(record)
    self._RTCDtlsTransport__rx_packets += 1
    first_byte = record[0]
    if 19 < first_byte < 64:
        data = _decrypted(self._ssl, record)
        size = lib.BIO_read(self._ssl._from_ssl, _buffer, _SIZE)
        if size > 0:
            await _send_record(self, size)
        if data is None:
            raise ConnectionError  # the remote party has shut DTLS down
        if data and self._data_receiver:
            await self._data_receiver._handle_data(data)
    elif 127 < first_byte < 192 and self._rx_srtp:
        await _receive_srtp(self, record)


def _decrypted(connection: SSL.Connection, record: bytes) -> bytes | None:
    """Return what is in a record; nothing if it is no data, None if it is the end."""
    written = lib.BIO_write(connection._into_ssl, record, len(record))
    if written <= 0:
        connection._handle_bio_errors(connection._into_ssl, written)
    size = lib.SSL_read(connection._ssl, _buffer, _SIZE)
    if _has_failed(connection, size):
        try:
            connection._raise_ssl_error(connection._ssl, size)
        except SSL.ZeroReturnError:
            return None
        except SSL.Error:
            return b""
    data: bytes = _read[:size]
    return data


async def _receive_srtp(self: Any, data: bytes) -> None:
    arrival_time_ms = clock.current_ms()
    try:
        if is_rtcp(data):
            await self._handle_rtcp_data(self._rx_srtp.unprotect_rtcp(data))
        else:
            plain = self._rx_srtp.unprotect(data)
            await self._handle_rtp_data(plain, arrival_time_ms=arrival_time_ms)
    except SrtpError:
        return


PIECE = Piece(
    "records through OpenSSL",
    ((rtcdtlstransport, "c1d1429e773a5d2d"), (SSL, "64aa970bf5bd1dab")),
    (
        (RTCDtlsTransport, "_recv_next", _receive_next),
        (RTCDtlsTransport, "_send_data", _send_data),
        (RTCDtlsTransport, "_write_ssl", _flush),
    ),
)
