"""The sessions of a hunt, and what they broke."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from simlab.batch.executors import Executor
from simlab.batch.hunt import Hunt, plan
from simlab.batch.outcome import Outcome
from simlab.batch.plan import PlannedSession
from simlab.batch.shrinking import Shrinking, broken_by
from simlab.batch.terms import partly_idle
from simlab.profile.scenario import Scenario
from simlab.profile.sparse import Tables, sparse
from simlab.study.invariants import INVARIANTS

Watch = Callable[[Outcome], object]

_ABOUT = ("description", "source", "source_kind", "evidence", "expect")


@dataclass
class Finding:
    """An invariant that a policy's sessions broke.

    Parameters
    ----------
    profile, policy, invariant
        Which.
    seeds
        Those whose sessions broke it.
    of
        How many sessions could be run.
    shrinking
        What it was made simpler with: it has the profile.
    """

    profile: str
    policy: str
    invariant: str
    seeds: Sequence[int]
    of: int
    shrinking: Shrinking


@dataclass
class Search:
    """The sessions of a hunt, and what became of them.

    Parameters
    ----------
    outcomes
        Of those that are over, by their numbers.
    """

    hunt: Hunt
    sessions: Sequence[PlannedSession]
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    _known: dict[str, frozenset[str]] = field(default_factory=dict)

    @staticmethod
    def of(hunt: Hunt) -> "Search":
        """Settle a hunt; nothing has run yet.

        Raises
        ------
        InvalidInputError
            If anything is wrong, or a profile cannot have a fault that was asked for.
        """
        return Search(hunt, plan(hunt))

    @property
    def notes(self) -> list[str]:
        """What is to be known of the keys that are set in all sessions."""
        return partly_idle([one.scenario.profile for one in self.sessions], self.hunt.wanted.overrides)

    def run(self, executor: Executor, watch: Watch = lambda _: None) -> None:
        """Run all sessions.

        Raises
        ------
        SimlabError
            If the executor cannot go on.
        KeyboardInterrupt
            If the user interrupted. What was over by then is kept.
        """
        executor.submit(self.sessions)
        for outcome in executor.finished():
            self.outcomes[outcome.number] = outcome
            watch(outcome)

    @property
    def failures(self) -> list[dict[str, Any]]:
        """The sessions that could not be run, and why."""
        return [one.failed for _, one in sorted(self.outcomes.items()) if one.failed is not None]

    def findings(self, at_once: int) -> list[Finding]:
        """Return what was broken, invariant by invariant and policy by policy.

        Parameters
        ----------
        at_once
            How many sessions run beside each other when a finding is made simpler.
        """
        broken: dict[tuple[str, str, str], list[PlannedSession]] = {}
        for session in self.sessions:
            for name in self._broken(session):
                key = (session.labels["profile"], session.labels["policy"], name)
                broken.setdefault(key, []).append(session)
        order = list(INVARIANTS)
        keys = sorted(broken, key=lambda key: order.index(key[2]))
        return [self._finding(key, broken[key], at_once) for key in keys]

    def _broken(self, session: PlannedSession) -> frozenset[str]:
        outcome = self.outcomes.get(session.number)
        found = frozenset[str]() if outcome is None else broken_by(outcome)
        return found & frozenset(self.hunt.invariants or INVARIANTS)

    def _finding(self, key: tuple[str, str, str], broken: list[PlannedSession], at_once: int) -> Finding:
        profile, policy, invariant = key
        beside = (one for one in self.sessions if (one.labels["profile"], one.labels["policy"]) == key[:2])
        of = sum(one.number in self.outcomes and not self.outcomes[one.number].failed for one in beside)
        first = min(broken, key=lambda one: len(one.scenario.profile.faults))
        tables, most = _start(first.scenario), self.hunt.most_tried
        shrinking = Shrinking(tables, invariant, most, at_once, self._known)
        return Finding(profile, policy, invariant, [one.scenario.seed for one in broken], of, shrinking)


def _start(scenario: Scenario) -> Tables:
    tables = sparse(scenario.profile)
    return {key: value for key, value in tables.items() if key not in _ABOUT}


def ran_to_the_end(search: Search, executor: Executor, watch: Watch = lambda _: None) -> bool:
    """Run all sessions, and tell whether the user let them; what was over by then is kept.

    Raises
    ------
    SimlabError
        If the executor cannot go on.
    """
    try:
        search.run(executor, watch)
    except KeyboardInterrupt:
        search.outcomes |= {one.number: one for one in executor.stop()}
        return False
    return True


def shrunk_to_the_end(
    finding: Finding, executor: Executor, tried: Callable[[int], None] = lambda _: None
) -> bool:
    """Make a finding simpler, and tell whether the user let it.

    Parameters
    ----------
    tried
        Called with how many sessions have been tried.

    Raises
    ------
    SimlabError
        If the executor cannot go on.
    """
    try:
        for number in finding.shrinking.run(executor):
            tried(number)
    except KeyboardInterrupt:
        executor.stop()
        return False
    return True
