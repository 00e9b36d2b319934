"""The server's end of one client: Pipecat's SmallWebRTCConnection, in simlab's own words."""

import asyncio
import json
import time
import uuid
from collections.abc import Sequence
from itertools import count
from typing import Any

from aiortc import (
    RTCConfiguration,
    RTCDataChannel,
    RTCIceCandidate,
    RTCIceServer,
    RTCIceTransportPolicy,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamTrack

from simlab.core.timeline import Recorder
from simlab.webrtc import messages
from simlab.webrtc.events import Events
from simlab.webrtc.ice_restart import Answerer
from simlab.webrtc.media import Slot
from simlab.webrtc.watching import record_states

CONNECTING_TIMEOUT_S = 60.0
CHANNEL_TIMEOUT_S = 10.0
PING_WINDOW_S = 3.0
RENEGOTIATION_LATCH_S = 2.0
MAX_QUEUED_MESSAGES = 50


class SmallWebRTCConnection:
    """A peer connection that can be replaced by a new one when its client asks for a restart.

    Events (``events.on``): ``connecting``, ``connected``, ``disconnected`` (a restart), ``closed``,
    ``failed``, ``new``, ``app-message`` (with the message), ``track-started``.

    Parameters
    ----------
    connecting_timeout_s
        How long the peer connection may be ``connecting`` before it is closed.
    relay_only
        Whether it uses relayed candidates alone.
    """

    _numbers = count()

    def __init__(
        self,
        record: Recorder,
        ice_servers: Sequence[RTCIceServer] = (),
        connecting_timeout_s: float = CONNECTING_TIMEOUT_S,
        number: int = 0,
        relay_only: bool = False,
    ) -> None:
        self.events = Events()
        self._record = record
        self._configuration = RTCConfiguration(
            list(ice_servers), RTCIceTransportPolicy.RELAY if relay_only else RTCIceTransportPolicy.ALL
        )
        self._connecting_timeout_s = connecting_timeout_s
        self._name = f"SmallWebRTCConnection#{number}"
        self._connect_invoked = False
        self._make_pc()

    def _make_pc(self) -> None:
        self.pc_id = f"{self._name}-{uuid.uuid4().hex}"
        self.pc = RTCPeerConnection(self._configuration)
        self.slots: dict[str, Slot] = {}
        self.tracks: dict[str, MediaStreamTrack] = {}
        self.enabled: dict[int, bool] = {}
        self._channel: RTCDataChannel | None = None
        self._last_ping_s: float | None = None
        self._outgoing: list[str] | None = []  # None once nobody waits for the channel any more
        self._pending: list[Any] = []
        self._watchdog: asyncio.TimerHandle | None = None
        self._channel_timeout: asyncio.TimerHandle | None = None
        self._renegotiating = False
        self._told_closed = False
        self._ice = Answerer(self.pc, self._ice_restarting)
        record_states(self.pc, self._record, "server", pc_id=self.pc_id)
        self.pc.on("datachannel", self._channel_opened)
        self.pc.on("connectionstatechange", self._state_changed)
        self.pc.on("track", self._track_added)
        self._record("server", "connection_opened", pc_id=self.pc_id)

    async def answer(self, sdp: str) -> dict[str, str]:
        """Apply an offer, and return the answer with all of the server's candidates."""
        restarts_ice = await self._ice.offered(sdp)
        await self.pc.setRemoteDescription(RTCSessionDescription(sdp=sdp, type="offer"))
        for index, transceiver in enumerate(self.pc.getTransceivers()):
            transceiver.direction = "sendrecv" if index < 2 else "recvonly"
            if transceiver.kind not in self.slots:
                self.slots[transceiver.kind] = Slot(transceiver.kind)
                transceiver.sender.replaceTrack(self.slots[transceiver.kind])
        await self.pc.setLocalDescription(await self.pc.createAnswer())
        if restarts_ice:
            self._ice.answered(sdp)
        return {"sdp": self.pc.localDescription.sdp, "type": "answer", "pc_id": self.pc_id}

    def _ice_restarting(self, state: str) -> None:
        self._record("server", "ice_restart", state=state, pc_id=self.pc_id)

    async def renegotiate(self, sdp: str, restart: bool) -> dict[str, str]:
        """Apply a new offer, to a new peer connection if the client asks for a restart."""
        if restart:
            self._emit("disconnected")
            self.pc.remove_all_listeners()
            await self.close("restart")
            self._make_pc()
        answer = await self.answer(sdp)
        asyncio.get_running_loop().call_later(RENEGOTIATION_LATCH_S, self._end_renegotiation)
        return answer

    def _end_renegotiation(self) -> None:
        self._renegotiating = False

    async def connect(self) -> None:
        """Say that the bot is there. Until then, ``connected`` is not told and messages wait."""
        self._connect_invoked = True
        if not self.is_connected():
            return
        self._emit("connected")
        for message in self._pending:
            self.events.emit("app-message", message)
        if "video" in self.tracks:
            self.ask_to_renegotiate()

    def ask_to_renegotiate(self) -> None:
        """Ask the client for a new offer, unless it has been asked already."""
        if not self._renegotiating:
            self._renegotiating = True
            self.send(messages.renegotiate())

    def is_connected(self) -> bool:
        """Tell whether the client was heard of in the last 3 s."""
        if not self._connect_invoked:
            return False
        if self._last_ping_s is None:
            return bool(self.pc.connectionState == "connected")
        return time.time() - self._last_ping_s < PING_WINDOW_S

    def send(self, message: Any) -> None:
        """Send a message, or keep it until the channel opens (50 at most, the newest are dropped)."""
        text = json.dumps(message)
        if self._channel is not None and self._channel.readyState == "open":
            self._channel.send(text)
        elif self._outgoing is not None and len(self._outgoing) < MAX_QUEUED_MESSAGES:
            self._outgoing.append(text)

    async def add_candidate(self, candidate: RTCIceCandidate | None) -> None:
        """Take in a candidate of the client; None ends them."""
        await self.pc.addIceCandidate(candidate)

    async def disconnect(self) -> None:
        """Say good-bye and close."""
        self.send(messages.peer_left())
        await self.close("disconnected")

    async def close(self, reason: str) -> None:
        """Close the peer connection."""
        for timer in (self._watchdog, self._channel_timeout):
            if timer is not None:
                timer.cancel()
        for slot in self.slots.values():
            slot.unplug()
        self._tell_closed(reason)
        await self._ice.close()
        await self.pc.close()
        self._outgoing, self._pending = [], []

    def _tell_closed(self, reason: str) -> None:
        if not self._told_closed:
            self._told_closed = True
            self._record("server", "connection_closed", pc_id=self.pc_id, reason=reason)

    def _emit(self, name: str) -> None:
        self._record("server", "event", name=name, pc_id=self.pc_id)
        self.events.emit(name)

    def _state_changed(self) -> None:
        state = self.pc.connectionState
        loop = asyncio.get_running_loop()
        if self._watchdog is not None:
            self._watchdog.cancel()
            self._watchdog = None
        if state == "connecting":
            self._watchdog = loop.call_later(self._connecting_timeout_s, self._close_later, "watchdog")
        if state == "connected" and self._channel_timeout is None:
            self._channel_timeout = loop.call_later(CHANNEL_TIMEOUT_S, self._channel_missing)
        if state == "connected" and not self._connect_invoked:
            return
        if state == "closed":
            self._tell_closed("closed")
        self._emit(state)
        if state in {"failed", "closed"}:
            self._close_later(state)

    def _close_later(self, reason: str) -> None:
        self.events.spawn(self.close(reason))

    def _channel_missing(self) -> None:
        if self._channel is None or self._channel.readyState != "open":
            self._outgoing = None

    def _channel_opened(self, channel: RTCDataChannel) -> None:
        # The channel of the remote peer is open already when aiortc tells of it.
        self._channel = channel
        channel.on("message", self._message_received)
        if self._channel_timeout is not None:
            self._channel_timeout.cancel()
        waiting, self._outgoing = self._outgoing or [], []
        for text in waiting:
            channel.send(text)

    def _message_received(self, text: str | bytes) -> None:
        if isinstance(text, str) and text.startswith(messages.PING):
            self._last_ping_s = time.time()
            return
        try:
            message = messages.parse(text)
        except ValueError:
            return
        if message.get("type") == messages.SIGNALLING and message.get("message"):
            self._signalling(message["message"])
        elif self.is_connected():
            self.events.emit("app-message", message)
        else:
            self._pending.append(message)  # only connect() looks at these: a stale link loses them

    def _signalling(self, message: Any) -> None:
        if isinstance(message, dict) and message.get("type") == "trackStatus":
            self.enabled[int(message["receiver_index"])] = bool(message["enabled"])

    def _track_added(self, track: MediaStreamTrack) -> None:
        self.tracks[track.kind] = track
        self.events.emit("track-started", track)
