"""Carry out what the reconnection policy decides."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from math import inf
from typing import TYPE_CHECKING, Any

from simlab.reconnect.actions import Abandon, Action, CancelAttempt, GiveUp, StartAttempt, Trigger
from simlab.reconnect.reconnector import Reconnector
from simlab.reconnect.rules import Rules
from simlab.reconnect.terms import Attempt
from simlab.webrtc.errors import TransportStartError
from simlab.webrtc.http import OfferAbortedError, OfferFailedError, OfferRefusedError
from simlab.webrtc.negotiation import Negotiation
from simlab.webrtc.peer import PeerError

if TYPE_CHECKING:
    from simlab.webrtc.peer import Peer
    from simlab.webrtc.transport import SmallWebRTCTransport


class Reconnection:
    """Drive a reconnector: its timers on the loop, its actions on the transport."""

    def __init__(self, transport: "SmallWebRTCTransport", rules: Rules, negotiation: Negotiation) -> None:
        self._transport = transport
        self._negotiation = negotiation
        self._record = transport.record
        self._machine = Reconnector(rules)
        self._policy = rules.terms
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._due_s: float | None = None
        self._told_wait_s: float | None = None
        self._closed = False
        self._offering: asyncio.Timeout | None = None
        self._done: asyncio.Event | None = None  # of the last offer
        self._ending: asyncio.Event | None = None  # of an offer that was let go of
        self._old: Peer | None = None  # which the attempt under way is to replace
        self._server_restarts_ice = True
        self._wants_packets = self._policy.silence_s < inf or self._policy.missed_pings > 0

    # What happens

    def ice_changed(self, peer: "Peer") -> None:
        """Take in that the ICE state of a connection has changed; that of the *current* one counts."""
        if peer is self._old and peer.ice_state == "connected":
            self._do(self._machine.old_path_healed(self._loop.time()))
        if self._policy.watch == "ice":
            self._state_changed(lambda current: current.ice_state)

    def connection_changed(self, peer: "Peer") -> None:
        """Take in that the connection state of a connection has changed, likewise."""
        if self._policy.watch == "connection":
            self._state_changed(lambda current: current.connection_state)

    def _state_changed(self, state_of: "Callable[[Peer], str]") -> None:
        if self._transport.peer is None:
            return
        state = state_of(self._transport.peer)
        if state in {"disconnected", "failed"}:
            self._record("policy", "trigger", cause=state)
        self._do(self._machine.state_changed(state, self._loop.time()))

    def heard(self, peer: "Peer", what: str) -> None:
        """Take in a packet: ``"media"``, or ``"data"`` of the channel."""
        if self._wants_packets and peer is self._transport.peer:
            self._machine.heard(what, self._loop.time())
            self._arm()

    def answered(self) -> None:
        """Take in that an answer was applied."""
        self._do(self._machine.answered(self._loop.time()))

    def connected(self, peer: "Peer") -> None:
        """Take in that the channel of a connection is open, or its ICE restarted."""
        if peer is self._transport.peer:
            self._do(self._machine.connected(self._loop.time()))

    def renegotiation_asked(self, cause: str = "renegotiate") -> None:
        """Take in that the server asks for a new offer, or that candidates came late."""
        self._record("policy", "trigger", cause=cause)
        self._do(self._machine.renegotiation_asked(self._loop.time()))

    def end(self) -> None:
        """Take in that the user disconnected."""
        self._machine.end()
        self._arm()

    def close(self) -> None:
        """Attempt nothing any more, whatever the policy."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()

    # What is done

    async def connect(self) -> None:
        """Make the first offer, and let the policy know how it went.

        Raises
        ------
        PeerError
            If there can be no peer connection.
        """
        self._machine.begin()
        self._machine.offer_began(self._loop.time())
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
            self._do(self._machine.offer_failed(self._loop.time(), error.status))
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
            await self._carry_out(attempt)

    async def _carry_out(self, attempt: StartAttempt) -> None:
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
        if old is not None and self._policy.close_old == "first":
            self._transport.close_peer(old)
        try:
            answered = await self._negotiate(self._transport.start_peer(restart=True))
        finally:
            self._old = None
        if old is None or self._policy.close_old == "first" or old is self._transport.peer:
            return
        if answered or self._policy.close_old == "tried":
            self._transport.close_peer(old)
        else:
            self._transport.go_back_to(old)
            if old.ice_state == "connected":
                self._do(self._machine.state_changed("connected", self._loop.time()))

    async def _give_up(self, action: GiveUp) -> None:
        status = {} if action.status is None else {"status": action.status}
        self._record("policy", "give_up", cause=action.cause, **status)
        if self._policy.give_up == "close":
            await self._transport.stop(TransportStartError(action.cause, action.status))

    def _do(self, actions: list[Action]) -> None:
        if self._closed:
            return
        for action in actions:
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
        self._arm()

    def _cancel(self) -> None:
        if self._offering is not None:
            self._offering.reschedule(self._loop.time())
            self._offering, self._ending = None, self._done

    def _arm(self) -> None:
        self._tell_wait(self._machine.next_wait_s())
        due_s = self._machine.next_timer_s()
        if due_s == self._due_s and self._timer is not None:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._due_s = None, due_s
        if due_s is not None:
            self._timer = self._loop.call_at(due_s, self._tick)

    def _tell_wait(self, until_s: float | None) -> None:
        if until_s is not None and until_s != self._told_wait_s:
            at_s = self._record.now_s() + until_s - self._loop.time()
            self._record("policy", "wait", until_s=round(at_s, 6))
        self._told_wait_s = until_s

    def _tick(self) -> None:
        self._timer = None
        self._do(self._machine.handle_timer(self._loop.time()))
