"""Look for fault schedules that break an invariant, and make of each the simplest profile that does."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from simlab.batch.executors import Executor
from simlab.batch.outcome import Outcome
from simlab.batch.peers import check_peers
from simlab.batch.plan import PlannedCell, PlannedSession
from simlab.batch.scenarios import Wanted, settled
from simlab.batch.shrinking import Shrinking, broken_by, labels_of
from simlab.core.errors import InvalidInputError
from simlab.profile.drawn_faults import HUNTED, drawn_faults
from simlab.profile.faults import KINDS
from simlab.profile.model import Profile
from simlab.profile.nearest import one_of, quoted
from simlab.profile.scenario import Scenario
from simlab.profile.sparse import Tables, sparse
from simlab.study.invariants import INVARIANTS

Watch = Callable[[Outcome], None]

_ABOUT = ("description", "source", "source_kind", "evidence", "expect")


@dataclass(frozen=True)
class Hunt:
    """What to look for, and where.

    Parameters
    ----------
    wanted
        The profiles, policies and seeds. Each seed draws a fault schedule, which all policies meet.
    kinds
        Of faults; none are all that the profile can have.
    invariants
        None are all.
    most_faults
        How many are drawn at most, beside the profile's own.
    most_tried
        How many sessions may be tried to make a finding simpler.
    """

    wanted: Wanted
    kinds: Sequence[str] = ()
    invariants: Sequence[str] = ()
    most_faults: int = 3
    most_tried: int = 200

    def __post_init__(self) -> None:
        named = (("--kind", self.kinds, KINDS), ("--invariant", self.invariants, INVARIANTS))
        faults = [fault for option, names, known in named for fault in _unknown(option, names, known)]
        if faults:
            raise InvalidInputError(faults)


def _unknown(option: str, names: Sequence[str], known: Collection[str]) -> Iterator[str]:
    return (f"{option} is {quoted(name)}, {one_of(name, known)}" for name in names if name not in known)


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
        How many sessions there were.
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
        """Return what was broken, policy by policy, in the order of the invariants.

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
        of = sum(
            (one.labels["profile"], one.labels["policy"]) == (profile, policy)
            for one in self.sessions
            if one.number in self.outcomes
        )
        first = min(broken, key=lambda one: len(one.scenario.profile.faults))
        shrinking = Shrinking(_start(first.scenario), invariant, self.hunt.most_tried, at_once)
        return Finding(profile, policy, invariant, [one.scenario.seed for one in broken], of, shrinking)


def _start(scenario: Scenario) -> Tables:
    tables = sparse(scenario.profile)
    return {key: value for key, value in tables.items() if key not in _ABOUT}


def plan(hunt: Hunt) -> Search:
    """Settle a hunt: draw its fault schedules.

    Raises
    ------
    InvalidInputError
        If anything is wrong, a profile cannot have a fault that was asked for, or it is to be in real time.
    """
    sessions: list[PlannedSession] = []
    for profile in settled(hunt.wanted):
        if profile.clock == "real":
            raise InvalidInputError([f"{profile.name}: a hunt wants the virtual clock: --clock virtual"])
        cell, kinds = PlannedCell(profile, {}), _kinds(hunt, profile)
        for number in range(hunt.wanted.seeds):
            scenario = _drawn(Scenario.of(profile, seed=profile.seed + number), kinds, hunt.most_faults)
            alike = cell.alike and f"{cell.alike}-{scenario.seed}"
            labels = labels_of(len(sessions), scenario)
            sessions.append(PlannedSession(len(sessions), labels, scenario, alike))
    check_peers(session.scenario for session in sessions)
    return Search(hunt, sessions)


def _kinds(hunt: Hunt, profile: Profile) -> list[str]:
    possible = [kind for kind in hunt.kinds or HUNTED if _can_be(kind, profile)]
    refused = [kind for kind in hunt.kinds if kind not in possible]
    if refused:
        raise InvalidInputError([f"{profile.name}: cannot have --kind {kind}" for kind in refused])
    return possible


def _can_be(kind: str, profile: Profile) -> bool:
    faults = drawn_faults(profile.model_copy(update={"faults": ()}), 0, [kind], 1)
    try:
        check_peers([Scenario.of(profile.model_copy(update={"faults": faults, "weather": ()}))])
    except InvalidInputError:
        return False
    return bool(faults)


def _drawn(scenario: Scenario, kinds: Sequence[str], most: int) -> Scenario:
    faults = drawn_faults(scenario.profile, scenario.seed, kinds, most)
    return Scenario(scenario.profile.model_copy(update={"faults": faults}))
