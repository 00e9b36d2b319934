"""An application with Pipecat's routes, unmodified: under uvicorn on the real clock, and in the simulation.

The same client does the same there and here: it calls, hears the bot, asks a route that is not async,
and hangs up.
"""

import asyncio
import re
import subprocess
import sys
import time
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from simlab.live.addresses import gathering_from
from simlab.virtual.code import run_code
from simlab.webrtc.callbacks import Callbacks
from simlab.webrtc.media import is_audible
from simlab.webrtc.request_params import RequestParams
from simlab.webrtc.transport import SmallWebRTCTransport
from tests.live.processes import eventually
from tests.needs import needs_pipecat
from tests.virtual.sessions import scenario

needs_pipecat()

APP = "tests.apps.fastapi_bot:app"
PROJECT = Path(__file__).parents[2]
NETWORK = f'name = "app"\nduration = "30s"\n[link]\ndelay = "20ms"\n[peers]\nserver = "{APP}"\n'
ANNOUNCED = re.compile(r"Uvicorn running on (http://127\.0\.0\.1:\d+)")


async def call(url):
    """Call the bot, hang up once it is heard, and return what the client saw."""
    heard, states, audible = [], [], asyncio.Event()

    def hear(frame):
        heard.append(frame)
        if is_audible(frame):
            audible.set()

    callbacks = Callbacks(
        transport_state_changed=states.append,
        frame_received=hear,
        bot_connected=lambda _: states.append("bot"),
    )
    params = RequestParams(f"{url}/api/offer")
    client = SmallWebRTCTransport(webrtc_request_params=params, callbacks=callbacks)
    began_s = time.time()
    try:
        await asyncio.wait_for(client.connect(), 20.0)
        await asyncio.wait_for(audible.wait(), 20.0)
        async with httpx.AsyncClient(timeout=10.0) as http:
            bots = (await http.get(f"{url}/bots")).json()
        pc_id = client.pc_id
        await client.disconnect()
    finally:
        await client.release()
    return {
        "states": states,
        "pc_id": pc_id,
        "bots": bots,
        "took_s": time.time() - began_s,
        "began_s": began_s,
    }


def in_the_simulation(_):
    """Return what the client saw of a server that reached for no real clock, socket, thread or entropy."""
    found = []

    async def code(place):
        found.append(await call(place.url.removesuffix("/api/offer")))

    timeline = run_code(scenario(NETWORK), code)
    assert list(timeline.select("session", "leak", "failed")) == []
    return found[0]


def under_uvicorn(log):
    """Return what the client saw of a server that ``uvicorn`` runs in a process of its own."""
    command = [sys.executable, "-m", "uvicorn", APP, "--port", "0"]
    with log.open("w") as said, subprocess.Popen(command, cwd=PROJECT, stdout=said, stderr=said) as process:
        try:
            [url] = eventually(lambda: ANNOUNCED.findall(log.read_text()), within_s=60.0)
            with gathering_from(lambda: ["127.0.0.1"]):
                return asyncio.run(call(url))
        finally:
            process.terminate()
            process.wait(20)


@pytest.mark.xdist_group("real")
@pytest.mark.parametrize("met", [in_the_simulation, under_uvicorn])
def test_its_bot_is_met_and_heard(met, tmp_path):
    found = met(tmp_path / "log")
    assert [state for state in found["states"] if state != "bot"] == [
        "initializing",
        "initialized",
        "connecting",
        "connected",
        "ready",
        "disconnecting",
        "disconnected",
    ]
    assert found["states"].count("bot") == 1
    [(pc_id, (named, started_s))] = found["bots"].items()
    assert pc_id == found["pc_id"]
    assert UUID(named).version == 4
    assert 0.0 <= started_s - found["began_s"] <= found["took_s"]
