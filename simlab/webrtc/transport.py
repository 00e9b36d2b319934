"""The client: Pipecat's SmallWebRTC client and transport, in Python."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any

from aiortc import RTCIceServer
from aiortc.mediastreams import MediaStreamTrack

from simlab.core.timeline import Recorder
from simlab.profile.behaviour import CLIENT_PRESETS, ClientBehaviour
from simlab.reconnect.alternatives import Alternatives
from simlab.reconnect.liveness import ChromiumLiveness
from simlab.reconnect.liveness_model import Liveness
from simlab.reconnect.policy import POLICIES, Policy
from simlab.reconnect.rules import Rules
from simlab.webrtc.callbacks import Callbacks, bot_participant
from simlab.webrtc.calls import ClientCalls
from simlab.webrtc.errors import RTVIError, TransportStartError
from simlab.webrtc.http import OfferEndpoint, OfferFailedError
from simlab.webrtc.incoming import IncomingTracks
from simlab.webrtc.limits import PIPECAT_CLIENT, ClientLimits
from simlab.webrtc.media_manager import MediaManager
from simlab.webrtc.negotiation import Negotiation
from simlab.webrtc.peer import Peer, PeerError
from simlab.webrtc.peers import Peers
from simlab.webrtc.policies import alternatives_of
from simlab.webrtc.reconnection import Reconnection
from simlab.webrtc.request_params import RequestParams, connection_params, resolve
from simlab.webrtc.synthetic import SyntheticMedia

logger = logging.getLogger(__name__)


class SmallWebRTCTransport(ClientCalls):
    """A client that meets a bot over one peer connection, and makes a new one when that goes bad.

    It is the published transport together with the published client that uses it. ``docs/client.md`` has the
    JavaScript names of everything.

    Parameters
    ----------
    ice_servers
        STUN and TURN servers of every peer connection that is made from now on.
    relay_only
        Whether these use relayed candidates alone. A browser's transport has no such option.
    wait_for_ice_gathering
        Wait up to 2 s for all candidates before each offer, and offer again when the last of them come while
        ICE is still checking.
    webrtc_request_params, webrtc_url, connection_url
        Where offers go; the first counts that is given. The others are deprecated.
    audio_codec, video_codec
        The one codec to offer, by its name in SDP; None or ``"default"`` offers all.
    media_manager
        Who gives it media; by default a tone and a test picture.
    offer_url_template
        Where the offers of a session go, with ``:sessionId`` in it, after ``start_bot``.
    ice_config
        Accepted and ignored, as the published one does; in ``connect`` it counts.
    enable_mic, enable_cam
        Whether it begins with them on.
    disconnect_on_bot_disconnect
        Whether the bot's good-bye ends the connection.
    decode_video
        Whether the bot's pictures are decoded; otherwise ``frame_received`` is given ``EncodedFrame``
        objects, which costs much less.
    policy
        What to do about a bad connection.
    liveness
        Makes for each peer connection what finds that its path is bad.
    seed
        Where the policy's own chance comes from.
    behaviour
        Which faults of the published client it has; all of them by default.
    limits
        How often it pings, and how long it collects candidates.
    record
        Collects what happens.
    """

    def __init__(
        self,
        *,
        ice_servers: Sequence[RTCIceServer] = (),
        relay_only: bool = False,
        wait_for_ice_gathering: bool = False,
        webrtc_request_params: RequestParams | None = None,
        webrtc_url: str | None = None,
        connection_url: str | None = None,
        audio_codec: str | None = None,
        video_codec: str | None = None,
        media_manager: MediaManager | None = None,
        offer_url_template: str | None = None,
        ice_config: object = None,
        enable_mic: bool = True,
        enable_cam: bool = False,
        disconnect_on_bot_disconnect: bool = True,
        decode_video: bool = True,
        policy: Policy | Rules | Alternatives = POLICIES["pipecat"],
        liveness: Callable[[], Liveness] = ChromiumLiveness,
        seed: int = 0,
        behaviour: ClientBehaviour = CLIENT_PRESETS["pipecat-1.10.8"],
        limits: ClientLimits = PIPECAT_CLIENT,
        callbacks: Callbacks | None = None,
        record: Recorder | None = None,
    ) -> None:
        request = resolve(webrtc_request_params, webrtc_url, connection_url, None)
        super().__init__(
            endpoint=OfferEndpoint(request, can_abort=not behaviour.leak_pending_offer),
            media_manager=media_manager or SyntheticMedia(),
            enable_mic=enable_mic,
            enable_cam=enable_cam,
            behaviour=behaviour,
            limits=limits,
            callbacks=callbacks or Callbacks(),
            record=record or Recorder(asyncio.get_running_loop().time),
        )
        self.ice_servers: Sequence[RTCIceServer] = tuple(ice_servers)
        self.relay_only = relay_only
        self.wait_for_ice_gathering = wait_for_ice_gathering
        self.codecs = {"audio": audio_codec, "video": video_codec}
        self._offer_url_template = offer_url_template
        self._leaves_with_bot = disconnect_on_bot_disconnect
        self._incoming = IncomingTracks(self.record, self.callbacks, behaviour.drop_new_remote_tracks)
        self._negotiation = Negotiation(self, self._endpoint)
        self._reconnection = Reconnection(self, alternatives_of(policy, behaviour, seed), self._negotiation)
        self._peers = Peers(self, liveness, decode_video)
        self._opened: asyncio.Future[None] | None = None
        self._bot_ready: asyncio.Future[Any] | None = None
        self._left_unanswered = False
        # Never done but by rules of the user's own that fail, which PolicyBrokenError then tells.
        self.policy_broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def pc_id(self) -> str | None:
        """The server's name for the peer connection, as of the last answer."""
        return self._negotiation.pc_id

    async def connect(self, params: Any = None) -> Any:
        """Connect, and return what the bot says of itself when it is ready; there is no time limit.

        Parameters
        ----------
        params
            A mapping, over what the client was made with: ``webrtc_request_params``, ``webrtc_url``,
            ``connection_url``, ``ice_config`` with ``iceServers``, ``session_id`` after ``start_bot``; camel
            case will do. A ``RequestParams`` is the deprecated form of ``start_bot_and_connect``.

        Raises
        ------
        TransportStartError
            If nobody has said where offers go, or if the connection was given up before the bot was ready.
        PeerError
            If there can be no peer connection, for instance because of a malformed ICE server.
        RTVIError
            If the parameters are no mapping.
        BotAlreadyStartedError
            If the client is started already.
        """
        self._refuse_if_started("connect")
        if isinstance(params, RequestParams):
            logger.warning("connect() with a request is deprecated. Use start_bot_and_connect() instead.")
            return await self.start_bot_and_connect(params)
        loop = asyncio.get_running_loop()
        self._bot_ready = bot_ready = loop.create_future()
        await self._make_devices_ready()
        try:
            await self._open(params)
        except (RTVIError, PeerError):
            self.record("client", "connect", outcome="rejected")
            await self.disconnect()
            raise
        data = await bot_ready
        self.record("client", "connect", outcome="resolved")
        return data

    async def _open(self, params: Any) -> None:
        """Do what ``connect`` does until the data channel is open."""
        self._left_unanswered = False
        given = connection_params(params, self._endpoint.params, self._start, self._offer_url_template)
        self.state = "connecting"
        self.ice_servers = self.ice_servers if given.ice_servers is None else given.ice_servers
        self._endpoint.params = given.request or self._endpoint.params
        if self._endpoint.params is None:
            self.state = "error"
            raise TransportStartError
        await self.media_manager.connect()
        self._opened = opened = asyncio.get_running_loop().create_future()
        # Whoever disconnects while the offer waits finds nobody here who would hear of it.
        opened.add_done_callback(lambda done: done.cancelled() or done.exception())
        await self._reconnection.connect()
        if self._left_unanswered and self.behaviour.leak_pending_offer:
            # The published client goes on here where it was when it was disconnected, and says `ready`; the
            # next connect() is then refused.
            self.state = "ready"
        else:
            await opened

    async def disconnect(self) -> None:
        """Close the connection. The server learns of it from DTLS alone."""
        self._left_unanswered = self._negotiation.waits
        self._reconnection.end()
        self._endpoint.abort()
        self.state = "disconnecting"
        await self.stop()
        if not self.behaviour.leak_pending_offer:
            self._close_all_peers()
        self.state = "disconnected"
        self._conversation.dispatcher.disconnect()
        # Shielded: a disconnect that is cut off must not cut off the closing, which would leave threads.
        await asyncio.shield(asyncio.gather(*self._peers.closing))

    async def start_peer(self, restart: bool) -> None:
        """Make a new peer connection and negotiate it.

        Raises
        ------
        PeerError
            If there can be none, or its media can't be had; a restart then leaves the client busy (C7).
        OfferRefusedError, OfferFailedError
            If it was not negotiated.
        """
        try:
            self.peer = self._peers.make()
            for kind, source in self.tracks().items():
                self.peer.send(kind, source)
        except Exception as error:
            self.record("client", "peer_failed", connection=self._peers.made, error=str(error))
            if restart and not self.behaviour.stay_busy_after_exception:
                raise OfferFailedError(f"no peer connection: {error}") from error
            raise PeerError(str(error)) from error
        await self._negotiation.run(restart)

    def close_peer(self, peer: Peer) -> None:
        """Close a peer connection in the background, with what the published client ends along."""
        if peer not in self._peers:
            return
        if self.behaviour.stop_shared_tracks:
            for source in self.tracks().values():
                source.stop()
        self._incoming.close(peer.number)
        self._peers.close(peer)

    def _close_all_peers(self) -> None:
        for peer in self._peers.all:
            self.close_peer(peer)

    def go_back_to(self, old: Peer) -> None:
        """Drop the newest peer connection, and go on with the one that it was to replace."""
        if self.peer is None:  # disconnected meanwhile
            self.close_peer(old)
            return
        new, self.peer = self.peer, old
        for kind, source in self.tracks().items():
            old.send(kind, source)
        self._peers.close(new)

    async def stop(self, error: TransportStartError | None = None) -> None:
        """End the connection, because the user wants to or because it is given up."""
        if self.peer is None:
            return
        if error is not None and not self.behaviour.stay_ready_after_giving_up:
            self.state = "error"
        self.close_peer(self.peer)
        self.peer = None
        await self.media_manager.disconnect()
        self._negotiation.reset()
        self._conversation.forget_waiting()
        self._tell("disconnected")
        if self._opened is not None and not self._opened.done():
            self._opened.set_exception(error or TransportStartError())

    async def release(self) -> None:
        """Free all that the transport holds, also what the published client would leave behind.

        After a ``disconnect`` during an unanswered offer that is a peer connection and a request (C3).
        """
        self._reconnection.close()
        self._endpoint.abort()
        self._conversation.release()
        for task in list(self._tasks):
            task.cancel()
        self._close_all_peers()
        await asyncio.gather(*self._peers.closing, *self._tasks, return_exceptions=True)
        await self.media_manager.disconnect()
        await self._endpoint.close()

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

    def gathered(self, peer: Peer, found: list[dict[str, Any]]) -> None:
        """Send candidates that come late, or offer again with all of them if the client waits for them."""
        self._negotiation.trickle(found)
        if self.wait_for_ice_gathering and peer is self.peer and peer.ice_state == "checking":
            self._reconnection.renegotiation_asked("gathering")

    def channel_opened(self, peer: Peer) -> None:
        """Become ready the first time; say hello again later, unless that is forgotten (C10, C15)."""
        self._reconnection.connected(peer)
        self._conversation.opened(peer)
        if self._opened is not None and not self._opened.done():
            self._opened.set_result(None)
            self._conversation.send_track_states(peer)
            self._become_ready()
        elif peer is self.peer:
            self._announce_reconnection(peer)
            self._conversation.send_waiting(peer)

    def _become_ready(self) -> None:
        self.state = "connected"
        self._tell("connected")
        self._tell("bot_connected", bot_participant(self.pc_id))
        # Ready is said before the bot has said so: connect() alone waits for that.
        self.state = "ready"
        self._conversation.greet()

    def _announce_reconnection(self, peer: Peer) -> None:
        if not self.behaviour.forget_to_announce_reconnection:
            self._conversation.send_track_states(peer)
            self.state = "connected"
            self._tell("connected")
            self._tell("bot_connected", bot_participant(self.pc_id))
            self.state = "ready"
        if not self.behaviour.greet_first_bot_only:
            self._conversation.greet()

    def channel_closed(self, peer: Peer) -> None:
        """Stop to ping."""
        self._conversation.closed(peer)

    def message_received(self, text: str | bytes) -> None:
        """Handle a message of the data channel."""
        self._conversation.received(text)

    def signalled(self, message: Any) -> None:
        """Handle what the server's transport says."""
        kind = message.get("type") if isinstance(message, dict) else None
        if kind == "renegotiate":
            self._reconnection.renegotiation_asked()
        elif kind == "peerLeft":
            self._tell("bot_disconnected", bot_participant(self.pc_id))
            if self._leaves_with_bot:
                self.spawn(self.disconnect())

    def bot_ready(self, data: Any) -> None:
        """Take in that the bot is ready."""
        self.record("client", "bot_ready")
        if self._bot_ready is not None and not self._bot_ready.done():
            self._bot_ready.set_result(data)
        self.callbacks.bot_ready(data)
