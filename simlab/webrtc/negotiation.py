"""Offer, answer, and candidates that trickle, as the published client sends them."""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from simlab.webrtc import messages
from simlab.webrtc.http import OfferAbortedError, OfferEndpoint, OfferFailedError, OfferRefusedError
from simlab.webrtc.sdp_codecs import only_codecs

if TYPE_CHECKING:
    from simlab.webrtc.peer import Peer
    from simlab.webrtc.transport import SmallWebRTCTransport


class Negotiation:
    """Negotiate the transport's current peer connection.

    Candidates wait for a window of time and for the first answer ever, then go in one PATCH under whatever
    ``pc_id`` is known by then. So those of a re-created connection go out under the old one while its
    offer is still unanswered (hole C11), and those of a lost PATCH are gone.
    """

    def __init__(self, transport: "SmallWebRTCTransport", endpoint: OfferEndpoint) -> None:
        self.pc_id: str | None = None
        self.waits = False  # for an answer
        self._transport = transport
        self._endpoint = endpoint
        self._record = transport.record
        self._behaviour = transport.behaviour
        self._queue: list[dict[str, Any]] = []
        self._may_trickle = False
        self._window: asyncio.TimerHandle | None = None

    def reset(self) -> None:
        """Forget the server."""
        self.pc_id = None
        self._queue.clear()
        self._may_trickle = False

    async def run(self, restart: bool, restart_ice: bool = False) -> None:
        """Offer the current peer connection and apply the answer.

        Parameters
        ----------
        restart
            Whether the server is to make a new connection, too.
        restart_ice
            Whether the offer has new ICE credentials and candidates.

        Raises
        ------
        OfferRefusedError, OfferFailedError
            If there was none.
        OfferAbortedError
            If the client was disconnected meanwhile.
        """
        peer = self._transport.peer
        if peer is None:
            raise OfferFailedError("no peer connection")
        sdp, candidates = await peer.offer(self._transport.wait_for_ice_gathering, restart_ice)
        sdp = only_codecs(sdp, self._transport.codecs)
        if restart and not self._behaviour.trickle_under_old_id:
            self._may_trickle = False
            self._queue.clear()
        self.trickle(candidates)
        labels = {"connection": peer.number}
        self._record("client", "offer", **labels, restart=restart, pc_id=self.pc_id)
        try:
            await self._exchange(peer, messages.offer(sdp, self.pc_id, restart))
        except (OfferRefusedError, OfferFailedError) as error:
            status_or_error = {"error": str(error)} if error.status is None else {"status": error.status}
            self._record("client", "offer_failed", **labels, **status_or_error)
            if self._behaviour.trickle_after_failed_offer:
                self._may_trickle = True
                await self._flush()
            raise
        except asyncio.CancelledError:
            self._record("client", "offer_failed", **labels, error="let go")
            raise
        self._may_trickle = True
        await self._flush()

    async def _exchange(self, peer: "Peer", offer: dict[str, Any]) -> None:
        """Send an offer, and apply its answer."""
        self.waits = True
        try:
            status, answer = await self._endpoint.post_offer(offer)
        finally:
            self.waits = False
        if self._transport.peer is not peer and not self._behaviour.keep_late_answer:
            raise OfferAbortedError
        self.pc_id = answer["pc_id"]
        self._record("client", "answer", connection=peer.number, status=status, pc_id=self.pc_id)
        await self._apply(answer)

    async def _apply(self, answer: Mapping[str, Any]) -> None:
        # Whichever connection is the current one by now, as published.
        current = self._transport.peer
        if current is None:
            raise OfferFailedError("stopped meanwhile")
        if answer["type"] != "answer" or not isinstance(answer["sdp"], str):
            raise OfferFailedError("invalid answer")
        try:
            await current.accept(answer["sdp"])
        except Exception as error:  # whatever the stack says of an answer that it can't apply
            raise OfferFailedError(f"answer not applied: {error}") from error

    def trickle(self, candidates: list[dict[str, Any]]) -> None:
        """Send candidates when the time has come."""
        self._queue += candidates
        if candidates and self._window is None:
            loop = asyncio.get_running_loop()
            self._window = loop.call_later(self._transport.limits.trickle_window_s, self._window_ended)

    def _window_ended(self) -> None:
        self._window = None
        self._transport.spawn(self._flush())

    async def _flush(self) -> None:
        if not self._queue or not self._may_trickle or self._transport.peer is None:
            return
        candidates, self._queue = self._queue, []
        labels = {"connection": self._transport.peer.number}
        self._record("client", "trickle", **labels, candidates=len(candidates), pc_id=self.pc_id)
        try:
            status = await self._endpoint.patch_candidates(messages.trickle(self.pc_id, candidates))
        except OfferFailedError as error:
            self._record("client", "trickle_failed", **labels, error=str(error))
        else:
            if status != 200:
                self._record("client", "trickle_failed", **labels, status=status)
