"""What a policy finds out by itself of a path: silence, and pings without an answer."""

from math import inf

from simlab.reconnect.terms import Policy
from simlab.reconnect.timers import Timer, Timers


class Watch:
    """Watch what arrives, with two kinds of timer among those of the state machine.

    A silence counts from the last packet of media or data. A ping is answered by any packet of data,
    such as SCTP's acknowledgement of it, since Pipecat's server sends no answer of its own.
    """

    def __init__(self, policy: Policy, timers: Timers) -> None:
        self._policy = policy
        self._timers = timers
        self._last_s = -inf
        self._data_since_ping = False
        self._missed = 0
        self.silent = False

    def heard(self, what: str, now_s: float) -> None:
        """Take in a packet: ``"media"`` or ``"data"``."""
        policy = self._policy
        self._last_s = now_s
        self.silent = False
        if policy.silence_s < inf and not self._timers.has("silence"):
            self._timers.start("silence", now_s + policy.silence_s)
        if what == "data" and policy.missed_pings:
            self._data_since_ping = True
            if not self._timers.has("ping"):
                self._missed = 0
                self._timers.start("ping", now_s + policy.ping_interval_s)

    def handle(self, timer: Timer, now_s: float) -> str | None:
        """Handle a timer, and return what is found, if anything."""
        return self._silence(now_s) if timer.kind == "silence" else self._ping(now_s)

    def _silence(self, now_s: float) -> str | None:
        until_s = self._last_s + self._policy.silence_s
        if now_s < until_s:
            self._timers.start("silence", until_s)
            return None
        self.silent = True
        return "silence"

    def _ping(self, now_s: float) -> str | None:
        self._missed = 0 if self._data_since_ping else self._missed + 1
        self._data_since_ping = False
        if self._missed >= self._policy.missed_pings:
            return "pings"
        self._timers.start("ping", now_s + self._policy.ping_interval_s)
        return None
