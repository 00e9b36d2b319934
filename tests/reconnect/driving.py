"""Drive the state machine of a policy as a client would, in time that takes none."""

import heapq
from itertools import count, repeat

from simlab.reconnect.actions import Abandon, CancelAttempt, GiveUp, StartAttempt
from simlab.reconnect.policy import POLICIES
from simlab.reconnect.reconnector import Reconnector
from simlab.reconnect.rules import Rules


def machine(policy, draws=None):
    """Return the machine of a policy; every draw is 0.5 unless they are given."""
    policy = POLICIES[policy] if isinstance(policy, str) else policy
    return Reconnector(Rules(repeat(0.5) if draws is None else iter(draws), policy))


class World:
    """A network and a server around a machine: what becomes of its offers, and what ICE says when.

    Parameters
    ----------
    answers
        Tells for an offer at a time: ``"answer"``, ``"hang"``, or an HTTP status, after ``http_s``.
    connects
        Tells whether a connection that is answered at a time connects, after ``connect_s``.
    """

    def __init__(
        self, policy, answers="answer", connects=lambda _: False, http_s=0.0, connect_s=0.1, draws=None
    ):
        self.machine = machine(policy, draws) if not isinstance(policy, Reconnector) else policy
        self.answers = answers if callable(answers) else lambda _: answers
        self.connects, self.http_s, self.connect_s = connects, http_s, connect_s
        self.log = []
        self._events, self._ties = [], count()
        self._offer = 0
        self._replaced = False

    def at(self, at_s, call, *args):
        heapq.heappush(self._events, (at_s, next(self._ties), call, args))
        return self

    def state(self, at_s, *states):
        for state in states:
            self.at(at_s, self.machine.state_changed, state)
        return self

    def old_state(self, at_s, state):
        """Let ICE of the old connection change, unless that is replaced by then."""

        def tell(now_s):
            return [] if self._replaced else self.machine.state_changed(state, now_s)

        return self.at(at_s, tell)

    def run(self, until_s):
        while True:
            timer_s = self.machine.next_timer_s()
            event_s = self._events[0][0] if self._events else float("inf")
            now_s = min(float("inf") if timer_s is None else timer_s, event_s)
            if now_s > until_s:
                return self
            if event_s <= now_s:
                _, _, call, args = heapq.heappop(self._events)
                self._do(call(*args, now_s) or [], now_s)
            else:
                self._do(self.machine.handle_timer(now_s), now_s)

    def _do(self, actions, now_s):
        for action in actions:
            match action:
                case StartAttempt():
                    self.log.append((round(now_s, 6), action.action.value))
                    self._offer += 1
                    self._make(self._offer, now_s)
                case CancelAttempt():
                    self._offer += 1
                    self.log.append((round(now_s, 6), f"cancel: {action.cause}"))
                case GiveUp():
                    self._offer += 1
                    self.log.append((round(now_s, 6), f"give up: {action.cause}"))
                case Abandon():
                    self.log.append((round(now_s, 6), "abandon"))

    def _make(self, offer, now_s):
        what = self.answers(now_s)
        if what == "answer":
            self.at(now_s + self.http_s, self._answered, offer)
        elif what != "hang":
            self.at(now_s + self.http_s, self._refused, offer, what)

    def _answered(self, offer, now_s):
        if offer != self._offer:
            return []
        self._replaced = True
        actions = self.machine.answered(now_s)
        self._do(self.machine.state_changed("checking", now_s), now_s)
        if self.connects(now_s):
            self.at(now_s + self.connect_s, self._open, offer)
        else:
            # As Chromium has it.
            self.at(now_s + 15.0625, self._never, offer)
        return actions

    def _open(self, offer, now_s):
        if offer != self._offer:
            return []
        return [*self.machine.state_changed("connected", now_s), *self.machine.connected(now_s)]

    def _never(self, offer, now_s):
        if offer != self._offer:
            return []
        state = "failed" if self.machine.policy.watch == "connection" else "disconnected"
        return self.machine.state_changed(state, now_s)

    def _refused(self, offer, status, now_s):
        return self.machine.offer_failed(now_s, status) if offer == self._offer else []

    def times_s(self, what=None):
        return [at_s for at_s, told in self.log if what is None or told == what]

    def attempts_s(self):
        return [at_s for at_s, told in self.log if told in {"recreate", "restart_ice", "reoffer"}]
