"""One peer connection of the client, with what belongs to it."""

from collections.abc import Callable, Sequence
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

from simlab.core.timeline import Recorder
from simlab.reconnect.liveness_model import Liveness
from simlab.webrtc import candidates
from simlab.webrtc.ice_restart import IceRestart, can_restart, transport_of
from simlab.webrtc.iceserver.refreshing import refresh_as_browsers_do
from simlab.webrtc.liveness import LivenessMonitor
from simlab.webrtc.media import Slot
from simlab.webrtc.watching import record_states

KINDS = ("audio", "video")


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

    def channel_closed(self) -> None:
        """The data channel is closed."""

    def message_received(self, text: str | bytes) -> None:
        """A message came on the data channel."""

    def track_added(self, peer: "Peer", track: MediaStreamTrack) -> None:
        """The remote peer has a track."""


class Peer:
    """An RTCPeerConnection with two transceivers, the ``chat`` channel and a liveness monitor.

    Parameters
    ----------
    number
        1 for the first of a session, 2 for the next, and so on.
    media
        False offers the transceivers as inactive, for sessions of messages only: neither side then
        sends RTP or RTCP.
    liveness
        How it finds that the path is bad.
    relay_only
        Whether it uses relayed candidates alone.
    """

    def __init__(
        self,
        number: int,
        ice_servers: Sequence[RTCIceServer],
        record: Recorder,
        events: PeerEvents,
        liveness: Liveness,
        media: bool = True,
        relay_only: bool = False,
    ) -> None:
        self.number = number
        self._record = record
        self._events = events
        # One transport for everything, which is what a browser ends up with after the answer.
        policy = RTCIceTransportPolicy.RELAY if relay_only else RTCIceTransportPolicy.ALL
        configuration = RTCConfiguration(list(ice_servers), policy, RTCBundlePolicy.MAX_BUNDLE)
        self.pc = RTCPeerConnection(configuration)
        record_states(self.pc, record, "client", connection=number)
        self.slots = {kind: Slot(kind) for kind in KINDS}
        for slot in self.slots.values():
            self.pc.addTransceiver(slot, direction="sendrecv" if media else "inactive")
        self.channel: RTCDataChannel = self.pc.createDataChannel("chat", ordered=True)
        self.liveness = LivenessMonitor(
            liveness,
            self._liveness_changed,
            lambda: events.connection_changed(self),
            lambda what: events.heard(self, what),
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
        self._events.channel_closed()

    async def offer(self, restart_ice: bool = False) -> tuple[str, list[dict[str, Any]]]:
        """Make an offer, and return it without its candidates, and these.

        Parameters
        ----------
        restart_ice
            Whether it has new ICE credentials and candidates.
        """
        if restart_ice:
            await self.roll_back_ice()
            transport = transport_of(self.pc)
            assert transport is not None
            self._restart = IceRestart(transport, self._ice_restarted)
            await self._restart.gather()
            self._record("client", "ice_restart", state="begun", connection=self.number)
        await self.pc.setLocalDescription(await self.pc.createOffer())
        refresh_as_browsers_do(self._ice)
        return candidates.split_off(self.pc.localDescription.sdp)

    async def accept(self, sdp: str) -> None:
        """Apply an answer."""
        first = self.pc.remoteDescription is None
        restart = self._restart
        self.ice_restart_ignored = restart is not None and not restart.is_answered_by(sdp)
        await self.pc.setRemoteDescription(RTCSessionDescription(sdp=sdp, type="answer"))
        if first:
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
