"""Join two WebSockets, message by message."""

import asyncio
from collections.abc import AsyncIterator, Collection, Coroutine
from contextlib import suppress
from typing import Any

import aiohttp
from aiohttp import WSMessage, WSMsgType, web

HANDSHAKE = frozenset(
    {
        "sec-websocket-key",
        "sec-websocket-version",
        "sec-websocket-extensions",
        "sec-websocket-protocol",
    }
)
"""The headers that each of the two has its own of, in lower case."""

Socket = aiohttp.ClientWebSocketResponse | web.WebSocketResponse

_NO_CODE, _BROKEN_OFF = 1005, 1006  # said by nobody, and may not be sent (RFC 6455 section 7.4.1)
_IN_ORDER = 1000
_CLOSE_S = 1.0


def is_websocket(request: web.Request) -> bool:
    """Tell whether a request wants to become a WebSocket."""
    return request.headers.get("Upgrade", "").lower() == "websocket"


def protocols_of(request: web.Request) -> Collection[str]:
    """Return the protocols that a client offers, the one that it likes most first."""
    names = request.headers.get("Sec-WebSocket-Protocol", "")
    return [name.strip() for name in names.split(",") if name.strip()]


def accepted(theirs: aiohttp.ClientWebSocketResponse) -> web.WebSocketResponse:
    """Return the client's end for a server's, with its protocol; nothing is answered by itself."""
    chosen = [theirs.protocol] if theirs.protocol else []
    return web.WebSocketResponse(
        protocols=chosen, autoping=False, autoclose=False, max_msg_size=0, timeout=_CLOSE_S
    )


async def messages(source: Socket) -> AsyncIterator[WSMessage]:
    """Yield what comes, the end included.

    Raises
    ------
    ConnectionResetError
        If there is none: the connection ends without a word.
    """
    while True:
        message = await source.receive()
        if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.PING, WSMsgType.PONG):
            yield _end(source, message)
            return
        yield message


def _end(source: Socket, message: WSMessage) -> WSMessage:
    """Return the end that the other side is to see, with a code that may be sent."""
    code = source.close_code
    if code is None or code == _BROKEN_OFF:
        raise ConnectionResetError
    if message.type is not WSMsgType.CLOSE or code == _NO_CODE:
        return WSMessage(WSMsgType.CLOSE, _IN_ORDER, "")
    return WSMessage(WSMsgType.CLOSE, code, str(message.extra or ""))


async def pass_on(sink: Socket, message: WSMessage) -> None:
    """Send a message, or the end."""
    with suppress(ConnectionError, RuntimeError):  # this side is gone
        match message.type:
            case WSMsgType.TEXT:
                await sink.send_str(message.data)
            case WSMsgType.BINARY:
                await sink.send_bytes(message.data)
            case WSMsgType.PING:
                await sink.ping(message.data)
            case WSMsgType.PONG:
                await sink.pong(message.data)
            case _:
                await sink.close(code=message.data, message=(message.extra or "").encode())


async def until_one_ends(*directions: Coroutine[Any, Any, None]) -> None:
    """Run the directions of a WebSocket until one of them is over, and raise what it raised."""
    ways = [asyncio.create_task(direction) for direction in directions]
    try:
        done, _ = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in done:
            way.result()
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
