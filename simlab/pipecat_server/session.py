"""The server's half of a session, on the published ``pipecat-ai``."""

from collections.abc import Callable, Coroutine
from typing import Any

from aiohttp import web
from fastapi import HTTPException
from pipecat.transports.smallwebrtc import connection as pipecat_connection
from pipecat.transports.smallwebrtc.request_handler import (
    SmallWebRTCPatchRequest,
    SmallWebRTCRequest,
)
from pydantic import TypeAdapter, ValidationError

from simlab.core.timeline import Recorder
from simlab.own_server import pipecat_changes
from simlab.pipecat_server.bot import Bot
from simlab.pipecat_server.connections import RequestHandler
from simlab.profile.scenario import Scenario
from simlab.webrtc.ears import EarsOfAll
from simlab.webrtc.http_server import HttpServer
from simlab.webrtc.iceserver.servers import NO_ICE_SERVERS, IceSettings
from simlab.webrtc.routes import OFFER_PATH
from simlab.webrtc.session import ears_of

_Work = Callable[[str], Coroutine[Any, Any, Any]]

# As FastAPI reads the bodies for Pipecat's runner: what has no field of that name is dropped.
_OFFER = TypeAdapter(SmallWebRTCRequest)
_PATCH = TypeAdapter(SmallWebRTCPatchRequest)


class PipecatServerSession:
    """Pipecat's offer endpoint, and a bot for each connection. It does what ``ServerSession`` does.

    Parameters
    ----------
    ears
        Of the server before it, which was killed: what they have measured so far goes on.
    ice
        The STUN and TURN servers that it is told of. Pipecat cannot use relayed candidates alone.
    """

    def __init__(
        self,
        scenario: Scenario,
        record: Recorder,
        ears: EarsOfAll | None = None,
        ice: IceSettings = NO_ICE_SERVERS,
    ) -> None:
        profile = scenario.profile
        self.ears = ears or ears_of(scenario, record)
        self._record = record
        mode = profile.server.mode
        self._handler = RequestHandler(record, mode, lambda: self.ears.here.sent_media.add("sent"))
        self._bots: list[Bot] = []
        app = web.Application()
        app.router.add_post(OFFER_PATH, self._answering(self._offer))
        app.router.add_patch(OFFER_PATH, self._answering(self._candidates))
        self._http = HttpServer(app)

    async def start(self, host: str, port: int) -> None:
        """Listen.

        Raises
        ------
        OSError
            If the port is in use.
        """
        pipecat_changes.take_over()
        await self._http.start(host, port)

    @property
    def port(self) -> int:
        """Where it listens, on the real clock: there port 0 means any free one."""
        return self._http.port

    def finish(self) -> None:
        """Record what is still open."""
        self.ears.finish()

    async def close(self) -> None:
        """Free everything."""
        for bot in self._bots:
            await bot.close()
        await self._handler.close()
        await self._http.close()
        pipecat_changes.put_back()

    async def _start_bot(self, connection: pipecat_connection.SmallWebRTCConnection) -> None:
        self._bots.append(Bot(connection, self._record, self.ears.here))

    async def _offer(self, text: str) -> Any:
        return await self._handler.handle_web_request(_OFFER.validate_json(text), self._start_bot)

    async def _candidates(self, text: str) -> Any:
        await self._handler.handle_patch_request(_PATCH.validate_json(text))
        return {"status": "success"}

    def _answering(self, work: _Work) -> Callable[[web.Request], Coroutine[Any, Any, web.Response]]:
        """Make a route: the status and the body that Pipecat's runner, on FastAPI, would answer with."""

        async def handle(request: web.Request) -> web.Response:
            response = await self._answer(work, request)
            self._record("server", "http", method=request.method, path=request.path, status=response.status)
            return response

        return handle

    async def _answer(self, work: _Work, request: web.Request) -> web.Response:
        try:
            return web.json_response(await work(await request.text()))
        except ValidationError as error:
            detail = error.errors(include_url=False, include_input=False)
            return web.json_response({"detail": detail}, status=422)
        except HTTPException as error:
            return web.json_response({"detail": error.detail}, status=error.status_code)
        except Exception as error:  # whatever fails in Pipecat is its answer 500
            return web.json_response({"detail": f"{type(error).__name__}: {error}"}, status=500)
