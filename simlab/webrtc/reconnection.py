"""Carry out what the reconnection policy decides."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from simlab.reconnect.actions import Abandon, CancelAttempt, GiveUp, StartAttempt, Trigger
from simlab.reconnect.alternatives import Alternatives
from simlab.reconnect.decisions import PolicyBrokenError
from simlab.reconnect.terms import Attempt
from simlab.webrtc.errors import TransportStartError
from simlab.webrtc.http import OfferAbortedError, OfferFailedError, OfferRefusedError
from simlab.webrtc.machines import Asked, Machines
from simlab.webrtc.negotiation import Negotiation
from simlab.webrtc.peer import PeerError

if TYPE_CHECKING:
    from simlab.webrtc.peer import Peer
    from simlab.webrtc.transport import SmallWebRTCTransport


class Reconnection:
    """Tell the machine of the policy what happens, and do to the transport what it asks for."""

    def __init__(
        self, transport: "SmallWebRTCTransport", policies: Alternatives, negotiation: Negotiation
    ) -> None:
        self._transport = transport
        self._negotiation = negotiation
        self._record = transport.record
        self._machines = Machines(policies, self._carry_out)
        self._loop = asyncio.get_running_loop()
        self._offering: asyncio.Timeout | None = None
        self._done: asyncio.Event | None = None  # of the last offer
        self._ending: asyncio.Event | None = None  # of an offer that was let go of
        self._old: Peer | None = None  # which the attempt under way is to replace
        self._server_restarts_ice = True

    # What happens

    def ice_changed(self, peer: "Peer") -> None:
        """Take in that the ICE state of a connection has changed; that of the *current* one counts."""
        if peer is self._old and peer.ice_state == "connected":
            self._machines.tell(lambda machine: machine.old_path_healed(self._loop.time()))
        self._state_changed("ice", lambda current: current.ice_state)

    def connection_changed(self, peer: "Peer") -> None:
        """Take in that the connection state of a connection has changed, likewise."""
        self._state_changed("connection", lambda current: current.connection_state)

    def _state_changed(self, watched: str, state_of: "Callable[[Peer], str]") -> None:
        if self._transport.peer is None:
            return
        state = state_of(self._transport.peer)
        self._machines.tell(
            lambda machine: machine.state_changed(state, self._loop.time()),
            lambda policy: policy.watch == watched,
            trigger=state if state in {"disconnected", "failed"} else None,
        )

    def heard(self, peer: "Peer", what: str) -> None:
        """Take in a packet: ``"media"``, or ``"data"`` of the channel."""
        if self._machines.want_packets and peer is self._transport.peer:
            self._machines.heard(what)

    def answered(self) -> None:
        """Take in that an answer was applied."""
        self._machines.tell(lambda machine: machine.answered(self._loop.time()))

    def connected(self, peer: "Peer") -> None:
        """Take in that the channel of a connection is open, or its ICE restarted."""
        if peer is self._transport.peer:
            self._machines.tell(lambda machine: machine.connected(self._loop.time()))

    def renegotiation_asked(self, cause: str = "renegotiate") -> None:
        """Take in that the server asks for a new offer, or that candidates came late."""
        self._record("policy", "trigger", cause=cause)
        self._machines.tell(lambda machine: machine.renegotiation_asked(self._loop.time()))

    def end(self) -> None:
        """Take in that the user disconnected."""
        self._machines.tell(lambda machine: machine.end(), when_closed=True)

    def close(self) -> None:
        """Attempt nothing any more, whatever the policy."""
        self._machines.close()

    # What is done

    async def connect(self) -> None:
        """Make the first offer, and let the policy know how it went.

        Raises
        ------
        PeerError
            If there can be no peer connection.
        """
        self._machines.note(lambda machine: machine.begin())
        self._machines.note(lambda machine: machine.offer_began(self._loop.time()))
        with suppress(OfferAbortedError):
            await self._negotiate(self._transport.start_peer(restart=False))

    async def _negotiate(self, work: Coroutine[Any, Any, None]) -> bool:
        """Let an offer be made and answered, and tell whether it was."""
        done = self._done = asyncio.Event()
        try:
            async with asyncio.timeout(None) as self._offering:
                await work
        except (OfferRefusedError, OfferFailedError) as error:
            self._offering = None
            status = error.status
            self._machines.tell(lambda machine: machine.offer_failed(self._loop.time(), status))
            return False
        except TimeoutError:
            return False  # the machine has let go of it, and knows
        finally:
            done.set()
            if self._done is done:
                self._offering = None
        return True

    async def _attempt(self, attempt: StartAttempt) -> None:
        if self._ending is not None:
            await self._ending.wait()
        # An offer that was aborted belongs to nobody; without a peer connection the machine stays busy (C7).
        with suppress(OfferAbortedError, PeerError):
            await self._make(attempt)

    async def _make(self, attempt: StartAttempt) -> None:
        action = attempt.action
        labels = {"number": attempt.number, "cause": attempt.cause}
        if action is Attempt.RESTART_ICE and await self._restart_ice(labels):
            return
        if action is Attempt.REOFFER:
            self._record_attempt(action, labels, action)
            await self._negotiate(self._negotiation.run(restart=False))
            return
        self._record_attempt(Attempt.RECREATE, labels, action)
        await self._recreate()

    def _record_attempt(self, action: Attempt, labels: dict[str, Any], wanted: Attempt) -> None:
        told: dict[str, Any] = {"number": labels["number"], "action": action.value, "cause": labels["cause"]}
        if action is not wanted:
            told["instead_of"] = wanted.value
        self._record("policy", "attempt", **told)

    async def _restart_ice(self, labels: dict[str, Any]) -> bool:
        """Restart ICE; False if that is impossible, and something else is to be done."""
        peer = self._transport.peer
        if peer is None or not (self._server_restarts_ice and peer.can_restart_ice):
            return False
        self._record_attempt(Attempt.RESTART_ICE, labels, Attempt.RESTART_ICE)
        answered = await self._negotiate(self._negotiation.run(restart=False, restart_ice=True))
        if not answered:
            await peer.roll_back_ice()
            return True
        self._server_restarts_ice = not peer.ice_restart_ignored
        return self._server_restarts_ice

    async def _recreate(self) -> None:
        old = self._old = self._transport.peer
        if old is not None and self._closes_old("first"):
            self._transport.close_peer(old)
        try:
            answered = await self._negotiate(self._transport.start_peer(restart=True))
        finally:
            self._old = None
        if old is None or self._closes_old("first") or old is self._transport.peer:
            return
        if answered or self._closes_old("tried"):
            self._transport.close_peer(old)
        else:
            self._transport.go_back_to(old)
            if old.ice_state == "connected":
                self._machines.tell(lambda machine: machine.state_changed("connected", self._loop.time()))

    def _closes_old(self, when: str) -> bool:
        return bool(self._machines.agreed("close_old") == when)

    async def _give_up(self, action: GiveUp) -> None:
        status = {} if action.status is None else {"status": action.status}
        self._record("policy", "give_up", cause=action.cause, **status)
        if self._machines.agreed("give_up") == "close":
            await self._transport.stop(TransportStartError(action.cause, action.status))

    def _carry_out(self, asked: Asked) -> None:
        if asked.trigger is not None:
            self._record("policy", "trigger", cause=asked.trigger)
        if asked.broken is not None:
            self._break_off(asked.broken)
        for action in asked.actions:
            match action:
                case Trigger():
                    self._record("policy", "trigger", cause=action.cause)
                case Abandon():
                    self._record("policy", "abandon")
                case CancelAttempt():
                    self._cancel()
                case GiveUp():
                    self._cancel()
                    self._transport.spawn(self._give_up(action))
                case StartAttempt():
                    self._transport.spawn(self._attempt(action))
        if asked.wait_until_s is not None:
            at_s = self._record.now_s() + asked.wait_until_s - self._loop.time()
            self._record("policy", "wait", until_s=round(at_s, 6))

    def _break_off(self, error: PolicyBrokenError) -> None:
        """Attempt nothing any more, and tell whoever runs the session; what was raised is told as it was."""
        self.close()
        broken = self._transport.policy_broken
        if not broken.done():
            broken.set_exception(error)
            broken.exception()  # it is told here, and need not be again
            if error.__cause__ is not None:
                self._loop.call_exception_handler({"message": str(error), "exception": error.__cause__})

    def _cancel(self) -> None:
        if self._offering is not None:
            self._offering.reschedule(self._loop.time())
            self._offering, self._ending = None, self._done
