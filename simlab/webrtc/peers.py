"""The peer connections of a client, of which one is the current one."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from simlab.reconnect.liveness_model import Liveness
from simlab.webrtc.peer import Peer

if TYPE_CHECKING:
    from simlab.webrtc.transport import SmallWebRTCTransport


class Peers:
    """Make peer connections for a transport, and close them in the background.

    Parameters
    ----------
    transport
        Is told what happens to them.
    liveness
        Makes for each what finds that its path is bad.
    decode_video
        Whether the bot's pictures are decoded.
    """

    def __init__(
        self, transport: "SmallWebRTCTransport", liveness: Callable[[], Liveness], decode_video: bool
    ) -> None:
        self.made = 0
        self.closing: set[asyncio.Task[None]] = set()
        self._transport = transport
        self._make_liveness = liveness
        self._decode_video = decode_video
        self._open: set[Peer] = set()

    def __contains__(self, peer: Peer) -> bool:
        """Tell whether one is neither closed nor being closed."""
        return peer in self._open

    @property
    def all(self) -> list[Peer]:
        """Those that are neither closed nor being closed, from the oldest on."""
        return sorted(self._open, key=lambda peer: peer.number)

    def make(self) -> Peer:
        """Return another, with the transport's ICE servers and media as they are now.

        Raises
        ------
        ValueError
            If an ICE server is malformed.
        """
        self.made += 1
        transport = self._transport
        peer = Peer(
            self.made,
            transport.ice_servers,
            transport.record,
            transport,
            self._make_liveness(),
            media=transport.media_manager.has_media,
            screen=transport.media_manager.supports_screen_share,
            decode_video=self._decode_video,
            relay_only=transport.relay_only,
        )
        self._open.add(peer)
        return peer

    def close(self, peer: Peer) -> None:
        """Close one in the background: see ``closing``."""
        self._open.discard(peer)
        self._transport.spawn(peer.close(), self.closing)
