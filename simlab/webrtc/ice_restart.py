"""Restart ICE under a running DTLS transport, which aiortc itself cannot do.

``RTCIceTransport.start`` works once, and a later offer's credentials are ignored. But all that DTLS uses of
it are the attributes ``_recv`` and ``_send``. So a second ``aioice.Connection`` gathers, is described by the
next offer or answer, and is connected beside the first one, which goes on until then (RFC 8445 section 9).
Both put what they receive into one queue; when the second one is connected, sending moves over to it and the
first is closed a little later. DTLS, SRTP and SCTP notice nothing.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from aioice.ice import Connection
from aiortc import RTCPeerConnection
from aiortc.rtcicetransport import RTCIceTransport
from aiortc.sdp import SessionDescription

CONNECT_TIMEOUT_S = 30.0
"""When a restart that does not connect ends everything, as the loss of consent does (RFC 7675)."""

OLD_KEPT_S = 3.0
"""How long the old connection still receives, since the other side may use it a little longer (RFC 8445
section 8.3)."""

_SETTINGS = ("stun_server", "turn_server", "turn_username", "turn_password", "turn_ssl", "turn_transport")


def transport_of(pc: RTCPeerConnection) -> RTCIceTransport | None:
    """Return the ICE transport of a peer connection that bundles; None where it has none."""
    transceivers = pc.getTransceivers()
    if transceivers:
        return transceivers[0].receiver.transport.transport
    return None if pc.sctp is None else pc.sctp.transport.transport


def can_restart(pc: RTCPeerConnection) -> bool:
    """Tell whether there is a connection whose ICE could be restarted."""
    transport = transport_of(pc)
    return pc.signalingState != "closed" and transport is not None and transport.state == "completed"


def credentials_of(sdp: str) -> tuple[str, str]:
    """Return user name fragment and password of a description's first section."""
    ice = SessionDescription.parse(sdp).media[0].ice
    assert ice is not None
    return str(ice.usernameFragment), str(ice.password)


class IceRestart:
    """One restart of a transport's ICE: gather, tell, connect; or go back.

    Parameters
    ----------
    connected
        Called with the new connection once it carries everything.
    """

    def __init__(self, transport: RTCIceTransport, connected: Callable[[Connection], None]) -> None:
        self.old: Connection = transport._connection
        self.new: Connection | None = None
        self._transport = transport
        self._connected = connected
        self._end_was_told = transport.iceGatherer._remote_candidates_end
        self._connecting: asyncio.Task[None] | None = None
        transport.on("statechange", self._state_changed)

    async def gather(self) -> None:
        """Gather candidates; from here on descriptions have the new credentials."""
        settings = {name: getattr(self.old, name) for name in _SETTINGS}
        new = Connection(
            ice_controlling=self.old.ice_controlling, transport_policy=self.old._transport_policy, **settings
        )
        await new.gather_candidates()
        new._queue = self.old._queue
        self.new = new
        self._use(new, self.old, end_was_told=False)

    def _use(self, connection: Connection, instead_of: Connection, *, end_was_told: bool) -> None:
        self._transport._connection = connection
        self._transport.iceGatherer._connection = connection
        self._transport.iceGatherer._remote_candidates_end = end_was_told
        # The transport waits for the end of its connection: from now on of this one.
        connection._event_waiter, instead_of._event_waiter = instead_of._event_waiter, None

    def _state_changed(self) -> None:
        if self._transport.state == "closed":
            if self._connecting is not None:
                self._connecting.cancel()
            self._closing = asyncio.get_running_loop().create_task(self._close_both())

    async def _close_both(self) -> None:
        for connection in (self.old, self.new):
            if connection is not None and connection is not self._transport._connection:
                await _close_quietly(connection)

    async def roll_back(self) -> None:
        """Go on with the old connection alone."""
        if self._connecting is not None:
            self._connecting.cancel()
        new, self.new = self.new, None
        if new is None or self._transport.state == "closed":
            return
        self._use(self.old, new, end_was_told=self._end_was_told)
        await _close_quietly(new)

    def is_answered_by(self, sdp: str) -> bool:
        """Tell whether the other side has restarted too: its credentials are new then."""
        return credentials_of(sdp)[0] != self.old.remote_username

    def start(self, sdp: str) -> None:
        """Connect, with the credentials of the other side's description."""
        assert self.new is not None
        self.new.remote_username, self.new.remote_password = credentials_of(sdp)
        # The restart itself now decides how long the connection lives.
        _stop_consent(self.old)
        self._connecting = asyncio.get_running_loop().create_task(self._connect(self.new))

    async def _connect(self, new: Connection) -> None:
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await new.connect()
        except (TimeoutError, ConnectionError):
            self._connecting = None
            await self.roll_back()
            await self.old.close()
            return
        transport: Any = self._transport
        transport._recv, transport._send = new.recv, new.send
        self.new = None
        self._connected(new)
        await asyncio.sleep(OLD_KEPT_S)
        await _close_quietly(self.old)


def _stop_consent(connection: Connection) -> None:
    if connection._query_consent_task is not None:
        connection._query_consent_task.cancel()


async def _close_quietly(connection: Connection) -> None:
    """Close a connection without a word to whoever reads from the queue that it shares."""
    connection._queue = asyncio.Queue()
    with suppress(ConnectionError):
        await connection.close()


class Answerer:
    """Notice on the answering side that an offer restarts ICE, and restart too.

    Parameters
    ----------
    noticed
        Called when a restart begins, and when it is done: ``"begun"``, ``"connected"``.
    """

    def __init__(self, pc: RTCPeerConnection, noticed: Callable[[str], None]) -> None:
        self._pc = pc
        self._noticed = noticed
        self._restart: IceRestart | None = None

    async def offered(self, sdp: str) -> bool:
        """Take in an offer before it is applied, and tell whether it restarts ICE."""
        transport = transport_of(self._pc)
        if transport is None or not can_restart(self._pc):
            return False
        if credentials_of(sdp)[0] == transport._connection.remote_username:
            return False
        if self._restart is not None:
            await self._restart.roll_back()
        self._restart = IceRestart(transport, lambda _: self._done())
        await self._restart.gather()
        self._noticed("begun")
        return True

    def answered(self, offer: str) -> None:
        """Connect, once the answer to that offer is set as the local description."""
        assert self._restart is not None
        self._restart.start(offer)

    def _done(self) -> None:
        self._restart = None
        self._noticed("connected")

    async def close(self) -> None:
        """Drop a restart that is under way."""
        if self._restart is not None:
            await self._restart.roll_back()
            self._restart = None
