"""Carry out what the reconnection policy decides."""

import asyncio
from typing import TYPE_CHECKING

from simlab.reconnect.policy import Policy
from simlab.reconnect.reconnector import Action, Attempt, GiveUp, Reconnector, StartAttempt
from simlab.webrtc.errors import TransportStartError
from simlab.webrtc.http import OfferAbortedError, OfferFailedError, OfferRefusedError
from simlab.webrtc.negotiation import Negotiation
from simlab.webrtc.peer import PeerError

if TYPE_CHECKING:
    from simlab.webrtc.transport import SmallWebRTCTransport


class Reconnection:
    """Drive a reconnector: its timers on the loop, its actions on the transport."""

    def __init__(self, transport: "SmallWebRTCTransport", policy: Policy, negotiation: Negotiation) -> None:
        self._transport = transport
        self._negotiation = negotiation
        self._record = transport.record
        self._machine = Reconnector(policy)
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._due_s: float | None = None

    def state_changed(self, state: str) -> None:
        """Take in the ICE state of the current connection."""
        if state in {"disconnected", "failed"}:
            self._record("policy", "trigger", cause=state)
        self._do(self._machine.state_changed(state, self._loop.time()))

    def answered(self) -> None:
        """Take in that an answer was applied."""
        self._machine.answered()

    def renegotiation_asked(self, cause: str = "renegotiate") -> None:
        """Take in that the server asks for a new offer, or that candidates came late."""
        self._record("policy", "trigger", cause=cause)
        self._do(self._machine.renegotiation_asked())

    def begin(self) -> None:
        """Attempt again what is to be attempted, after ``end``: a new ``connect`` begins."""
        self._machine.begin()
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._due_s = None, None
        self._arm()

    def end(self) -> None:
        """Attempt nothing any more."""
        self._machine.end()
        if self._timer is not None:
            self._timer.cancel()

    async def negotiate(self, restart: bool, recreate: bool) -> None:
        """Negotiate a new or the present connection, and let the policy know how it went."""
        try:
            if recreate:
                await self._transport.start_peer(restart)
            else:
                await self._negotiation.run(restart)
        except OfferRefusedError as error:
            self._do(self._machine.offer_refused(error.status, self._loop.time()))
        except OfferAbortedError:
            return
        except OfferFailedError:
            self._machine.offer_failed(self._loop.time())
            self._arm()

    async def _attempt(self, attempt: StartAttempt) -> None:
        self._record(
            "policy", "attempt", number=attempt.number, action=attempt.action.value, cause=attempt.cause
        )
        if attempt.action is Attempt.REOFFER:
            await self.negotiate(restart=False, recreate=False)
            return
        old = self._transport.peer
        try:
            await self.negotiate(restart=True, recreate=True)
        except PeerError:
            return  # and the machine stays busy for ever (C7)
        if old is not None and old is not self._transport.peer:
            self._transport.close_peer(old)

    async def _give_up(self, action: GiveUp) -> None:
        status = {} if action.status is None else {"status": action.status}
        self._record("policy", "give_up", cause=action.cause, **status)
        await self._transport.stop(TransportStartError(action.cause, action.status))

    def _do(self, actions: list[Action]) -> None:
        for action in actions:
            work = self._give_up(action) if isinstance(action, GiveUp) else self._attempt(action)
            self._transport.spawn(work)
        self._arm()

    def _arm(self) -> None:
        due_s = self._machine.next_timer_s()
        if due_s == self._due_s and self._timer is not None:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._due_s = None, due_s
        if due_s is not None:
            until_s = self._record.now_s() + due_s - self._loop.time()
            self._record("policy", "wait", until_s=round(until_s, 6))
            self._timer = self._loop.call_at(due_s, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._do(self._machine.handle_timer(self._loop.time()))
