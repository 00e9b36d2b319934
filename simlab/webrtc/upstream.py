"""The server behind the proxy of the signalling: what is asked of it, and what it has still to say."""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from http import HTTPStatus

import aiohttp
from aiohttp import web
from multidict import CIMultiDict

from simlab.webrtc.http import http_client
from simlab.webrtc.lean import httpx
from simlab.webrtc.signalling_rewrite import parsed
from simlab.webrtc.websockets import HANDSHAKE, protocols_of

_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "host", "date", "server"})
# What httpx asks for is what it can read, and what it has read is passed on uncompressed.
_NOT_ASKED = _HOP_BY_HOP | {"content-length", "accept-encoding"}
_NOT_ANSWERED = _HOP_BY_HOP | {"content-encoding"}
_NOT_SHAKEN = _NOT_ASKED | HANDSHAKE | {"upgrade"}
_SAID_OF_CONNECTIONS = frozenset({"sdp", "candidates"})


class ServerGoneError(Exception):
    """The server gives no answer, or not to its end."""


@dataclass
class Answer:
    """What a server has answered.

    Parameters
    ----------
    head
        Its status and headers, and its body if it was held.
    coming
        Otherwise what the body comes from, or the WebSocket that the server has accepted.
    session
        The WebSocket's own.
    """

    head: web.Response
    coming: httpx.Response | aiohttp.ClientWebSocketResponse | None = None
    session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Want no more of it: a WebSocket that has not been closed ends without a word, as the client did."""
        if isinstance(self.coming, httpx.Response):
            await self.coming.aclose()
        if self.session is not None:
            await self.session.close()


class Upstream:
    """The server.

    Parameters
    ----------
    url
        Its address, ``http://HOST:PORT``.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._client = http_client()

    async def ask(self, request: web.Request, body: bytes) -> Answer:
        """Pass a request on, and return the answer: as a whole if it is to be read, else as it comes.

        Raises
        ------
        ServerGoneError
            If there is none.
        """
        try:
            return await self._ask(request, body)
        except httpx.HTTPError as error:
            raise ServerGoneError from error

    async def _ask(self, request: web.Request, body: bytes) -> Answer:
        headers = {k: v for k, v in request.headers.items() if k.lower() not in _NOT_ASKED}
        url = self._url + request.path_qs
        asked = self._client.build_request(request.method, url, content=body, headers=headers)
        answer = await self._client.send(asked, stream=True)
        kept = _kept(answer)
        if not _is_held(answer, body):
            return Answer(web.Response(status=answer.status_code, headers=kept), answer)
        kept.popall("content-length", None)  # it may say other addresses
        content = await answer.aread()
        return Answer(web.Response(body=content, status=answer.status_code, headers=kept))

    async def patch(self, request: web.Request, message: object) -> None:
        """Bring a message to where a request went.

        Raises
        ------
        ServerGoneError
            If there is no answer.
        """
        try:
            await self._client.patch(self._url + request.path_qs, json=message)
        except httpx.HTTPError as error:
            raise ServerGoneError from error

    async def open_websocket(self, request: web.Request) -> Answer:
        """Open a WebSocket as a client wants it; if the server refuses, that is the answer.

        Raises
        ------
        ServerGoneError
            If there is none.
        """
        async with AsyncExitStack() as stack:
            session = await stack.enter_async_context(_websocket_session())
            try:
                theirs = await self._connect(session, request)
            except aiohttp.WSServerHandshakeError as error:
                return Answer(web.Response(status=error.status, text=f"{error.message}\n"))
            except (aiohttp.ClientError, AssertionError) as error:
                # The assertion is aiohttp's own: the server has gone just as it had accepted.
                raise ServerGoneError from error
            stack.pop_all()
            return Answer(web.Response(status=HTTPStatus.SWITCHING_PROTOCOLS), theirs, session)

    async def _connect(
        self, session: aiohttp.ClientSession, request: web.Request
    ) -> aiohttp.ClientWebSocketResponse:
        headers = [(k, v) for k, v in request.headers.items() if k.lower() not in _NOT_SHAKEN]
        return await session.ws_connect(
            self._url + request.path_qs,
            headers=CIMultiDict(headers),
            protocols=protocols_of(request),
            autoping=False,
            autoclose=False,
            max_msg_size=0,
        )

    async def close(self) -> None:
        """Drop the connections."""
        await self._client.aclose()


def _websocket_session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(  # httpx has no WebSockets
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),
        skip_auto_headers=("User-Agent",),
    )


def _kept(answer: httpx.Response) -> CIMultiDict[str]:
    kept = CIMultiDict((k, v) for k, v in answer.headers.multi_items() if k.lower() not in _NOT_ANSWERED)
    if "content-encoding" in answer.headers:
        kept.popall("content-length", None)
    return kept


def _is_held(answer: httpx.Response, body: bytes) -> bool:
    """Tell whether an answer is to be read: JSON is, and what answers a message about connections."""
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json" or kind.endswith("+json"):
        return True
    message = None if kind == "text/event-stream" else parsed(body)
    return message is not None and not message.keys().isdisjoint(_SAID_OF_CONNECTIONS)
