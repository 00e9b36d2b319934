"""Which connection an offer belongs to, and the HTTP routes that bring it."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal

from aiohttp import web
from aiortc import RTCIceCandidate, RTCIceServer
from aiortc.sdp import candidate_from_sdp
from pydantic import BaseModel, ConfigDict, ValidationError

from simlab.core.timeline import Recorder
from simlab.webrtc.connection import SmallWebRTCConnection

OFFER_PATH = "/api/offer"

Handle = Callable[[web.Request], Awaitable[web.Response]]


class Offer(BaseModel):
    """The body of ``POST /api/offer``. As in Pipecat, a camel-case ``requestData`` is dropped."""

    model_config = ConfigDict(extra="ignore")
    sdp: str
    type: str
    pc_id: str | None = None
    restart_pc: bool | None = None
    request_data: Any = None


class Candidate(BaseModel):
    """One candidate of ``PATCH /api/offer``."""

    candidate: str
    sdp_mid: str
    sdp_mline_index: int

    def parsed(self) -> RTCIceCandidate | None:
        """Return what aiortc takes: None, the end of candidates, for an empty one."""
        if not self.candidate:
            return None
        candidate = candidate_from_sdp(self.candidate.split(":", 1)[1])
        candidate.sdpMid, candidate.sdpMLineIndex = self.sdp_mid, self.sdp_mline_index
        return candidate


class Candidates(BaseModel):
    """The body of ``PATCH /api/offer``."""

    pc_id: str
    candidates: list[Candidate]


class RequestHandler:
    """Keep the connections by their ``pc_id``, as Pipecat's request handler does.

    Parameters
    ----------
    mode
        ``"single"`` refuses an offer for another connection while there is one.
    started
        Called with each new connection, to start its bot.
    """

    def __init__(
        self,
        record: Recorder,
        started: Callable[[SmallWebRTCConnection], None],
        mode: Literal["single", "multiple"] = "multiple",
        ice_servers: Sequence[RTCIceServer] = (),
        *,
        relay_only: bool = False,
    ) -> None:
        self.connections: dict[str, SmallWebRTCConnection] = {}
        self._record = record
        self._started = started
        self._mode = mode
        self._ice_servers = ice_servers
        self._relay_only = relay_only
        self._made = 0

    async def offer(self, offer: Offer) -> dict[str, str]:
        """Answer an offer, on the connection that it names or on a new one.

        Raises
        ------
        web.HTTPBadRequest
            In single mode, if there is another connection.
        """
        self._check_mode(offer.pc_id)
        connection = self.connections.get(offer.pc_id or "")
        if connection is not None:
            answer = await connection.renegotiate(offer.sdp, bool(offer.restart_pc))
        else:
            connection = self._new_connection()
            answer = await connection.answer(offer.sdp)
            self._started(connection)
        # A restart leaves the entry of the old name behind: Pipecat does (hole S1).
        self.connections[answer["pc_id"]] = connection
        return answer

    def _check_mode(self, pc_id: str | None) -> None:
        if self._mode == "multiple" or not self.connections:
            return
        existing = next(iter(self.connections.values()))
        if not pc_id:
            raise web.HTTPBadRequest(text="Cannot create new connection with existing connection active")
        if existing.pc_id != pc_id:
            raise web.HTTPBadRequest(text="PC ID mismatch with existing connection")

    def _new_connection(self) -> SmallWebRTCConnection:
        connection = SmallWebRTCConnection(
            self._record, self._ice_servers, number=self._made, relay_only=self._relay_only
        )
        self._made += 1

        def forget() -> None:
            self.connections.pop(connection.pc_id, None)

        connection.events.on("closed", forget)
        return connection

    async def candidates(self, patch: Candidates) -> None:
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
        """Close all connections."""
        for connection in dict.fromkeys(self.connections.values()):
            await connection.close("server closed")
            await connection.events.cancel()
        self.connections.clear()


def application(connections: RequestHandler, record: Recorder) -> web.Application:
    """Return a web application with the offer endpoint.

    Status: 200; 422 for a body that lacks something; 404 for an unknown connection; 400 where single
    mode forbids it; 500 for an offer that can't be applied.
    """

    async def post(request: web.Request) -> web.Response:
        return web.json_response(await connections.offer(Offer.model_validate_json(await request.text())))

    async def patch(request: web.Request) -> web.Response:
        await connections.candidates(Candidates.model_validate_json(await request.text()))
        return web.json_response({"status": "success"})

    # Not a middleware of aiohttp: it keeps the last thousand applications that have any.
    def answering_errors(handle: Handle) -> Handle:
        async def handle_and_record(request: web.Request) -> web.Response:
            response = await _answer(handle, request)
            record("server", "http", method=request.method, path=request.path, status=response.status)
            return response

        return handle_and_record

    app = web.Application()
    app.router.add_post(OFFER_PATH, answering_errors(post))
    app.router.add_patch(OFFER_PATH, answering_errors(patch))
    return app


async def _answer(handle: Handle, request: web.Request) -> web.Response:
    """Turn what is wrong with a request into the status that says so."""
    try:
        return await handle(request)
    except ValidationError as error:
        detail = error.errors(include_url=False, include_input=False)
        return web.json_response({"detail": detail}, status=422)
    except web.HTTPException as error:
        return web.json_response({"detail": error.text}, status=error.status)
    except Exception as error:  # any fault of an offer is the server's answer 500
        return web.json_response({"detail": f"{type(error).__name__}: {error}"}, status=500)
