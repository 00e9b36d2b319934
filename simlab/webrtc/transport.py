"""The client: Pipecat's SmallWebRTC transport, in Python."""

import asyncio
import json
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from aiortc import RTCIceServer
from aiortc.mediastreams import MediaStreamTrack

from simlab.core.timeline import Recorder
from simlab.profile.behaviour import CLIENT_PRESETS, ClientBehaviour
from simlab.reconnect.liveness import ChromiumLiveness
from simlab.reconnect.liveness_model import Liveness
from simlab.reconnect.policy import POLICIES, Policy
from simlab.reconnect.rules import Rules
from simlab.webrtc import messages
from simlab.webrtc.callbacks import Callbacks
from simlab.webrtc.http import OfferEndpoint, RequestParams, TransportStartError
from simlab.webrtc.incoming import IncomingTracks
from simlab.webrtc.media import Source
from simlab.webrtc.negotiation import Negotiation
from simlab.webrtc.peer import Peer
from simlab.webrtc.policies import rules_of
from simlab.webrtc.reconnection import Reconnection

PING_INTERVAL_S = 1.0


class SmallWebRTCTransport:
    """A client that meets a bot over one peer connection, and makes a new one when that goes bad.

    Parameters
    ----------
    ice_servers
        STUN and TURN servers of every peer connection that is made from now on.
    relay_only
        Whether these use relayed candidates alone. A browser's transport has no such option.
    webrtc_request_params
        Where offers go.
    microphone
        What it sends on the audio transceiver; None makes it a session of messages only.
    policy
        What to do about a bad connection.
    liveness
        Makes for each peer connection what finds that its path is bad.
    seed
        Where the policy's own chance comes from.
    behaviour
        Which faults of the published client it has; all of them by default.
    record
        Collects what happens.
    """

    def __init__(
        self,
        *,
        webrtc_request_params: RequestParams,
        ice_servers: Sequence[RTCIceServer] = (),
        relay_only: bool = False,
        microphone: Source | None = None,
        policy: Policy | Rules = POLICIES["pipecat"],
        liveness: Callable[[], Liveness] = ChromiumLiveness,
        seed: int = 0,
        behaviour: ClientBehaviour = CLIENT_PRESETS["pipecat-1.10.8"],
        callbacks: Callbacks | None = None,
        record: Recorder | None = None,
    ) -> None:
        loop = asyncio.get_running_loop()
        self.ice_servers = tuple(ice_servers)
        self.relay_only = relay_only
        self.microphone = microphone
        self.behaviour = behaviour
        self.callbacks = callbacks or Callbacks()
        self.record = record or Recorder(loop.time)
        self.peer: Peer | None = None
        self._state = "disconnected"
        self._made = 0
        self._endpoint = OfferEndpoint(webrtc_request_params)
        self._incoming = IncomingTracks(self.record, self.callbacks, behaviour.drop_new_remote_tracks)
        self._negotiation = Negotiation(self, self._endpoint)
        rules = rules_of(policy, behaviour, seed)
        self._reconnection = Reconnection(self, rules, self._negotiation)
        self._make_liveness = liveness
        self._connecting: asyncio.Future[None] | None = None
        self._opening = False
        self._keep_alive: asyncio.TimerHandle | None = None
        self._peers: set[Peer] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def state(self) -> str:
        """The transport's state: one of Pipecat's words, from ``disconnected`` to ``error``."""
        return self._state

    @state.setter
    def state(self, state: str) -> None:
        if state != self._state:
            self._state = state
            self.record("client", "transport_state", state=state)
            self.callbacks.transport_state_changed(state)

    @property
    def pc_id(self) -> str | None:
        """The server's name for the peer connection, as of the last answer."""
        return self._negotiation.pc_id

    async def connect(self) -> None:
        """Connect, and return when the bot has said that it is ready.

        Raises
        ------
        TransportStartError
            If the connection was given up before.
        """
        self._connecting = asyncio.get_running_loop().create_future()
        self._opening = True
        self.state = "connecting"
        await self._reconnection.connect()
        try:
            await self._connecting
        except TransportStartError:
            self.record("client", "connect", outcome="rejected")
            await self.disconnect()
            raise
        self.record("client", "connect", outcome="resolved")

    async def disconnect(self) -> None:
        """Close the connection. The server learns of it from DTLS alone."""
        self._reconnection.end()
        self.state = "disconnecting"
        await self.stop()
        self.state = "disconnected"

    def send_message(self, message: Any) -> bool:
        """Send a message, or drop it without a word when the channel is not open, as Pipecat's does.

        Returns
        -------
        Whether it was handed to the data channel.
        """
        if self.state != "ready" or self.peer is None or self.peer.channel.readyState != "open":
            return False
        self.peer.channel.send(json.dumps(message))
        return True

    def send_client_message(self, kind: str, data: Any) -> bool:
        """Send an RTVI client message. See ``send_message``."""
        return self.send_message(messages.rtvi("client-message", {"t": kind, "d": data}))

    async def start_peer(self, restart: bool) -> None:
        """Make a new peer connection and negotiate it."""
        self._made += 1
        media = self.microphone is not None
        self.peer = Peer(
            self._made, self.ice_servers, self.record, self, self._make_liveness(), media, self.relay_only
        )
        self._peers.add(self.peer)
        if self.microphone is not None:
            self.peer.slots["audio"].plug(self.microphone)
        await self._negotiation.run(restart)

    def close_peer(self, peer: Peer) -> None:
        """Close a peer connection in the background, with what the published client ends along."""
        if self.behaviour.stop_shared_tracks and self.microphone is not None:
            self.microphone.stop()
        self._incoming.close(peer.number)
        self._peers.discard(peer)
        self.spawn(peer.close(), self._closing)

    def go_back_to(self, old: Peer) -> None:
        """Drop the newest peer connection, and go on with the one that it was to replace."""
        new, self.peer = self.peer, old
        if self.microphone is not None:
            old.slots["audio"].plug(self.microphone)
        if new is not None:
            self._peers.discard(new)
            self.spawn(new.close(), self._closing)

    async def stop(self, error: TransportStartError | None = None) -> None:
        """End the connection, because the user wants to or because it is given up."""
        if self.peer is None:
            return
        if error is not None and not self.behaviour.stay_ready_after_giving_up:
            self.state = "error"
        self.close_peer(self.peer)
        self.peer = None
        if self.microphone is not None:
            self.microphone.stop()
        self._negotiation.reset()
        self.record("client", "callback", name="disconnected")
        self.callbacks.disconnected()
        if self._connecting is not None and not self._connecting.done():
            self._connecting.set_exception(error or TransportStartError("stopped"))
        await asyncio.gather(*self._closing)

    async def release(self) -> None:
        """Free all that the transport holds, also what the published client would leave behind.

        After a ``disconnect`` during an unanswered offer that is a peer connection and a request (C3).
        """
        self._reconnection.close()
        self.channel_closed()
        for task in list(self._tasks):
            task.cancel()
        for peer in list(self._peers):
            self.close_peer(peer)
        await asyncio.gather(*self._closing, *self._tasks, return_exceptions=True)
        await self._endpoint.close()

    def spawn(self, work: Coroutine[Any, Any, None], tasks: set[asyncio.Task[None]] | None = None) -> None:
        """Do something in the background."""
        group = self._tasks if tasks is None else tasks
        task = asyncio.get_running_loop().create_task(work)
        group.add(task)
        task.add_done_callback(group.discard)

    def ice_changed(self, peer: Peer) -> None:
        """Let the policy know that the ICE state of a connection has changed."""
        self._reconnection.ice_changed(peer)

    def connection_changed(self, peer: Peer) -> None:
        """Let the policy know that the connection state of a connection has changed."""
        self._reconnection.connection_changed(peer)

    def heard(self, peer: Peer, what: str) -> None:
        """Let the policy know that something has arrived."""
        self._reconnection.heard(peer, what)

    def restarted(self, peer: Peer) -> None:
        """Let the policy know that ICE is connected again."""
        self._reconnection.connected(peer)

    def stable(self, peer: Peer) -> None:
        """Count an applied answer as a success, as the published client does."""
        if peer is self.peer:
            self._reconnection.answered()

    def track_added(self, peer: Peer, track: MediaStreamTrack) -> None:
        """Get to know a remote track."""
        self._incoming.add(peer.number, track)

    def channel_opened(self, peer: Peer) -> None:
        """Begin to ping, and on the first time become ready."""
        self._reconnection.connected(peer)
        if self._opening:
            self._opening = False
            self._become_ready(peer)
        self._keep_alive = asyncio.get_running_loop().call_later(PING_INTERVAL_S, self._ping, peer)

    def _become_ready(self, peer: Peer) -> None:
        for index, enabled in (
            (messages.AUDIO_INDEX, self.microphone is not None),
            (messages.VIDEO_INDEX, False),
        ):
            peer.channel.send(json.dumps(messages.track_status(index, enabled)))
        self.state = "connected"
        for name, call in (
            ("connected", self.callbacks.connected),
            ("bot_connected", lambda: self.callbacks.bot_connected(self.pc_id)),
        ):
            self.record("client", "callback", name=name)
            call()
        # Ready is said before the bot has said so: connect() alone waits for that.
        self.state = "ready"
        about = {"library": "simlab", "library_version": "0"}
        self.send_message(messages.rtvi("client-ready", {"version": messages.RTVI_VERSION, "about": about}))

    def channel_closed(self) -> None:
        """Stop to ping, on whichever connection, since the timer is one for all."""
        if self._keep_alive is not None:
            self._keep_alive.cancel()
            self._keep_alive = None

    def _ping(self, peer: Peer) -> None:
        if peer.channel.readyState == "open":
            peer.channel.send(messages.ping(time.time()))
        self._keep_alive = asyncio.get_running_loop().call_later(PING_INTERVAL_S, self._ping, peer)

    def message_received(self, text: str | bytes) -> None:
        """Handle a message of the data channel; one that can't be read is dropped."""
        try:
            message = messages.parse(text)
        except ValueError:
            return
        if message.get("type") == messages.SIGNALLING:
            self._signalling(message.get("message") or {})
        elif message.get("label") == messages.RTVI_LABEL:
            self._rtvi(message)

    def _signalling(self, message: dict[str, Any]) -> None:
        if message.get("type") == "renegotiate":
            self._reconnection.renegotiation_asked()
        elif message.get("type") == "peerLeft":
            self.record("client", "callback", name="bot_disconnected")
            self.callbacks.bot_disconnected(self.pc_id)
            self.spawn(self.disconnect())

    def _rtvi(self, message: Any) -> None:
        kind, data = message.get("type"), message.get("data")
        if kind == "bot-ready":
            self.record("client", "bot_ready")
            self.callbacks.bot_ready(data)
            if self._connecting is not None and not self._connecting.done():
                self._connecting.set_result(None)
        elif kind == "server-message":
            self.callbacks.server_message(data)
        elif kind == "error":
            self.callbacks.error(data)
