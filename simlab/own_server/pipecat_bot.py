"""A bot as Pipecat's runner runs it, ``async def bot(runner_args)``, behind routes for offers."""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib.util import find_spec
from typing import Any
from uuid import uuid4

Bot = Callable[[Any], Awaitable[None]]
_NEEDED = ("pipecat", "fastapi", "uvicorn")


def is_bot(found: Any) -> bool:
    """Tell whether something is an async function that is called with one argument."""
    if not inspect.iscoroutinefunction(found):
        return False
    try:
        inspect.signature(found).bind("runner_args")
    except TypeError:
        return False
    return True


def missing() -> list[str]:
    """Return the packages that such a bot needs and that are not there."""
    return [name for name in _NEEDED if find_spec(name) is None]


def application_of(bot: Bot) -> Any:
    """Return an application that runs a bot for each connection, as ``pipecat.runner.run.main`` does."""
    from fastapi import BackgroundTasks, FastAPI
    from pipecat.runner.types import SmallWebRTCRunnerArguments
    from pipecat.transports.smallwebrtc.request_handler import (
        SmallWebRTCPatchRequest,
        SmallWebRTCRequest,
        SmallWebRTCRequestHandler,
    )

    handler = SmallWebRTCRequestHandler()

    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        yield
        await handler.close()

    app = FastAPI(lifespan=lifespan)

    async def offer(request: SmallWebRTCRequest, background: BackgroundTasks) -> Any:
        async def begin(connection: Any) -> None:
            arguments = SmallWebRTCRunnerArguments(
                webrtc_connection=connection, body=request.request_data, session_id=str(uuid4())
            )
            background.add_task(bot, arguments)

        return await handler.handle_web_request(request=request, webrtc_connection_callback=begin)

    async def candidates(request: SmallWebRTCPatchRequest) -> dict[str, str]:
        await handler.handle_patch_request(request)
        return {"status": "success"}

    app.post("/api/offer")(offer)
    app.patch("/api/offer")(candidates)
    return app
