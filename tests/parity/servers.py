"""The published server and ours, behind one face."""

import asyncio
from argparse import Namespace
from contextlib import suppress
from types import SimpleNamespace

import httpx
from aiohttp import web
from aiortc import rtcsctptransport

_CHUNK_BYTES = rtcsctptransport.USERDATA_MAX_LENGTH

from fastapi import FastAPI  # noqa: E402
from loguru import logger  # noqa: E402
from pipecat.runner import run as runner  # noqa: E402
from pipecat.transports.smallwebrtc.request_handler import (  # noqa: E402
    ConnectionMode,
    SmallWebRTCRequestHandler,
)

from simlab.webrtc.handler import HandlerSettings, RequestHandler  # noqa: E402
from simlab.webrtc.routes import Routes  # noqa: E402
from tests.parity.asgi import DetachedTransport  # noqa: E402

# Pipecat changes it for the whole process when it is imported; other tests need it as it was.
rtcsctptransport.USERDATA_MAX_LENGTH = _CHUNK_BYTES
logger.remove()

EVENTS = ("app-message", "track-started", "track-ended", "track-status", "connecting", "connected")
STATES = ("disconnected", "closed", "failed", "new")


class Server:
    """What both have in common: the bots that were started, and what their connections tell."""

    def __init__(self):
        self.bodies = []
        self.told = []
        self.connections = []
        self.over = asyncio.Event()
        self.waits = asyncio.Event()
        self.waits.set()

    def met(self, connection, body, on):
        self.bodies.append(body)
        self.connections.append(connection)
        for name in (*EVENTS, *STATES):
            on(name)(lambda *args, name=name: self.told.append((name, *map(plain, args))))


def plain(value):
    return (
        value if isinstance(value, (str, int, dict, list)) else getattr(value, "kind", type(value).__name__)
    )


class Published(Server):
    """Pipecat's own routes and request handler, with a bot that connects and waits."""

    def __init__(self, record, mode="multiple", esp32=False, host=None):
        super().__init__()
        self._app = FastAPI()
        args = Namespace(
            transport="webrtc", ice_servers=[], esp32=esp32, host=host, downloads_folder=None, whatsapp=False
        )
        made = []

        class Handler(SmallWebRTCRequestHandler):
            def __init__(self, **settings):
                super().__init__(**settings, connection_mode=ConnectionMode(mode))
                made.append(self)

        sessions = {}
        self._restore = (runner._get_bot_module, _swap("SmallWebRTCRequestHandler", Handler))
        runner._get_bot_module = lambda: SimpleNamespace(bot=self._bot)
        runner._setup_webrtc_routes(self._app, args, sessions)
        runner._setup_unified_start_route(self._app, args, sessions)
        [self._handler] = made
        transport = DetachedTransport(self._app)
        self.client = httpx.AsyncClient(transport=transport, base_url="http://published", timeout=None)

    async def _bot(self, args):
        connection = args.webrtc_connection

        def on(name):
            def register(handler):
                connection.add_event_handler(name, lambda _, *given: handler(*given))

            return register

        self.met(connection, args.body, on)
        await self.waits.wait()
        await connection.connect()
        await self.over.wait()

    @property
    def names(self):
        return list(self._handler._pcs_map)

    async def start(self):
        pass

    async def close(self):
        self.over.set()
        runner._get_bot_module = self._restore[0]
        _swap("SmallWebRTCRequestHandler", self._restore[1])
        await self.client.aclose()
        for connection in self.connections:
            # The watchdog of 60 s cancels itself in the middle of closing, which then never ends.
            with suppress(TimeoutError):
                await asyncio.wait_for(connection._close(), 1.0)


def _swap(name, value):
    from pipecat.transports.smallwebrtc import request_handler

    before = getattr(request_handler, name)
    setattr(request_handler, name, value)
    return before


class Ours(Server):
    """Our routes and request handler, with a bot that connects and waits."""

    def __init__(self, record, mode="multiple", esp32=False, host=None):
        super().__init__()
        settings = HandlerSettings(mode=mode, esp32=esp32, esp32_host=host)
        self._handler = RequestHandler(record, self._started, settings)
        self._routes = Routes(self._handler, record)
        self._runner = web.AppRunner(self._routes.application(), access_log=None)
        self.client = httpx.AsyncClient(base_url="http://10.0.0.1:80", timeout=None)

    def _started(self, connection, call):
        def on(name):
            return lambda handler: connection.events.on(name, handler)

        self.met(connection, call.body, on)
        connection.events.spawn(self._bot(connection, call))

    async def _bot(self, connection, call):
        await self.waits.wait()
        await connection.connect()
        await self.over.wait()
        self._routes.end_session(call.session_id)

    @property
    def names(self):
        return list(self._handler.connections)

    async def start(self):
        await self._runner.setup()
        await web.TCPSite(self._runner, "10.0.0.1", 80).start()

    async def close(self):
        self.over.set()
        await asyncio.sleep(0.1)
        await self.client.aclose()
        await self._handler.close()
        for connection in self.connections:
            await connection.close("test over")
            await connection.events.cancel()
        await self._runner.cleanup()
