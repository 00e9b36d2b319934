"""A client and a server in the virtual world, without a profile: for what a profile can't say."""

import asyncio
import contextvars
from contextlib import asynccontextmanager

from aiohttp import web

from simlab.core.timeline import Recorder
from simlab.virtual.hosts import current_host
from simlab.webrtc.callbacks import Callbacks
from simlab.webrtc.handler import RequestHandler
from simlab.webrtc.request_params import RequestParams
from simlab.webrtc.routes import Routes
from simlab.webrtc.transport import SmallWebRTCTransport

CLIENT, SERVER, PORT = "10.0.0.1", "10.0.0.2", 8000
OFFERS = f"http://{SERVER}:{PORT}/api/offer"
START = RequestParams(f"http://{SERVER}:{PORT}/start", {"x-key": "7"}, {"body": {"a": 1}})


def on_server(work):
    """Do something on the server's host, and return its task."""
    context = contextvars.copy_context()
    context.run(current_host.set, SERVER)
    return asyncio.get_running_loop().create_task(work, context=context)


async def serve(app):
    """Serve an application on the server's host, and return its runner."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await on_server(runner.setup())
    await on_server(web.TCPSite(runner, SERVER, PORT).start())
    return runner


@asynccontextmanager
async def bot_server(**events):
    """Serve bots that answer ``client-ready``; ``events`` are handlers of each connection's events.

    Gives the list of connections.
    """
    record = Recorder(asyncio.get_running_loop().time)
    connections = []

    def started(connection, _):
        connections.append(connection)

        def heard(message):
            if message.get("type") == "client-ready":
                connection.send({"id": message["id"], "label": "rtvi-ai", "type": "bot-ready", "data": READY})

        connection.events.on("app-message", heard)
        for name, handler in events.items():
            name = name.replace("_", "-")
            connection.events.on(name, lambda *args, h=handler: h(connection, *args))
        connection.events.spawn(connection.connect())

    handler = RequestHandler(record, started)
    runner = await serve(Routes(handler, record).application())
    try:
        yield connections
    finally:
        await handler.close()
        await runner.cleanup()


READY = {"version": "2.1.0", "about": {"library": "test"}}


class Log(list):
    """What a client's callbacks were called with, in order."""

    def __init__(self):
        super().__init__()
        names = [name for name in Callbacks.__dataclass_fields__ if name != "frame_received"]
        self.callbacks = Callbacks(**{name: self._noting(name) for name in names})

    def _noting(self, name):
        return lambda *args: self.append((name, *args))

    def names(self):
        return [name for name, *_ in self]

    def steps(self):
        """Return the names of all that it was told, and the states in the place of theirs."""
        return [name if name != "transport_state_changed" else args[0] for name, *args in self]

    def states(self):
        return [args[0] for name, *args in self if name == "transport_state_changed"]


@asynccontextmanager
async def client(log=None, **options):
    """Make a client that is released in the end."""
    options = {"webrtc_request_params": RequestParams(OFFERS)} | options
    callbacks = log.callbacks if log is not None else None
    transport = SmallWebRTCTransport(callbacks=callbacks, **options)
    try:
        yield transport
    finally:
        await transport.release()
