"""An application as its author would write it: Pipecat's routes on FastAPI, and a bot that says hello.

It knows nothing of simlab, and runs under uvicorn as it stands: ``uvicorn tests.apps.fastapi_bot:app``.
"""

import asyncio
import time
from contextlib import asynccontextmanager
from uuid import uuid4

from fastapi import BackgroundTasks, FastAPI
from pipecat.frames.frames import EndFrame, OutputAudioRawFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineTask
from pipecat.transports.base_transport import TransportParams
from pipecat.transports.smallwebrtc.connection import SmallWebRTCConnection
from pipecat.transports.smallwebrtc.request_handler import (
    SmallWebRTCPatchRequest,
    SmallWebRTCRequest,
    SmallWebRTCRequestHandler,
)
from pipecat.transports.smallwebrtc.transport import SmallWebRTCTransport

RATE_HZ = 24000
SPEECH = b"\x00\x20\x00\xe0" * (RATE_HZ // 10)  # 200 ms of a buzz

handler = SmallWebRTCRequestHandler()
started_at = {}


async def speak(task):
    while True:
        await task.queue_frame(OutputAudioRawFrame(SPEECH, RATE_HZ, 1))
        await asyncio.sleep(0.2)


async def run_bot(connection: SmallWebRTCConnection):
    transport = SmallWebRTCTransport(
        webrtc_connection=connection,
        params=TransportParams(audio_in_enabled=True, audio_out_enabled=True, audio_out_sample_rate=RATE_HZ),
    )
    task = PipelineTask(Pipeline([transport.input(), transport.output()]), idle_timeout_secs=None)
    speaking = asyncio.create_task(speak(task))

    @transport.event_handler("on_client_disconnected")
    async def disconnected(_, __):
        speaking.cancel()
        await task.queue_frame(EndFrame())

    await PipelineRunner(handle_sigint=False).run(task)


@asynccontextmanager
async def lifespan(_):
    yield
    await handler.close()


app = FastAPI(lifespan=lifespan)


@app.post("/api/offer")
async def offer(request: SmallWebRTCRequest, background: BackgroundTasks):
    async def begin(connection):
        started_at[connection.pc_id] = (str(uuid4()), time.time())
        background.add_task(run_bot, connection)

    return await handler.handle_web_request(request, begin)


@app.patch("/api/offer")
async def candidates(request: SmallWebRTCPatchRequest):
    await handler.handle_patch_request(request)
    return {"status": "success"}


@app.get("/bots")
def bots():  # not async, so FastAPI calls it in a thread of anyio's
    return started_at
