"""The plan of a study: every session that it may take, settled before the first one runs."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import tomli_w

from simlab import store
from simlab.batch.peers import check_peers
from simlab.batch.scenarios import Wanted, settled
from simlab.batch.terms import idle, partly_idle, same_in_part
from simlab.batch.twice import same_cells
from simlab.batch.vary import combinations
from simlab.core.errors import InvalidInputError
from simlab.profile.header import versions
from simlab.profile.model import Profile
from simlab.profile.overrides import renamed
from simlab.profile.policy import PolicyKeys
from simlab.profile.scenario import Scenario

SCHEMA = 1


@dataclass(frozen=True)
class Matrix:
    """What a study is to run, as the user names it.

    Parameters
    ----------
    wanted
        Profiles, policies and seeds, and what is the same in all of them.
    varied
        The values of each key that varies.
    until_width
        Where a cell may stop: how wide the 95 % interval of its success rate may be; None runs all seeds.
    """

    wanted: Wanted
    varied: Mapping[str, Sequence[str]] = field(default_factory=dict)
    until_width: float | None = None

    def tables(self) -> dict[str, Any]:
        """Return it as study.toml has it."""
        wanted = self.wanted
        given = {"seed": wanted.seed, "clock": wanted.clock, "until_width": self.until_width}
        return {
            "profiles": list(wanted.profiles),
            "policies": list(wanted.policies),
            "seeds": wanted.seeds,
            **{name: value for name, value in given.items() if value is not None},
            "set": dict(wanted.overrides),
            "vary": {key: list(values) for key, values in self.varied.items()},
        }


@dataclass(frozen=True)
class PlannedCell:
    """Sessions that differ in the seed alone.

    Parameters
    ----------
    profile
        With the policy, the clock and the first seed of its sessions; its weather is not drawn yet.
    varied
        The values of the keys that vary.
    """

    profile: Profile
    varied: Mapping[str, str]

    @cached_property
    def text(self) -> str:
        """The profile as TOML, with every default filled in."""
        return tomli_w.dumps(self.profile.to_toml())

    @property
    def hash(self) -> str:
        """BLAKE2b of the text, 16 hexadecimal digits."""
        return hash_of(self.text)

    @cached_property
    def alike(self) -> str | None:
        """What cells share that differ in their policy alone; None where sessions must be run one by one.

        Code of somebody else's may do what a copy of its process must not do once more.
        """
        peers, policy = self.profile.peers, self.profile.policy
        is_ours = (peers.client, peers.server) == ("builtin", "builtin")
        if not is_ours or policy.is_code or self.profile.clock != "virtual":
            return None
        network = self.profile.model_copy(update={"policy": PolicyKeys()})
        return hash_of(tomli_w.dumps(network.to_toml()))


def hash_of(text: str) -> str:
    """Return the BLAKE2b of a text, 16 hexadecimal digits."""
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


@dataclass(frozen=True)
class PlannedSession:
    """A session of a study.

    Parameters
    ----------
    number
        Which one it is.
    labels
        What tells its rows from the others'.
    scenario
        What is to be run.
    alike
        What it shares with those that differ in their policy alone; None if it is to be run by itself.
    """

    number: int
    labels: Mapping[str, Any]
    scenario: Scenario
    alike: str | None = None


@dataclass(frozen=True)
class Plan:
    """All sessions of a study.

    Parameters
    ----------
    cells
        Value by value of what varies, profile by profile, policy by policy.
    asked
        The tables of study.toml that say what the user wanted: ``Matrix.tables``.
    """

    cells: Sequence[PlannedCell]
    asked: Mapping[str, Any]

    @property
    def seeds(self) -> int:
        """How many sessions each cell may have."""
        return int(self.asked["seeds"])

    @property
    def until_width(self) -> float | None:
        """How wide the interval of a cell's success rate may be for it to stop; None runs all."""
        return self.asked.get("until_width")

    @property
    def by(self) -> list[str]:
        """The columns that tell the cells apart."""
        return ["profile", "policy", *self.asked["vary"]]

    @property
    def overrides(self) -> Mapping[str, str]:
        """Keys that are set in all sessions, and their values."""
        return dict(self.asked.get("set", {}))

    @cached_property
    def notes(self) -> list[str]:
        """What is to be known of the overrides, and of what varies."""
        profiles = [cell.profile for cell in self.cells]
        return [*partly_idle(profiles, self.overrides), *same_in_part(profiles, self.asked["vary"])]

    @property
    def name(self) -> str:
        """What the study is called: after its profiles, of which a few are named."""
        names = list(dict.fromkeys(cell.profile.name for cell in self.cells))
        return "-".join(names[:3]) + ("-and-more" if len(names) > 3 else "")

    def __len__(self) -> int:
        """Return how many sessions there may be."""
        return len(self.cells) * self.seeds

    def session(self, number: int) -> PlannedSession:
        """Return a session by its number: cell by cell, and seed by seed.

        Raises
        ------
        InvalidInputError
            If the weather of its seed is too bad, or there is no such seed.
        """
        cell = self.cells[number // self.seeds]
        scenario = Scenario.of(cell.profile, seed=cell.profile.seed + number % self.seeds)
        named = {"profile": cell.profile.name, "policy": scenario.policy_name, "seed": scenario.seed}
        # Where the seed itself varies, it is a number all the same.
        labels = {"session": number, **cell.varied, **named}
        return PlannedSession(number, labels, scenario, cell.alike and f"{cell.alike}-{scenario.seed}")

    def files(self) -> dict[str, bytes]:
        """Return study.toml, and beside it the profile of each cell, with which it can be run again."""
        names = [_file_of(number, cell) for number, cell in enumerate(self.cells)]
        tables = {
            "schema": SCHEMA,
            **self.asked,
            **({"notes": self.notes} if self.notes else {}),
            "versions": versions(),
            "cell": [
                {"file": name, "hash": cell.hash, "varied": dict(cell.varied)}
                for name, cell in zip(names, self.cells, strict=True)
            ],
        }
        texts = {name: cell.text.encode() for name, cell in zip(names, self.cells, strict=True)}
        return {"study.toml": store.utf8(_HEADING + tomli_w.dumps(tables)), **texts}


_HEADING = "# What this study ran. `simlab sweep` of this file runs the same again.\n"


def _file_of(number: int, cell: PlannedCell) -> str:
    words = re.sub(r"[^A-Za-z0-9._-]+", "-", f"{cell.profile.name}-{cell.profile.policy.name}")
    return f"cells/{number:03}-{words}.toml"


def plan(matrix: Matrix) -> Plan:
    """Settle a matrix.

    Raises
    ------
    InvalidInputError
        If anything is wrong, with every fault of every combination.
    """
    _check_width(matrix.until_width)
    cells: list[PlannedCell] = []
    faults: dict[str, None] = {}
    for varied in combinations(matrix.varied):
        overrides = {**matrix.wanted.overrides, **varied}
        try:
            profiles = settled(replace(matrix.wanted, overrides=overrides), varied)
            cells += [PlannedCell(profile, varied) for profile in profiles]
        except InvalidInputError as error:
            typed = {f"--set {key}": f"--vary {key}" for key in varied}
            faults |= dict.fromkeys(renamed(fault, typed) for fault in error.faults)
    faults |= dict.fromkeys(same_cells((one.profile, one.varied) for one in cells))
    if not faults:  # of a part of the cells alone it cannot be told
        faults = dict.fromkeys(_idle(cells, matrix))
    if faults:
        raise InvalidInputError(list(faults))
    return checked(Plan(cells, matrix.tables()))


def _idle(cells: Sequence[PlannedCell], matrix: Matrix) -> list[str]:
    typed = {f"--set {key}": f"--vary {key}" for key in matrix.varied}
    keys = dict.fromkeys([*matrix.wanted.overrides, *matrix.varied])
    return [renamed(fault, typed) for fault in idle([cell.profile for cell in cells], keys, matrix.varied)]


def _check_width(until_width: float | None) -> None:
    if until_width is not None and not 0 < until_width < 1:  # NaN is neither
        raise InvalidInputError([f"--until-width is {until_width}, want more than 0 and less than 1"])


def checked(found: Plan) -> Plan:
    """Look at every session of a plan before the first one runs.

    Raises
    ------
    InvalidInputError
        If one cannot be run, with every fault.
    """
    check_peers(_scenarios(found))
    return found


def _scenarios(found: Plan) -> Iterator[Scenario]:
    for number in range(len(found)):
        yield found.session(number).scenario
