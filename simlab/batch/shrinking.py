"""From a profile whose session breaks an invariant to the simplest one that still does."""

from collections.abc import Iterator
from copy import deepcopy
from itertools import islice

from simlab.batch.executors import Executor
from simlab.batch.outcome import Outcome
from simlab.batch.peers import check_peers
from simlab.batch.plan import PlannedSession
from simlab.core.errors import InvalidInputError
from simlab.profile.load import checked
from simlab.profile.scenario import Scenario
from simlab.profile.simpler import STEPS, size
from simlab.profile.sparse import Tables


class Shrinking:
    """A profile that becomes simpler, step by step, and breaks an invariant after each.

    Of the steps that are possible, the first is taken that keeps the invariant broken, until none does. So
    what comes out does not depend on how many sessions run at once.

    Parameters
    ----------
    tables
        The profile, as ``sparse`` returns it.
    invariant
        Which is broken.
    most
        How many sessions may be tried.
    at_once
        How many run beside each other.
    known
        What was broken by which scenario, by its hash; what is found out is added. For several findings that
        begin with the same profile.
    """

    def __init__(
        self,
        tables: Tables,
        invariant: str,
        most: int,
        at_once: int = 1,
        known: dict[str, frozenset[str]] | None = None,
    ) -> None:
        self.tables = tables
        self.tried = 0
        self.is_over = False
        self.most = most
        self._invariant, self._at_once = invariant, at_once
        self._known = {} if known is None else known
        self._sessions = 0

    def run(self, executor: Executor) -> Iterator[int]:
        """Try sessions until no step keeps the invariant broken, or there were too many.

        Yields
        ------
        int
            How many were tried, after each few of them.

        Raises
        ------
        SimlabError
            If the executor cannot go on.
        KeyboardInterrupt
            If the user interrupted; ``tables`` is as simple as it was by then.
        """
        changed = True
        while changed:
            changed = False
            for number in range(len(STEPS)):
                before = self.tables
                yield from self._step(number, executor)
                changed = changed or self.tables is not before
                if self.tried >= self.most:
                    return
        self.is_over = True

    def _step(self, number: int, executor: Executor) -> Iterator[int]:
        """Take steps of one kind; after each one, go on where it was, not from the beginning."""
        position = 0
        while few := self._next(number, position):
            broken = self._broken([scenario for _, _, scenario in few], executor)
            hit = next((index for index, one in enumerate(broken) if one), None)
            self.tried += len(few) if hit is None else hit + 1
            if hit is None:
                position = few[-1][0] + 1
            else:
                position, self.tables, _ = few[hit]
            yield self.tried

    def _next(self, number: int, position: int) -> list[tuple[int, Tables, Scenario]]:
        """Return the next few profiles to try: their positions, themselves, and their scenarios."""
        limit = size(self.tables)
        candidates = enumerate(STEPS[number](self.tables))
        possible = (
            (at, tables, scenario)
            for at, tables in candidates
            if at >= position and size(tables) < limit and (scenario := scenario_of(tables)) is not None
        )
        return list(islice(possible, min(self._at_once, self.most - self.tried)))

    def _broken(self, scenarios: list[Scenario], executor: Executor) -> list[bool]:
        new = {one.hash: one for one in scenarios if one.hash not in self._known}
        planned = {self._sessions + place: one for place, one in enumerate(new.values())}
        self._sessions += len(planned)
        executor.submit(PlannedSession(n, labels_of(n, one), one) for n, one in planned.items())
        for outcome in executor.finished():
            self._known[planned[outcome.number].hash] = broken_by(outcome)
        return [self._invariant in self._known[one.hash] for one in scenarios]


def scenario_of(tables: Tables) -> Scenario | None:
    """Return the scenario of a profile; None if there can be none."""
    try:
        scenario = Scenario.of(checked(deepcopy(tables), ""))
        check_peers([scenario])
    except InvalidInputError:
        return None
    return scenario


def labels_of(number: int, scenario: Scenario) -> dict[str, object]:
    """Return what tells the rows of a session from another's."""
    profile = scenario.profile
    return {"session": number, "profile": profile.name, "policy": profile.policy.name, "seed": scenario.seed}


def broken_by(outcome: Outcome) -> frozenset[str]:
    """Return the invariants that a session broke: none where it could not be run."""
    names = "" if outcome.session is None else outcome.session["violated"]
    return frozenset(names.split(", ")) if names else frozenset()
