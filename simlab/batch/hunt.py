"""What a hunt looks for, and the fault schedules that it tries."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from simlab.batch.peers import check_peers
from simlab.batch.plan import PlannedCell, PlannedSession
from simlab.batch.scenarios import Wanted, settled
from simlab.batch.shrinking import labels_of
from simlab.batch.terms import idle
from simlab.batch.twice import same_cells
from simlab.core.errors import InvalidInputError
from simlab.profile.drawn_faults import HUNTED, drawn_faults
from simlab.profile.faults import KINDS
from simlab.profile.model import Profile
from simlab.profile.nearest import one_of, quoted
from simlab.profile.scenario import Scenario
from simlab.study.invariants import INVARIANTS


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


def plan(hunt: Hunt) -> list[PlannedSession]:
    """Draw the fault schedules of a hunt, and return its sessions: policy by policy, seed by seed.

    Raises
    ------
    InvalidInputError
        If anything is wrong, a profile cannot have a fault that was asked for, or it is to be in real time.
    """
    sessions: list[PlannedSession] = []
    cells = [PlannedCell(profile, {}) for profile in settled(hunt.wanted)]
    check_peers(Scenario.of(cell.profile) for cell in cells)  # or no fault would go with them
    faults = list(same_cells((one.profile, one.varied) for one in cells))
    faults += idle([cell.profile for cell in cells], hunt.wanted.overrides)
    for cell in cells:
        if cell.profile.clock == "real":
            faults.append(f"{cell.profile.name}: a hunt wants the virtual clock: --clock virtual")
        sessions += _sessions(hunt, cell, len(sessions))
    if faults:
        raise InvalidInputError(list(dict.fromkeys(faults)))
    check_peers(session.scenario for session in sessions)
    return sessions


def _sessions(hunt: Hunt, cell: PlannedCell, first: int) -> Iterator[PlannedSession]:
    kinds = _kinds(hunt, cell.profile)
    for number in range(hunt.wanted.seeds):
        scenario = Scenario.of(cell.profile, seed=cell.profile.seed + number)
        faults = drawn_faults(scenario.profile, scenario.seed, kinds, hunt.most_faults)
        drawn = Scenario(scenario.profile.model_copy(update={"faults": faults}))
        alike = cell.alike and f"{cell.alike}-{drawn.seed}"
        yield PlannedSession(first + number, labels_of(first + number, drawn), drawn, alike)


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
