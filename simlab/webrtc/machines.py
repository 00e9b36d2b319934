"""The state machines of the policies that a session follows, and their timers on its loop."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Any

from simlab.reconnect.actions import Action
from simlab.reconnect.alternatives import Alternatives
from simlab.reconnect.decisions import PolicyBrokenError
from simlab.reconnect.reconnector import Reconnector
from simlab.reconnect.rules import Rules
from simlab.reconnect.terms import Policy

Tell = Callable[[Reconnector], list[Action] | None]
Concerns = Callable[[Policy], bool]


@dataclass(frozen=True)
class Asked:
    """What a machine wants to be done and told.

    Parameters
    ----------
    trigger
        What asks for an attempt, if that is to be told.
    actions
        What is to be done, in order.
    wait_until_s
        When a wait for an attempt is over, on the loop's clock, if that is to be told.
    broken
        Why it can want nothing any more.
    """

    trigger: str | None = None
    actions: tuple[Action, ...] = ()
    wait_until_s: float | None = None
    broken: PolicyBrokenError | None = None


class _Follower:
    """A policy's machine, its timer, and the wait that was told last."""

    def __init__(self, rules: Rules) -> None:
        self.policy = rules.terms
        self.wants_packets = self.policy.silence_s < inf or self.policy.missed_pings > 0
        self.machine = Reconnector(rules)
        self.timer: asyncio.TimerHandle | None = None
        self.due: tuple[float, int] | None = None  # when, and together with whom
        self._told_wait_s: float | None = None

    def wait_to_tell_s(self) -> float | None:
        until_s = self.machine.next_wait_s()
        is_news = until_s is not None and until_s != self._told_wait_s
        self._told_wait_s = until_s
        return until_s if is_news else None

    def drop_timer(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
        self.timer = None


def all_policies(_: Policy) -> bool:
    """Say of every policy that something concerns it."""
    return True


class Machines:
    """Machines that are told the same, as long as they ask for the same.

    A timer of one alone, of which nothing comes, is nothing that the others could see: each has its own, set
    when it would be if there were no others.

    Parameters
    ----------
    alternatives
        The policies.
    carry_out
        Does what the machines ask for; a wait is told after all else.
    """

    def __init__(self, alternatives: Alternatives, carry_out: Callable[[Asked], None]) -> None:
        self._alternatives = alternatives
        self._carry_out = carry_out
        self._followers = {number: _Follower(rules) for number, rules in alternatives.all_rules()}
        self._loop = asyncio.get_running_loop()
        self._times_set = 0
        self._take_packets = self._who_wants_packets()
        self.closed = False

    def note(self, tell: Callable[[Reconnector], None]) -> None:
        """Tell all of something of which nothing comes yet."""
        for follower in self._left().values():
            tell(follower.machine)

    @property
    def want_packets(self) -> bool:
        """Whether any of them goes by what arrives."""
        return bool(self._take_packets)

    def heard(self, what: str) -> None:
        """Tell those that want to know of a packet, of which nothing comes but when they look next."""
        self._times_set += 1
        self._left()
        for follower in self._take_packets:
            follower.machine.heard(what, self._loop.time())
            self._set_timer(follower)

    def tell(
        self,
        tell: Tell,
        concerns: Concerns = all_policies,
        *,
        trigger: str | None = None,
        when_closed: bool = False,
    ) -> None:
        """Tell those that it concerns of something, and do what they ask for.

        Parameters
        ----------
        trigger
            What this is called in the timeline, if it asks for an attempt by itself.
        when_closed
            Whether what they ask for is done although nothing is attempted any more.
        """
        told = {n: one for n, one in self._left().items() if concerns(one.policy)}
        self._ask(told, tell, trigger, when_closed)

    def _ask(self, told: dict[int, _Follower], tell: Tell, trigger: str | None, when_closed: bool) -> None:
        asked = dict.fromkeys(self._followers, Asked())
        open_ = when_closed or not self.closed
        for number, follower in told.items():
            try:
                actions = tuple(tell(follower.machine) or ())
            except PolicyBrokenError as error:
                asked[number] = Asked(trigger, broken=error)
                continue
            asked[number] = Asked(trigger, actions, follower.wait_to_tell_s()) if open_ else Asked(trigger)
        agreed = self._alternatives.agree(asked)
        self._carry_out(agreed)
        if open_ and agreed.broken is None:
            self._times_set += 1
            for number, follower in self._left().items():
                if number in told:
                    self._set_timer(follower)

    def agreed(self, term: str) -> Any:
        """Return a term of the policy."""
        return self._alternatives.agree({n: getattr(one.policy, term) for n, one in self._left().items()})

    def close(self) -> None:
        """Do nothing any more that is asked for."""
        self.closed = True
        for follower in self._followers.values():
            if follower.timer is not None:
                follower.timer.cancel()

    def _left(self) -> dict[int, _Follower]:
        kept = self._alternatives.kept
        if len(kept) < len(self._followers):
            for number in self._followers.keys() - set(kept):
                self._followers.pop(number).drop_timer()
            self._take_packets = self._who_wants_packets()
        return self._followers

    def _who_wants_packets(self) -> list[_Follower]:
        return [one for one in self._followers.values() if one.wants_packets]

    def _set_timer(self, follower: _Follower) -> None:
        due_s = follower.machine.next_timer_s()
        if follower.timer is not None and follower.due is not None and due_s == follower.due[0]:
            return
        follower.drop_timer()
        follower.due = None
        if due_s is not None:
            due = follower.due = (due_s, self._times_set)
            follower.timer = self._loop.call_at(due_s, self._tick, due)

    def _tick(self, due: tuple[float, int]) -> None:
        """Let those go on whose timer this is; what they would do one after the other, they do together."""
        told = {n: one for n, one in self._left().items() if one.timer is not None and one.due == due}
        for follower in told.values():
            follower.drop_timer()
        if told:
            self._ask(told, lambda machine: machine.handle_timer(self._loop.time()), None, when_closed=False)
