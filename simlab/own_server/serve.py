"""Let an application answer HTTP: an ASGI application through uvicorn, an aiohttp one through its runner."""

import asyncio
import logging
from collections.abc import Awaitable
from contextlib import nullcontext
from typing import Any, Protocol

from aiohttp import web
from aiohttp.log import server_logger

from simlab.core.errors import SessionFailedError
from simlab.own_server.find import Application
from simlab.webrtc.http_server import HttpServer

_LOG = logging.getLogger("uvicorn.error")
_POLL_S = 0.01


class Serving(Protocol):
    """An application that is served."""

    async def start(self, host: str, port: int) -> None:
        """Listen."""

    @property
    def port(self) -> int:
        """Where it listens, on the real clock: there port 0 means any free one."""

    async def close(self) -> None:
        """Stop."""


def serving(application: Application) -> Serving:
    """Make what serves an application."""
    if isinstance(application, web.Application):
        return HttpServer(application, server_logger)  # its own faults, all of them
    return Asgi(application)


class Asgi:
    """Serve an ASGI application with uvicorn, its start-up and shutdown (``lifespan``) included.

    Raises
    ------
    SessionFailedError
        If there is no uvicorn.
    """

    def __init__(self, application: Any) -> None:
        try:
            import uvicorn
        except ModuleNotFoundError:
            raise SessionFailedError(
                "server", "uvicorn, which serves it, is missing: pip install uvicorn"
            ) from None

        self._uvicorn = uvicorn
        self._application = application
        self._serving: asyncio.Task[None] | None = None
        self._fault: Exception | None = None

    async def start(self, host: str, port: int) -> None:
        """Listen.

        Raises
        ------
        OSError
            If it does not start: the port is in use, or its start-up says that it failed.
        Exception
            Whatever its start-up raises.
        """
        config = self._uvicorn.Config(
            self._application,
            host=host,
            port=port,
            http="h11",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=1,
        )
        config.load()
        config.loaded_app = self._noting(config.loaded_app)
        self._server = self._uvicorn.Server(config)
        _LOG.disabled = False
        # Signals are the session's.
        self._server.capture_signals = nullcontext
        self._serving = asyncio.create_task(self._serve())
        while not self._server.started:
            if self._serving.done():
                raise self._why_not_started(self._serving)
            await asyncio.sleep(_POLL_S)

    def _why_not_started(self, serving: "asyncio.Task[None]") -> Exception:
        # An application that raises without a word of failure does without a start-up, as uvicorn has it.
        if self._fault is not None and self._server.lifespan.should_exit:
            return self._fault
        return OSError(f"the application did not start: {_end_of(serving)}")

    def _noting(self, application: Any) -> Any:
        """Return an application of which is known what its start-up raises: uvicorn logs it, and no more."""

        def noting(scope: Any, receive: Any, send: Any) -> Any:
            running = application(scope, receive, send)
            return self._note(running) if scope["type"] == "lifespan" else running

        return noting

    async def _note(self, lifespan: Awaitable[None]) -> None:
        try:
            await lifespan
        except Exception as error:
            self._fault = error
            raise

    async def _serve(self) -> None:
        try:
            await self._server.serve()
        except SystemExit:
            # It is how uvicorn ends a process whose application did not start; its log has the reason.
            if self._server.started:
                raise

    @property
    def port(self) -> int:
        """See ``Serving``."""
        return int(self._server.servers[0].sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop."""
        if self._serving is not None:
            _LOG.disabled = True  # a request that the end of the session cuts short is no news
            self._server.should_exit = True
            await asyncio.gather(self._serving, return_exceptions=True)


def _end_of(serving: "asyncio.Task[None]") -> str:
    error = None if serving.cancelled() else serving.exception()
    return "see its log" if error is None else f"{type(error).__name__}: {error}"
