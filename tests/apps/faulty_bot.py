"""Bots with a bug, each where no code of theirs would see it."""

from aiohttp import web
from aiortc import RTCPeerConnection, RTCSessionDescription, VideoStreamTrack

from tests.apps.aiohttp_bot import Tone, app_with


class Mute(Tone):
    async def recv(self):
        await super().recv()
        raise RuntimeError("no voice")


class Faceless(VideoStreamTrack):
    async def recv(self):
        await super().recv()
        raise RuntimeError("no face")


def _hear(_):
    raise RuntimeError("no ears")


def _app(*tracks, hear=None):
    async def offer(request):
        body, pc = await request.json(), RTCPeerConnection()
        if hear is not None:
            pc.on("datachannel", lambda channel: channel.on("message", hear))
        await pc.setRemoteDescription(RTCSessionDescription(body["sdp"], body["type"]))
        for track in tracks:
            pc.addTrack(track)
        await pc.setLocalDescription(await pc.createAnswer())
        answer = pc.localDescription
        return web.json_response({"sdp": answer.sdp, "type": answer.type, "pc_id": "1"})

    return app_with(offer)


def deaf():
    return _app(hear=_hear)


def broken():
    return 1 / 0


def mute():
    print("I am mute")
    return _app(Mute(), Faceless())
