"""The state machine that carries out a policy: events and times in, actions and times out."""

from dataclasses import replace
from enum import Enum, auto

from simlab.reconnect.actions import Abandon, Action, CancelAttempt, GiveUp, StartAttempt, Trigger
from simlab.reconnect.decisions import Decisions
from simlab.reconnect.rules import Row, Rules
from simlab.reconnect.terms import Attempt
from simlab.reconnect.timers import Timer, Timers
from simlab.reconnect.watch import Watch

WAITS = ("disconnected", "failed", "retry")
"""The timers that a policy waits for before it does something; the others are limits, or look out."""

_LIMITS = ("answer", "connect")


class _Phase(Enum):
    IDLE = auto()
    OFFERING = auto()  # an offer is under way
    CONNECTING = auto()  # it is answered, and the connection is not open yet


class Reconnector:
    """Decide when to reconnect, as a policy says.

    Every policy runs on it. For ``pipecat`` it is the algorithm of the published client
    (smallWebRTCTransport.ts of @pipecat-ai/small-webrtc-transport 1.10.8: handleICEConnectionStateChange,
    attemptReconnection, negotiate and stop); what that client does wrong are terms of the policy.

    It takes no draw but for waits, and one for each, so what happens before an attempt leaves the waits
    as they are.

    Raises
    ------
    PolicyBrokenError
        By what takes something in, if rules of the user's own fail.
    """

    def __init__(self, rules: Rules) -> None:
        self.policy = rules.terms
        self.row = Row()
        self._rules = Decisions(rules)
        self._timers = Timers()
        self._watch = Watch(rules.terms, self._timers)
        self._phase = _Phase.IDLE
        self._action = Attempt.RECREATE
        self._state = "new"
        self._begun = False
        self._ended = False
        self._gave_up = False

    @property
    def attempts(self) -> int:
        """How many attempts have been made in this row."""
        return self.row.attempts

    @property
    def busy(self) -> bool:
        """Whether an offer is under way."""
        return self._phase is _Phase.OFFERING

    # What happens

    def state_changed(self, state: str, now_s: float) -> list[Action]:
        """Take in the ICE connection state of the current peer connection."""
        before, self._state = self._state, state
        match state:
            case "failed":
                return self._lost("failed", now_s)
            case "closed" if self.policy.closed_as_failed and before != "closed":
                return self._lost("failed", now_s)
            case "disconnected":
                return self._lost("disconnected", now_s)
            case "connected":
                return self._recovered(now_s)
        return []

    def heard(self, what: str, now_s: float) -> None:
        """Take in a packet on the current connection: ``"media"``, or ``"data"`` of the channel."""
        self._watch.heard(what, now_s)

    def renegotiation_asked(self, now_s: float) -> list[Action]:
        """Take in that the server asks for a new offer."""
        if not self.policy.renegotiate:
            return []
        return self._attempt(Attempt.REOFFER, "renegotiate", now_s)

    def offer_began(self, now_s: float) -> None:
        """Take in that the user's own, first offer is made."""
        self._phase, self._action = _Phase.OFFERING, Attempt.RECREATE
        self._start_limits(now_s)

    def answered(self, now_s: float) -> list[Action]:
        """Take in that an answer was applied."""
        self._timers.cancel("answer")
        if self.policy.time_limit_from == "unanswered":
            self._timers.cancel("limit")
        if self.policy.counter_reset == "answer":
            self._phase = _Phase.IDLE
            self._succeeded(now_s)
        elif self.busy:
            self._phase = _Phase.CONNECTING
            if self._action is Attempt.REOFFER and self._state == "connected":
                return self.connected(now_s)
        return []

    def connected(self, now_s: float) -> list[Action]:
        """Take in that the newest connection is open, or an old one again after its ICE was restarted."""
        if self.busy:
            return []
        self._timers.cancel("connect")
        self._phase = _Phase.IDLE
        if self.policy.counter_reset == "connected":
            self._cancel_retries()
            if self.policy.reset_after_s:
                self._timers.cancel("limit")
                self._timers.start("reset", now_s + self.policy.reset_after_s)
            else:
                self._succeeded(now_s)
        return []

    def offer_failed(self, now_s: float, status: int | None = None) -> list[Action]:
        """Take in that an offer got no usable answer, and the HTTP status if there was one."""
        self._timers.cancel(*_LIMITS)
        self._phase = _Phase.IDLE
        if self.policy.is_final(status):
            return [self._give_up("offer refused", status)]
        self._unanswered(now_s)
        return self._failed(now_s, escalates=self.policy.escalate == "failure")

    def old_path_healed(self, now_s: float) -> list[Action]:
        """Take in that the old connection recovered while an attempt to replace it is under way."""
        if not (self.busy and self.policy.abandon_when_healed):
            return []
        self._timers.cancel(*_LIMITS)
        self._phase = _Phase.IDLE
        self._state = "connected"
        return [CancelAttempt("healed"), *self._abandon(now_s)]

    def begin(self) -> None:
        """Take in that the user connects, for the first time or after ``end``."""
        self._ended = self._gave_up = self._begun = False
        self._state = "new"
        self.row, self._phase = Row(), _Phase.IDLE

    def end(self) -> None:
        """Take in that the user disconnected: nothing is attempted any more."""
        if not self.policy.outlast_disconnect:
            self._ended = True
            self._timers.clear()
            return
        self._timers.cancel("silence", "ping", "limit", *_LIMITS)
        self.row, self._phase = Row(), _Phase.IDLE

    def next_timer_s(self) -> float | None:
        """Return when ``handle_timer`` wants to be called, or None."""
        return self._timers.next_s()

    def next_wait_s(self) -> float | None:
        """Return when the next wait for an attempt is over, or None if it waits for none."""
        return self._timers.next_s(*WAITS)

    def handle_timer(self, now_s: float) -> list[Action]:
        """Do what is due."""
        actions: list[Action] = []
        while (timer := self._timers.pop(now_s)) is not None:
            if not self._ended:
                actions += self._due(timer, now_s)
        return actions

    # What follows from it

    def _due(self, timer: Timer, now_s: float) -> list[Action]:
        match timer.kind:
            case "disconnected" | "failed":
                return self._grace_over(timer.kind, now_s)
            case "retry":
                return self._attempt(None, timer.cause, now_s)
            case "answer" | "connect":
                return self._too_late(timer.kind, now_s)
            case "limit":
                return [self._give_up("time limit")]
            case "reset":
                self._succeeded(now_s)
                return []
        found = self._watch.handle(timer, now_s)
        return [] if found is None else self._found(found, now_s)

    def _lost(self, cause: str, now_s: float) -> list[Action]:
        grace_s = self._rules.grace_s(cause)
        if self.policy.keep_grace:
            # One timer for each event.
            self._timers.start(cause, now_s + grace_s)
        elif not self._timers.has(cause):
            if cause == "failed":
                self._timers.cancel("disconnected")
            self._timers.start(cause, now_s + grace_s)
        actions = self.handle_timer(now_s) if grace_s <= 0 else []
        if cause == "disconnected" and self._watch.silent and self.policy.silence_when == "disconnected":
            actions += self._found("silence", now_s)
        return actions

    def _grace_over(self, cause: str, now_s: float) -> list[Action]:
        still = self._state == cause or (cause == "failed" and self._state == "closed")
        return self._triggered(cause, now_s) if still else []

    def _found(self, cause: str, now_s: float) -> list[Action]:
        wants_state = cause == "silence" and self.policy.silence_when == "disconnected"
        if wants_state and self._state not in {"disconnected", "failed"}:
            return []
        return [Trigger(cause), *self._triggered(cause, now_s)]

    def _triggered(self, cause: str, now_s: float) -> list[Action]:
        if self._ended or self._gave_up or self.busy:
            return []
        if self.policy.keep_retries:
            self._begin(now_s)
            return self._attempt(None, cause, now_s)
        if self._timers.has("retry"):
            return []
        self._timers.cancel("reset")
        if self._phase is _Phase.CONNECTING:
            # Where there is a time limit to connecting, that alone decides.
            if self._timers.has("connect"):
                return []
            self._phase = _Phase.IDLE
            return self._failed(now_s, escalates=True)
        return self._wait(cause, now_s)

    def _recovered(self, now_s: float) -> list[Action]:
        self._gave_up = False
        if not self.policy.keep_grace:
            self._timers.cancel("disconnected", "failed")
        if self._phase is _Phase.CONNECTING and self._action is not Attempt.RECREATE:
            return self.connected(now_s)
        if self._phase is _Phase.IDLE and self.policy.abandon_when_healed and self._timers.has("retry"):
            return self._abandon(now_s)
        return []

    def _abandon(self, now_s: float) -> list[Action]:
        self._timers.cancel("retry", "reset")
        self._succeeded(now_s)
        return [Abandon()]

    def _too_late(self, limit: str, now_s: float) -> list[Action]:
        self._timers.cancel(*_LIMITS)
        unanswered = self.busy
        self._phase = _Phase.IDLE
        if unanswered:
            self._unanswered(now_s)
        escalates = not unanswered or self.policy.escalate == "failure"
        cause = "no answer" if limit == "answer" else "not connected"
        return [
            *([CancelAttempt(cause)] if unanswered else []),
            *self._failed(now_s, escalates=escalates),
        ]

    def _failed(self, now_s: float, *, escalates: bool) -> list[Action]:
        row = self.row
        self.row = replace(
            row, failures=row.failures + 1, escalations=row.escalations + (1 if escalates else 0)
        )
        return self._wait("retry", now_s)

    def _begin(self, now_s: float) -> None:
        if not self._begun:
            self._begun = True
            if self.policy.time_limit_from == "trigger":
                self._timers.start("limit", now_s + self.policy.time_limit_s)

    def _unanswered(self, now_s: float) -> None:
        if self.policy.time_limit_from == "unanswered" and not self._timers.has("limit"):
            self._timers.start("limit", now_s + self.policy.time_limit_s)

    def _wait(self, cause: str, now_s: float) -> list[Action]:
        self._begin(now_s)
        self.row = replace(self.row, cause=cause)
        if not self.policy.give_up_late and not self._rules.may_go_on(self.row):
            return [self._give_up("attempts exhausted")]
        wait_s = self._rules.wait_s(self.row)
        if wait_s <= 0 and not self.policy.keep_retries:
            return self._attempt(None, cause, now_s)
        self._timers.start("retry", now_s + wait_s, cause)
        return []

    def _attempt(self, action: Attempt | None, cause: str, now_s: float) -> list[Action]:
        if self._ended or self.busy:
            return []
        if not self._rules.may_go_on(self.row):
            return [self._give_up("attempts exhausted")]
        self._cancel_retries()
        self._phase, self._action = _Phase.OFFERING, action or self._rules.action(self.row)
        self.row = replace(self.row, attempts=self.row.attempts + 1)
        self._start_limits(now_s)
        return [StartAttempt(self.row.attempts, self._action, cause)]

    def _start_limits(self, now_s: float) -> None:
        self._timers.start("answer", now_s + self.policy.answer_timeout_s)
        self._timers.start("connect", now_s + self.policy.connect_timeout_s)

    def _cancel_retries(self) -> None:
        if not self.policy.keep_retries:
            self._timers.cancel("retry")

    def _succeeded(self, now_s: float) -> None:
        """Start a new row, which the next trigger begins."""
        self._timers.cancel("limit")
        self.row = Row()
        self._begun = False
        self._rules.begin()

    def _give_up(self, cause: str, status: int | None = None) -> GiveUp:
        self._timers.cancel("limit", "reset", *_LIMITS)
        if not self.policy.keep_grace:
            self._timers.cancel("disconnected", "failed")
        self._cancel_retries()
        self.row, self._begun, self._phase = Row(), False, _Phase.IDLE
        self._rules.begin()
        # With retries that are kept, whatever still waits goes on as if nothing were.
        self._gave_up = not self.policy.keep_retries
        self._state = "closed" if self.policy.give_up == "close" else self._state
        return GiveUp(cause, status)
