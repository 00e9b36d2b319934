"""A client on aiortc and aiohttp alone, as its author would write it: it knows nothing of simlab.

It calls, plays a tone, pings, and calls again when its connection has failed.
"""

import asyncio
import json
import time
from contextlib import suppress
from uuid import uuid4

import aiohttp
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

from tests.apps.aiohttp_bot import Tone

PING_S = 1.0
PATIENCE_S = 4.0  # without a sign of the other side
PAUSE_S = 1.0

SEEN = []


async def hear(track, call):
    try:
        while True:
            await track.recv()
            call["heard"] = time.monotonic()
    except MediaStreamError:
        return


async def talk(channel, call):
    while True:
        channel.send(f"ping: {int(time.time() * 1000)}")
        await asyncio.sleep(PING_S)


def greet(channel, call):
    @channel.on("open")
    def opened():
        about = {"version": "1.0.0", "about": {"library": "mine"}}
        hello = {"id": uuid4().hex[:8], "label": "rtvi-ai", "type": "client-ready", "data": about}
        channel.send(json.dumps(hello))
        call["tasks"].append(asyncio.ensure_future(talk(channel, call)))

    @channel.on("message")
    def message(text):
        SEEN.append(text)
        call["heard"] = time.monotonic()


async def offer(url, pc):
    await pc.setLocalDescription(await pc.createOffer())
    local = pc.localDescription
    async with aiohttp.ClientSession() as http:
        asked = {"sdp": local.sdp, "type": local.type}
        async with http.post(url, json=asked, timeout=aiohttp.ClientTimeout(total=5)) as response:
            response.raise_for_status()
            answer = await response.json()
    await pc.setRemoteDescription(RTCSessionDescription(answer["sdp"], answer["type"]))


async def call_once(url, ice_servers):
    """Call, and return when the other side is silent or gone."""
    pc, call = RTCPeerConnection(RTCConfiguration(ice_servers)), {"tasks": []}
    call["heard"] = time.monotonic()
    pc.on("track", lambda track: call["tasks"].append(asyncio.ensure_future(hear(track, call))))
    pc.addTrack(Tone())
    greet(pc.createDataChannel("chat"), call)
    try:
        await offer(url, pc)
        while pc.connectionState not in ("failed", "closed"):
            await asyncio.sleep(0.5)
            if time.monotonic() - call["heard"] > PATIENCE_S:
                return
    finally:
        for task in call["tasks"]:
            task.cancel()
        await pc.close()


async def client(url, ice_servers=()):
    while True:
        with suppress(aiohttp.ClientError, TimeoutError):
            await call_once(url, list(ice_servers))
        await asyncio.sleep(PAUSE_S)


async def telling(url):
    """Call for 4 s, and tell of the messages by failing."""
    calling = asyncio.ensure_future(call_once(url, []))
    await asyncio.sleep(4)
    calling.cancel()
    raise LookupError([json.loads(text).get("type") for text in SEEN])


async def broken(url):
    await asyncio.sleep(1)
    raise ZeroDivisionError(url)


async def cancelled(url):
    """Let out the cancellation of a task of its own."""
    task = asyncio.ensure_future(asyncio.sleep(9))
    asyncio.get_running_loop().call_later(1, task.cancel)
    await task


async def stubborn(url):
    while True:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(1)


async def wanting_servers(url, *, ice_servers):
    raise LookupError(ice_servers)


async def brief(url):
    await asyncio.sleep(1)


async def without_url():
    """Is no client."""


def not_async(url):
    """Is none either."""
