"""An aiortc client that makes offers, and what is comparable in the answers that it gets."""

import asyncio
import json
import re
from contextlib import asynccontextmanager

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.rtcconfiguration import RTCBundlePolicy

OFFER = "/api/offer"
_RANDOM = [
    (r"^(o=- )\d+ \d+", r"\1N N"),
    (r"^(a=ice-(?:ufrag|pwd)):.*", r"\1"),
    (r"^(a=fingerprint:sha-\d+) .*", r"\1"),
    (r"^(m=\w+) \d+", r"\1 N"),
    (r"^(a=candidate:)\S+ (\d) udp \d+ (\S+) \d+", r"\1 \2 \3"),
    (r"^(a=rtcp:)\d+", r"\1N"),
    (r"^(a=ssrc:)\d+ (\w+).*", r"\1 \2"),
    (r"^(a=ssrc-group:\w+) .*", r"\1"),
    (r"^(a=msid:).*", r"\1"),
    (r"^(a=msid-semantic:).*", r"\1"),
]


class Client:
    """One peer connection with what a Pipecat client puts into it."""

    def __init__(self, kinds=("audio", "video"), channel=True):
        configuration = RTCConfiguration([], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
        self.pc = RTCPeerConnection(configuration)
        for kind in kinds:
            self.pc.addTransceiver(kind, direction="sendrecv")
        self.channel = self.pc.createDataChannel("chat", ordered=True) if channel else None
        self.received = []
        if self.channel is not None:
            self.channel.on("message", lambda text: self.received.append(comparable(json.loads(text))))

    async def offer(self):
        await self.pc.setLocalDescription(await self.pc.createOffer())
        return self.pc.localDescription.sdp

    async def join(self, server, **body):
        """Offer, take the answer, and wait until the channel is open or two seconds are over."""
        response = await server.client.post(OFFER, json={"sdp": await self.offer(), "type": "offer", **body})
        answer = response.json()
        await self.pc.setRemoteDescription(RTCSessionDescription(answer["sdp"], answer["type"]))
        await asyncio.sleep(2.0)
        return answer["pc_id"]

    def say(self, message):
        self.channel.send(message if isinstance(message, (str, bytes)) else json.dumps(message))


@asynccontextmanager
async def clients(*made):
    try:
        yield made
    finally:
        for client in made:
            await client.pc.close()


class Names:
    """Give what is random in answers a number each, in order."""

    def __init__(self):
        self._numbers = {}

    def seen(self, response):
        """Return what is comparable in a response: not the type of a plain text, which Pipecat leaves out."""
        if response.headers.get("content-type", "").startswith("application/json"):
            return response.status_code, self.plain(response.json())
        return response.status_code, response.text

    def plain(self, value):
        if isinstance(value, dict):
            return {key: self.plain(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.plain(inner) for inner in value]
        if isinstance(value, str) and value.startswith("v=0"):
            return sdp_lines(value)
        if isinstance(value, str) and re.fullmatch(r"SmallWebRTCConnection#\d+-[0-9a-f]{32}", value):
            return f"pc {self._numbers.setdefault(value, len(self._numbers))}"
        if isinstance(value, str) and re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", value):
            return "a UUID"
        return value


def sdp_lines(sdp):
    lines = sdp.split("\r\n")
    for pattern, plain in _RANDOM:
        lines = [re.sub(pattern, plain, line) for line in lines]
    return lines


def comparable(message):
    return {key: value for key, value in message.items() if key != "id"}
