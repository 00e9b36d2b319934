"""A bot on aiohttp and aiortc alone: it plays a tone, and says that it is ready."""

import asyncio
import json
from uuid import uuid4

from aiohttp import web
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, MediaStreamError


class Tone(AudioStreamTrack):
    async def recv(self):
        frame = await super().recv()
        for plane in frame.planes:
            plane.update((b"\x00\x20" * 8 + b"\x00\xe0" * 8) * (plane.buffer_size // 32))  # 500 Hz
        return frame


async def hear(track):
    try:
        while True:
            await track.recv()
    except MediaStreamError:
        return


async def offer(request, voice=Tone):
    body, connections = await request.json(), request.app["connections"]
    old = connections.pop(body.get("pc_id"), None)
    if old is not None:
        await old.close()
    pc_id, pc, listening = uuid4().hex, RTCPeerConnection(), []
    connections[pc_id] = pc

    @pc.on("track")
    def track(track):
        listening.append(asyncio.ensure_future(hear(track)))

    @pc.on("datachannel")
    def datachannel(channel):
        @channel.on("message")
        def message(text):
            if text.startswith("{") and json.loads(text).get("type") == "client-ready":
                ready = {"id": json.loads(text)["id"], "label": "rtvi-ai", "type": "bot-ready"}
                channel.send(json.dumps(ready | {"data": {"version": "1.0.0", "about": {}}}))

    await pc.setRemoteDescription(RTCSessionDescription(body["sdp"], body["type"]))
    if voice is not None:
        pc.addTrack(voice())
    await pc.setLocalDescription(await pc.createAnswer())
    answer = pc.localDescription
    return web.json_response({"sdp": answer.sdp, "type": answer.type, "pc_id": pc_id})


async def candidates(_):
    return web.json_response({"status": "success"})


async def close(app):
    for pc in app["connections"].values():
        await pc.close()


def app() -> web.Application:
    return app_with(offer)


def app_with(answering) -> web.Application:
    """Make the application with another answer to offers."""
    made = web.Application()
    made["connections"] = {}
    made.router.add_post("/api/offer", answering)
    made.router.add_patch("/api/offer", candidates)
    made.on_shutdown.append(close)
    return made
