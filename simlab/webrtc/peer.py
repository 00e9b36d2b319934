"""One peer connection of the client, with what belongs to it."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol

from aioice import Connection
from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCDataChannel,
    RTCIceServer,
    RTCIceTransportPolicy,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamTrack
from aiortc.rtcpeerconnection import add_transport_description
from aiortc.sdp import SessionDescription

from simlab.core.timeline import Recorder
from simlab.reconnect.liveness_model import Liveness
from simlab.webrtc import candidates
from simlab.webrtc.encoded import leave_undecoded
from simlab.webrtc.ice_restart import IceRestart, can_restart, transport_of
from simlab.webrtc.ice_servers import check_ice_servers
from simlab.webrtc.iceserver.refreshing import refresh_as_browsers_do
from simlab.webrtc.liveness import LivenessMonitor
from simlab.webrtc.media import Slot, Source
from simlab.webrtc.watching import record_states

KINDS = ("audio", "video")
GATHERING_LIMIT_S = 2.0
_DEFAULT_MAX_MESSAGE_BYTES = 64 * 1024


class PeerError(Exception):
    """There can be no peer connection, for instance because of a malformed ICE server."""


class PeerEvents(Protocol):
    """What a peer tells the transport that made it."""

    def ice_changed(self, peer: "Peer") -> None:
        """The ICE connection state, as a browser reports it, has changed."""

    def connection_changed(self, peer: "Peer") -> None:
        """The connection state, as a browser reports it, has changed."""

    def heard(self, peer: "Peer", what: str) -> None:
        """A packet of ``"media"`` or of ``"data"`` has arrived."""

    def restarted(self, peer: "Peer") -> None:
        """ICE is connected again after a restart."""

    def stable(self, peer: "Peer") -> None:
        """The signalling state is ``stable`` again: an answer was applied."""

    def channel_opened(self, peer: "Peer") -> None:
        """The data channel is open."""

    def channel_closed(self, peer: "Peer") -> None:
        """The data channel is closed."""

    def message_received(self, text: str | bytes) -> None:
        """A message came on the data channel."""

    def track_added(self, peer: "Peer", track: MediaStreamTrack) -> None:
        """The remote peer has a track."""

    def gathered(self, peer: "Peer", found: list[dict[str, Any]]) -> None:
        """All candidates are known at last, some time after the offer was made."""


class Peer:
    """An RTCPeerConnection with two transceivers, the ``chat`` channel and a liveness monitor.

    Parameters
    ----------
    number
        1 for the first of a session, 2 for the next, and so on.
    media
        False offers the transceivers as inactive, for sessions of messages only: neither side then
        sends RTP or RTCP.
    screen
        Whether there is a third transceiver, for the picture of the screen.
    decode_video
        Whether the bot's pictures are decoded; otherwise its track gives ``EncodedFrame`` objects.
    liveness
        How it finds that the path is bad.
    relay_only
        Whether it uses relayed candidates alone.

    Raises
    ------
    ValueError
        If an ICE server is malformed.
    """

    def __init__(
        self,
        number: int,
        ice_servers: Sequence[RTCIceServer],
        record: Recorder,
        events: PeerEvents,
        liveness: Liveness,
        media: bool = True,
        screen: bool = False,
        decode_video: bool = True,
        relay_only: bool = False,
    ) -> None:
        check_ice_servers(ice_servers)
        self.number = number
        self._record = record
        self._events = events
        self._ice_servers = tuple(ice_servers)
        self._gathering: asyncio.Task[None] | None = None
        self._told_candidates = False
        # One transport for everything, which is what a browser ends up with after the answer.
        policy = RTCIceTransportPolicy.RELAY if relay_only else RTCIceTransportPolicy.ALL
        configuration = RTCConfiguration(list(ice_servers), policy, RTCBundlePolicy.MAX_BUNDLE)
        self.pc = RTCPeerConnection(configuration)
        record_states(self.pc, record, "client", connection=number)
        self.slots = {kind: Slot(kind) for kind in KINDS}
        if screen:
            self.slots["screen"] = Slot("video")
        for kind, slot in self.slots.items():
            direction = "sendonly" if kind == "screen" else "sendrecv"
            slot.follow(self.pc.addTransceiver(slot, direction=direction if media else "inactive"))
        if not decode_video:
            leave_undecoded(self.pc.getTransceivers()[KINDS.index("video")].receiver)
        self.channel: RTCDataChannel = self.pc.createDataChannel("chat", ordered=True)
        self.liveness = LivenessMonitor(
            liveness,
            self._liveness_changed,
            lambda: events.connection_changed(self),
            partial(events.heard, self),
        )
        self.ice_restart_ignored = False
        self._restart: IceRestart | None = None
        self._listen()

    @property
    def ice_state(self) -> str:
        """The ICE connection state as a browser would report it."""
        return "closed" if self.pc.signalingState == "closed" else self.liveness.state

    @property
    def connection_state(self) -> str:
        """The state of the whole connection as a browser would report it."""
        return "closed" if self.pc.signalingState == "closed" else self.liveness.connection_state

    @property
    def can_restart_ice(self) -> bool:
        """Whether there is an ICE connection to restart."""
        return can_restart(self.pc)

    @property
    def max_message_bytes(self) -> int:
        """How large a message the other side takes, once the channel is open."""
        sctp = self.pc.sctp
        return sctp._remote_max_message_size if sctp is not None else _DEFAULT_MAX_MESSAGE_BYTES

    def send(self, kind: str, source: Source | None) -> None:
        """Send what a source gives, as ``audio``, ``video`` or ``screen``; None sends nothing any more."""
        if source is None:
            self.slots[kind].unplug()
        else:
            self.slots[kind].plug(source)

    def _listen(self) -> None:
        on: Callable[..., Any] = self.pc.on
        on("iceconnectionstatechange", self._ice_state_changed)
        on("signalingstatechange", self._signalling_changed)
        on("track", lambda track: self._events.track_added(self, track))
        self.channel.on("open", self._opened)
        self.channel.on("close", self._closed)
        self.channel.on("message", self._events.message_received)
        dtls = self.pc.getTransceivers()[0].receiver.transport
        self.liveness.guard(dtls.transport)
        dtls.on(
            "statechange",
            lambda: self._record("client", "dtls_state", state=dtls.state, connection=self.number),
        )

    def _ice_state_changed(self) -> None:
        if self.pc.iceConnectionState == "completed":
            self.liveness.connected(self._ice)

    @property
    def _ice(self) -> Connection:
        return self.pc.getTransceivers()[0].receiver.transport.transport._connection

    def _liveness_changed(self, state: str) -> None:
        self._record("client", "liveness", state=state, connection=self.number)
        self._events.ice_changed(self)

    def _signalling_changed(self) -> None:
        # An answer to a restart that the server ignores leads nowhere, so it is none.
        if self.pc.signalingState == "stable" and not self.ice_restart_ignored:
            self._events.stable(self)

    def _opened(self) -> None:
        self._record("client", "channel_open", connection=self.number)
        self._events.channel_opened(self)

    def _closed(self) -> None:
        self._record("client", "channel_closed", connection=self.number)
        self._events.channel_closed(self)

    async def offer(self, wait: bool = False, restart_ice: bool = False) -> tuple[str, list[dict[str, Any]]]:
        """Make an offer, and return it, and the candidates that are to be sent besides.

        Parameters
        ----------
        wait
            Wait for all candidates, 2 s at most, and leave them in the offer too. Otherwise those of ICE
            servers come later: see ``PeerEvents.gathered``.
        restart_ice
            Whether it has new ICE credentials and candidates.
        """
        if restart_ice:
            await self._begin_ice_restart()
        offer = await self.pc.createOffer()
        self._gathering = asyncio.get_running_loop().create_task(self.pc.setLocalDescription(offer))
        # Without ICE servers gathering takes no time at all.
        limit_s = None if not self._ice_servers else GATHERING_LIMIT_S if wait else 0.0
        await asyncio.wait([self._gathering], timeout=limit_s)
        if not self._gathering.done():
            self._gathering.add_done_callback(self._gathered_late)
            return _described(offer.sdp, self.pc), []
        self._gathering.result()
        refresh_as_browsers_do(self._ice)
        sdp = self.pc.localDescription.sdp
        return (candidates.without_end(sdp) if wait else candidates.split_off(sdp)[0]), self._found()

    async def _begin_ice_restart(self) -> None:
        await self.roll_back_ice()
        transport = transport_of(self.pc)
        assert transport is not None
        self._restart = IceRestart(transport, self._ice_restarted)
        await self._restart.gather()
        self._told_candidates = False
        self._record("client", "ice_restart", state="begun", connection=self.number)

    def _found(self) -> list[dict[str, Any]]:
        """Return the candidates, once: a second offer of a connection brings no new ones."""
        known, self._told_candidates = self._told_candidates, True
        return [] if known else candidates.split_off(self.pc.localDescription.sdp)[1]

    def _gathered_late(self, gathering: "asyncio.Task[None]") -> None:
        if gathering.cancelled() or gathering.exception() is not None or self.pc.signalingState == "closed":
            return
        refresh_as_browsers_do(self._ice)
        self._events.gathered(self, self._found())

    async def accept(self, sdp: str) -> None:
        """Apply an answer.

        aiortc can't before it has all of its candidates. A browser can: so ICE is ``checking`` from here on.
        """
        gathering, first = self._gathering, self.pc.remoteDescription is None
        late = gathering is not None and not gathering.done()
        if gathering is not None and late:
            gathering.remove_done_callback(self._gathered_late)
            self.liveness.begin()
            await gathering
        restart = self._restart
        self.ice_restart_ignored = restart is not None and not restart.is_answered_by(sdp)
        await self.pc.setRemoteDescription(RTCSessionDescription(sdp=sdp, type="answer"))
        if (
            gathering is not None and late
        ):  # told when the answer, which a browser has applied long since, is dealt with
            asyncio.get_running_loop().call_soon(self._gathered_late, gathering)
        elif first:
            self.liveness.begin()
        elif self.ice_restart_ignored:
            await self.roll_back_ice()
        elif restart is not None:
            restart.start(sdp)
            self.liveness.begin()

    def _ice_restarted(self, connection: Connection) -> None:
        self._restart = None
        self._record("client", "ice_restart", state="connected", connection=self.number)
        self.liveness.connected(connection)
        self._events.restarted(self)

    async def roll_back_ice(self) -> None:
        """Drop a restart of ICE that is under way, and go on as before."""
        restart, self._restart = self._restart, None
        if restart is not None:
            await restart.roll_back()

    async def close(self) -> None:
        """Close the connection, and leave the sources that it sent as they are."""
        self.liveness.stop()
        for slot in self.slots.values():
            slot.unplug()
        await self.roll_back_ice()
        await self.pc.close()
        if self._gathering is not None and not self._gathering.done():
            # It opens sockets to the end, whoever closes them before.
            ice = self.pc.getTransceivers()[0].receiver.transport.transport._connection
            await asyncio.wait([self._gathering])
            await ice.close()


def _described(sdp: str, pc: RTCPeerConnection) -> str:
    """Add to an offer what it says of ICE and DTLS, as the local description will have it in the end."""
    description = SessionDescription.parse(sdp)
    for media in description.media:
        add_transport_description(media, pc.getTransceivers()[0].receiver.transport)
        media.ice_candidates = []
    return candidates.without_end(str(description))
