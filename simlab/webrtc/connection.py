"""The server's end of one client: Pipecat's SmallWebRTCConnection, in simlab's own words."""

import asyncio
import time
import uuid
from collections.abc import Sequence
from typing import Any

from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCDataChannel,
    RTCIceCandidate,
    RTCIceServer,
    RTCIceTransportPolicy,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamTrack
from pydantic import ValidationError

from simlab.core.timeline import Recorder
from simlab.profile.behaviour import SERVER_PRESETS, ServerBehaviour
from simlab.webrtc import messages
from simlab.webrtc.encoded import leave_undecoded
from simlab.webrtc.events import Events
from simlab.webrtc.ice_restart import Answerer
from simlab.webrtc.limits import PIPECAT_SERVER, ServerLimits
from simlab.webrtc.media import Slot
from simlab.webrtc.outbox import Outbox
from simlab.webrtc.remote_track import RemoteTrack
from simlab.webrtc.silence import Silence
from simlab.webrtc.watching import record_states

CONNECTING_TIMEOUT_S = 60.0

AUDIO, VIDEO, SCREEN = 0, 1, 2
"""What the transceivers of a client are for, by their index."""

STATES = ("new", "connecting", "connected", "disconnected", "failed", "closed")
EVENTS = (*STATES, "app-message", "track-started", "track-ended", "track-status")


class SmallWebRTCConnection:
    """A peer connection that can be replaced by a new one when its client asks for a restart.

    Events (``events.on``): ``connecting``, ``connected``, ``disconnected`` (a restart), ``closed``,
    ``failed``, ``new``, ``app-message`` (with the message), ``track-started`` and ``track-ended`` (with the
    track), ``track-status`` (with the index of the transceiver, and whether the client sends on it).

    Parameters
    ----------
    ice_servers
        STUN and TURN servers, or the URLs of some without credentials. None means host candidates alone.
    connecting_timeout_s
        How long the peer connection may be ``connecting`` before it is closed.
    number
        Part of the name: ``SmallWebRTCConnection#0``.
    decode_video
        Whether the client's pictures are decoded; otherwise their tracks give ``EncodedFrame`` objects.
    relay_only
        Whether it uses relayed candidates alone.
    behaviour
        Which faults of the published connection it has; all of them by default.
    limits
        How long it waits for what, and how much it keeps.
    record
        Collects what happens.
    """

    def __init__(
        self,
        ice_servers: Sequence[RTCIceServer | str] = (),
        connecting_timeout_s: float = CONNECTING_TIMEOUT_S,
        *,
        number: int = 0,
        decode_video: bool = True,
        relay_only: bool = False,
        behaviour: ServerBehaviour = SERVER_PRESETS["pipecat-1.14.0"],
        limits: ServerLimits = PIPECAT_SERVER,
        record: Recorder | None = None,
    ) -> None:
        self.events = Events(EVENTS)
        self.behaviour = behaviour
        self.limits = limits
        self._record = record or Recorder(asyncio.get_running_loop().time, lambda _: None)
        self._configuration = RTCConfiguration(
            [RTCIceServer(server) if isinstance(server, str) else server for server in ice_servers],
            bundlePolicy=RTCBundlePolicy.MAX_BUNDLE,
            iceTransportPolicy=RTCIceTransportPolicy.RELAY if relay_only else RTCIceTransportPolicy.ALL,
        )
        self._decode_video = decode_video
        self._connecting_timeout_s = connecting_timeout_s
        self._name = f"SmallWebRTCConnection#{number}"
        self._connect_invoked = False
        self._statuses: dict[int, bool] = {}
        self._make_pc()

    def _make_pc(self) -> None:
        self.pc_id = f"{self._name}-{uuid.uuid4().hex}"
        self.pc = RTCPeerConnection(self._configuration)
        self.slots: dict[str, Slot] = {}
        self._tracks: dict[int, RemoteTrack] = {}
        self._outbox = Outbox(self.limits.channel_timeout_s, self.limits.queued_messages)
        self._last_ping_s: float | None = None
        self._pending: list[Any] = []
        self._watchdog: asyncio.TimerHandle | None = None
        self._silence = Silence(lambda: self._close_later("silent"))
        self._latch: asyncio.TimerHandle | None = None
        self._renegotiating = False
        self._told_closed = False
        if self.behaviour.forget_track_status:
            self._statuses.clear()
        self._ice = Answerer(self.pc, self._ice_restarting)
        record_states(self.pc, self._record, "server", pc_id=self.pc_id)
        self.pc.on("datachannel", self._channel_opened)
        self.pc.on("connectionstatechange", self._state_changed)
        self.pc.on("track", self._track_added)
        self._record("server", "connection_opened", pc_id=self.pc_id)

    async def answer(self, sdp: str, kind: str = "offer") -> dict[str, str]:
        """Apply an offer, and return the answer with all of the server's candidates.

        Parameters
        ----------
        kind
            What the description says that it is. aiortc refuses all but ``"offer"``.
        """
        restarts_ice = await self._ice.offered(sdp)
        await self.pc.setRemoteDescription(RTCSessionDescription(sdp=sdp, type=kind))
        for index, transceiver in enumerate(self.pc.getTransceivers()):
            transceiver.direction = "sendrecv" if index <= VIDEO else "recvonly"
            if transceiver.kind not in self.slots:
                self.slots[transceiver.kind] = Slot(transceiver.kind)
                self.slots[transceiver.kind].follow(transceiver)
                transceiver.sender.replaceTrack(self.slots[transceiver.kind])
            if transceiver.kind == "video" and not self._decode_video:
                leave_undecoded(transceiver.receiver)
        await self.pc.setLocalDescription(await self.pc.createAnswer())
        if restarts_ice:
            self._ice.answered(sdp)
        return {"sdp": self.pc.localDescription.sdp, "type": "answer", "pc_id": self.pc_id}

    def _ice_restarting(self, state: str) -> None:
        self._record("server", "ice_restart", state=state, pc_id=self.pc_id)

    async def renegotiate(self, sdp: str, restart: bool, kind: str = "offer") -> dict[str, str]:
        """Apply a new offer, to a new peer connection if the client asks for a restart."""
        if restart:
            self._emit("disconnected")
            self.pc.remove_all_listeners()
            await self.close("restart")
            self._make_pc()
        answer = await self.answer(sdp, kind)
        loop = asyncio.get_running_loop()
        self._latch = loop.call_later(self.limits.renegotiation_latch_s, self._unlatch)
        return answer

    def _unlatch(self) -> None:
        self._renegotiating = False

    async def connect(self) -> None:
        """Say that the bot is there. Until then, ``connected`` is not told and messages wait."""
        self._connect_invoked = True
        if not self.is_connected():
            return
        self._emit("connected")
        for message in self._pending:
            self.events.emit("app-message", message)
        pictures = [track for index in (VIDEO, SCREEN) if (track := self.track(index)) is not None]
        for track in pictures:
            track.discard_old_frames()
        # The first key frame may have come before anybody read it.
        if pictures:
            self.ask_to_renegotiate()

    def ask_to_renegotiate(self) -> None:
        """Ask the client for a new offer, unless it has been asked already."""
        if not self._renegotiating:
            self._renegotiating = True
            self.send(messages.renegotiate())

    def is_connected(self) -> bool:
        """Tell whether the client was heard of in time: in the last 3 s, as published."""
        if not self._connect_invoked:
            return False
        if self._last_ping_s is None:
            return bool(self.pc.connectionState == "connected")
        return time.time() - self._last_ping_s < self.limits.ping_window_s

    def track(self, index: int) -> RemoteTrack | None:
        """Return what the client sends on a transceiver: 0 microphone, 1 camera, 2 screen."""
        if index not in self._tracks and 0 <= index <= SCREEN:
            for transceiver in self.pc.getTransceivers()[index : index + 1]:
                if transceiver.receiver.track is not None:  # None where the client only receives
                    self._tracks[index] = RemoteTrack(transceiver.receiver, self.is_enabled(index))
        return self._tracks.get(index)

    def is_enabled(self, index: int) -> bool:
        """Tell whether the client sends on a transceiver, as far as the server knows."""
        return self._statuses.get(index, True)

    def send(self, message: Any) -> None:
        """Send a message, or keep it until the channel opens; of too many, the newest are dropped."""
        self._outbox.send(messages.text(message))

    async def add_candidate(self, candidate: RTCIceCandidate | None) -> None:
        """Take in a candidate of the client; None ends them."""
        await self.pc.addIceCandidate(candidate)

    async def disconnect(self) -> None:
        """Say good-bye and close."""
        self.send(messages.peer_left())
        # It leaves in a task of aiortc's, which closing overtakes where there are no media to be ended first.
        await asyncio.sleep(0)
        await self.close("disconnected")

    async def close(self, reason: str) -> None:
        """Close the peer connection."""
        self._release()
        for track in self._tracks.values():
            track.stop()
        self._tell_closed(reason)
        await self._ice.close()
        await self.pc.close()
        self._outbox.close()
        self._pending = []

    def _release(self) -> None:
        """Wait for nothing any more, and send nothing."""
        for timer in (self._watchdog, self._latch):
            if timer is not None:
                timer.cancel()
        self._silence.stop()
        self._outbox.stop_waiting()
        for slot in self.slots.values():
            slot.unplug()

    def _tell_closed(self, reason: str) -> None:
        if not self._told_closed:
            self._told_closed = True
            self._record("server", "connection_closed", pc_id=self.pc_id, reason=reason)

    def _emit(self, name: str) -> None:
        self._record("server", "event", name=name, pc_id=self.pc_id)
        self.events.emit(name)

    def _state_changed(self) -> None:
        state = self.pc.connectionState
        if self._watchdog is not None:
            self._watchdog.cancel()
            self._watchdog = None
        if state == "connecting":
            loop = asyncio.get_running_loop()
            self._watchdog = loop.call_later(self._connecting_timeout_s, self._close_later, "watchdog")
        if state == "connected":
            self._outbox.expect()
            if not self._connect_invoked:
                return
        if state == "closed":
            self._tell_closed("closed")
            self._release()
        self._emit(state)
        if state == "failed":
            self._close_later(state)

    def _close_later(self, reason: str) -> None:
        self.events.spawn(self.close(reason))

    def _channel_opened(self, channel: RTCDataChannel) -> None:
        channel.on("message", self._message_received)
        self._outbox.open(channel)

    def _message_received(self, text: str | bytes) -> None:
        if isinstance(text, str) and text.startswith(messages.PING):
            self._pinged()
            return
        try:
            message = messages.parse(text)
        except ValueError:
            return
        if "type" not in message:
            return
        if message["type"] == messages.SIGNALLING and message.get("message"):
            self._signalling(message["message"])
        elif self.is_connected():
            self.events.emit("app-message", message)
        else:
            self._pending.append(message)  # only connect() looks at these: a stale link loses them

    def _pinged(self) -> None:
        self._last_ping_s = time.time()
        if not self.behaviour.ignore_silence:
            self._silence.broken()

    def _signalling(self, message: Any) -> None:
        try:
            status = messages.TrackStatus.model_validate(message)
        except ValidationError:
            return
        self._statuses[status.receiver_index] = status.enabled
        track = self.track(status.receiver_index)
        if track is not None:
            track.enabled = status.enabled
        self.events.emit("track-status", status.receiver_index, status.enabled)

    def _track_added(self, track: MediaStreamTrack) -> None:
        track.on("ended", lambda: self.events.emit("track-ended", track))
        self.events.emit("track-started", track)
