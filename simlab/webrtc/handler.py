"""Which connection an offer belongs to."""

import errno
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from aiohttp import web
from aiortc import RTCIceCandidate, RTCIceServer
from aiortc.sdp import candidate_from_sdp
from pydantic.dataclasses import dataclass as pydantic_dataclass

from simlab.core.timeline import Recorder
from simlab.profile.behaviour import SERVER_PRESETS, ServerBehaviour
from simlab.webrtc import esp32
from simlab.webrtc.connection import CONNECTING_TIMEOUT_S, SmallWebRTCConnection
from simlab.webrtc.limits import PIPECAT_SERVER, ServerLimits

MAX_REMEMBERED_CALLS = 1000


# These three are named as in Pipecat, since what is wrong with a body is answered with the name.
@pydantic_dataclass
class SmallWebRTCRequest:
    """The body of ``POST /api/offer``. As in Pipecat, a camel-case ``requestData`` is dropped."""

    sdp: str
    type: str
    pc_id: str | None = None
    restart_pc: bool | None = None
    request_data: Any = None


@pydantic_dataclass
class IceCandidate:
    """One candidate of ``PATCH /api/offer``."""

    candidate: str
    sdp_mid: str
    sdp_mline_index: int

    def parsed(self) -> RTCIceCandidate | None:
        """Return what aiortc takes: None, the end of candidates, for an empty one."""
        if not self.candidate:
            return None
        candidate = candidate_from_sdp(self.candidate)
        candidate.sdpMid, candidate.sdpMLineIndex = self.sdp_mid, self.sdp_mline_index
        return candidate


@pydantic_dataclass
class SmallWebRTCPatchRequest:
    """The body of ``PATCH /api/offer``."""

    pc_id: str
    candidates: list[IceCandidate]


@dataclass(frozen=True)
class Call:
    """What a bot is started with.

    Parameters
    ----------
    session_id
        Of ``/start``; None for an offer that came without one.
    body
        What the client has sent along for the bot.
    resumes
        Whether the offer named a connection that the server does not know, and the bot is to say so by
        telling the client, unasked, that it is ready (what is done instead of fault S6).
    """

    session_id: str | None = None
    body: Any = None
    resumes: bool = False


Started = Callable[[SmallWebRTCConnection, Call], None]


@dataclass(frozen=True)
class HandlerSettings:
    """How a request handler is made.

    Parameters
    ----------
    mode
        ``"single"`` refuses an offer for another connection while there is one.
    relay_only
        Whether connections use relayed candidates alone.
    esp32, esp32_host
        Whether answers are made readable for an ESP32, and which candidates are left to it.
    decode_video
        Whether the clients' pictures are decoded.
    behaviour
        Which faults of the published handler it has; all of them by default.
    limits
        How long its connections wait for what, and how much they keep.
    is_exhausted
        Asked at each offer whether no more sockets can be opened.
    """

    mode: Literal["single", "multiple"] = "multiple"
    ice_servers: Sequence[RTCIceServer] = ()
    relay_only: bool = False
    esp32: bool = False
    esp32_host: str | None = None
    connecting_timeout_s: float = CONNECTING_TIMEOUT_S
    decode_video: bool = True
    behaviour: ServerBehaviour = SERVER_PRESETS["pipecat-1.14.0"]
    limits: ServerLimits = PIPECAT_SERVER
    is_exhausted: Callable[[], bool] = lambda: False


class RequestHandler:
    """Keep the connections by their ``pc_id``, as Pipecat's request handler does.

    Parameters
    ----------
    started
        Called with each new connection, to start its bot.
    """

    def __init__(
        self, record: Recorder, started: Started, settings: HandlerSettings = HandlerSettings()
    ) -> None:
        self.connections: dict[str, SmallWebRTCConnection] = {}
        self.settings = settings
        self._record = record
        self._started = started
        self._made = 0
        self._over: dict[str, None] = {}

    async def offer(self, offer: SmallWebRTCRequest, session_id: str | None = None) -> dict[str, str]:
        """Answer an offer, on the connection that it names or on a new one.

        Raises
        ------
        web.HTTPBadRequest
            In single mode, if there is another connection.
        web.HTTPGone
            If the bot of that connection has ended the call.
        OSError
            If no socket can be opened.
        """
        self._check_mode(offer.pc_id)
        self._check_over(offer.pc_id)
        if self.settings.is_exhausted():
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        connection = self.connections.get(offer.pc_id or "")
        if connection is not None:
            answer = await connection.renegotiate(offer.sdp, bool(offer.restart_pc), offer.type)
        else:
            connection, answer = await self._begin(offer, session_id)
        self._name(connection, answer["pc_id"], offer.pc_id)
        if self.settings.esp32:
            answer["sdp"] = esp32.munged(answer["sdp"], self.settings.esp32_host)
        return answer

    def _check_mode(self, pc_id: str | None) -> None:
        if self.settings.mode == "multiple" or not self.connections:
            return
        existing = next(iter(self.connections.values()))
        if not pc_id:
            raise web.HTTPBadRequest(text="Cannot create new connection with existing connection active")
        is_earlier = (
            not self.settings.behaviour.refuse_previous_id and self.connections.get(pc_id) is existing
        )
        if existing.pc_id != pc_id and not is_earlier:
            raise web.HTTPBadRequest(text="PC ID mismatch with existing connection")

    def _check_over(self, pc_id: str | None) -> None:
        if pc_id in self._over:
            raise web.HTTPGone(text="The bot has ended this call")

    async def _begin(
        self, offer: SmallWebRTCRequest, session_id: str | None
    ) -> tuple[SmallWebRTCConnection, dict[str, str]]:
        connection = self._new_connection()
        try:
            answer = await connection.answer(offer.sdp, offer.type)
        except BaseException:
            await connection.close("offer not applied")
            raise
        resumes = offer.pc_id is not None and not self.settings.behaviour.start_bot_for_unknown_id
        self._started(connection, Call(session_id, offer.request_data, resumes))
        return connection, answer

    def _new_connection(self) -> SmallWebRTCConnection:
        settings = self.settings
        connection = SmallWebRTCConnection(
            settings.ice_servers,
            settings.connecting_timeout_s,
            number=self._made,
            decode_video=settings.decode_video,
            relay_only=settings.relay_only,
            behaviour=settings.behaviour,
            limits=settings.limits,
            record=self._record,
        )
        self._made += 1
        connection.events.on("closed", lambda: self._forget(connection))
        return connection

    def _name(self, connection: SmallWebRTCConnection, pc_id: str, named: str | None) -> None:
        """Keep a connection under its name, and under older ones as far as faults S1 and S3 go.

        Parameters
        ----------
        named
            How the offer named it. Its client knows this name alone if the answer is lost.
        """
        behaviour = self.settings.behaviour
        if not behaviour.keep_stale_ids:
            for name in self._names_of(connection):
                del self.connections[name]
        if named is not None and not behaviour.refuse_previous_id:
            self.connections[named] = connection
        self.connections[pc_id] = connection

    def _forget(self, connection: SmallWebRTCConnection) -> None:
        self.connections.pop(connection.pc_id, None)
        if not self.settings.behaviour.keep_stale_ids:
            for name in self._names_of(connection):
                del self.connections[name]

    def _names_of(self, connection: SmallWebRTCConnection) -> list[str]:
        return [name for name, kept in self.connections.items() if kept is connection]

    def bot_ended(self, connection: SmallWebRTCConnection) -> None:
        """Take in that a bot has ended its call by itself, so that it is over for its client too.

        With fault S5 the server forgets that at once.
        """
        if not self.settings.behaviour.leave_zombie_after_bot:
            self._over |= dict.fromkeys((*self._names_of(connection), connection.pc_id))
            while len(self._over) > MAX_REMEMBERED_CALLS:
                del self._over[next(iter(self._over))]

    async def candidates(self, patch: SmallWebRTCPatchRequest) -> None:
        """Take in trickled candidates.

        Raises
        ------
        web.HTTPNotFound
            If there is no such connection.
        """
        connection = self.connections.get(patch.pc_id)
        if connection is None:
            raise web.HTTPNotFound(text="Peer connection not found")
        for candidate in patch.candidates:
            await connection.add_candidate(candidate.parsed())

    async def close(self) -> None:
        """Close all connections, with a good-bye where it can still be said."""
        for connection in dict.fromkeys(self.connections.values()):
            with suppress(ConnectionError):
                await connection.disconnect()
            await connection.events.cancel()
        self.connections.clear()
