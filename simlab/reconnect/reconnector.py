"""The state machine that carries out a policy: events and times in, actions and times out."""

import heapq
from dataclasses import dataclass
from enum import StrEnum
from itertools import count

from simlab.reconnect.policy import Policy


class Attempt(StrEnum):
    """What an attempt does."""

    RECREATE = "recreate"  # a new peer connection on both sides
    REOFFER = "reoffer"  # a new offer on the same peer connection


@dataclass(frozen=True)
class StartAttempt:
    """Make an attempt now."""

    number: int
    action: Attempt
    cause: str


@dataclass(frozen=True)
class GiveUp:
    """Stop the transport for good.

    Parameters
    ----------
    cause
        ``"attempts exhausted"`` or ``"offer refused"``.
    status
        The HTTP status of the refusal, where there was one.
    """

    cause: str
    status: int | None = None


Action = StartAttempt | GiveUp


@dataclass(frozen=True, order=True)
class _Timer:
    due_s: float
    tie: int
    cause: str  # "disconnected": look again at the state; "retry": attempt


class Reconnector:
    """Decide when to reconnect, as Pipecat's client does.

    A timer once started is never cancelled, and it looks at the state at its own end alone: these are
    properties of the client that it follows, and a path that flaps shows them.

    Source: smallWebRTCTransport.ts of @pipecat-ai/small-webrtc-transport 1.10.8, the methods
    handleICEConnectionStateChange, attemptReconnection, negotiate and stop.
    """

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.attempts = 0
        self.busy = False
        self._state = "new"
        self._ended = False
        self._timers: list[_Timer] = []
        self._ties = count()

    def state_changed(self, state: str, now_s: float) -> list[Action]:
        """Take in the ICE connection state of the current peer connection."""
        self._state = state
        if state == "failed":
            return self._attempt(Attempt.RECREATE, "failed")
        if state == "disconnected":
            self._start_timer(now_s + self.policy.grace_s, "disconnected")
        return []

    def renegotiation_asked(self) -> list[Action]:
        """Take in that the server asks for a new offer."""
        return self._attempt(Attempt.REOFFER, "renegotiate")

    def answered(self) -> None:
        """Take in that an answer was applied. The counter starts again, whether or not media flows."""
        self.attempts = 0
        self.busy = False

    def offer_failed(self, now_s: float) -> None:
        """Take in that an offer got no usable answer."""
        self.busy = False
        self._start_timer(now_s + self.policy.retry_delay_s, "retry")

    def offer_refused(self, status: int, now_s: float) -> list[Action]:
        """Take in that an offer was answered with a 4xx status."""
        if not self.policy.refusal_is_final:
            self.offer_failed(now_s)
            return []
        return [self._give_up("offer refused", status)]

    def begin(self) -> None:
        """Take in that a new ``connect`` begins. Timers that are still running are not cancelled by it."""
        self._ended = False
        self._state = "new"
        self.attempts = 0
        self.busy = False

    def end(self) -> None:
        """Take in that the user disconnected: nothing will be attempted any more."""
        self._ended = True

    def next_timer_s(self) -> float | None:
        """Return when ``handle_timer`` wants to be called, or None."""
        return self._timers[0].due_s if self._timers else None

    def handle_timer(self, now_s: float) -> list[Action]:
        """Do what is due."""
        actions: list[Action] = []
        while self._timers and self._timers[0].due_s <= now_s:
            timer = heapq.heappop(self._timers)
            if timer.cause == "retry" or self._state == "disconnected":
                actions += self._attempt(Attempt.RECREATE, timer.cause)
        return actions

    def _start_timer(self, due_s: float, cause: str) -> None:
        if due_s != float("inf"):
            heapq.heappush(self._timers, _Timer(due_s, next(self._ties), cause))

    def _attempt(self, action: Attempt, cause: str) -> list[Action]:
        if self._ended or self.busy:
            return []
        if self.attempts >= self.policy.max_attempts:
            return [self._give_up("attempts exhausted")]
        self.busy = True
        self.attempts += 1
        return [StartAttempt(self.attempts, action, cause)]

    def _give_up(self, cause: str, status: int | None = None) -> GiveUp:
        # Timers that are still running are left running, as the client leaves them.
        self.attempts = 0
        self.busy = False
        self._state = "closed"
        return GiveUp(cause, status)
