"""Many sessions, of which the metrics remain: each profile with each policy, seed and value of a key."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import tomli_w

from simlab.batch.many import run_each
from simlab.batch.outcome import Outcome, outcome_of
from simlab.batch.result import Run
from simlab.batch.scenarios import Wanted, scenarios
from simlab.batch.vary import combinations
from simlab.core.errors import InvalidInputError
from simlab.profile.scenario import Scenario


@dataclass(frozen=True)
class Matrix:
    """What a study runs.

    Parameters
    ----------
    wanted
        Profiles, policies and seeds, and what is the same in all of them.
    varied
        The values of each key that varies.
    """

    wanted: Wanted
    varied: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def files(self) -> dict[str, bytes]:
        """Return study.toml: what is run, as it was named."""
        wanted = self.wanted
        tables: dict[str, Any] = {
            "profiles": list(wanted.profiles),
            "policies": list(wanted.policies),
            "seeds": wanted.seeds,
            **({} if wanted.seed is None else {"seed": wanted.seed}),
            **({} if wanted.clock is None else {"clock": wanted.clock}),
            "set": dict(wanted.overrides),
            "vary": {key: list(values) for key, values in self.varied.items()},
        }
        return {"study.toml": tomli_w.dumps(tables).encode()}


@dataclass(frozen=True)
class Cell:
    """A scenario of a study, and the values of the keys that vary."""

    number: int
    scenario: Scenario
    varied: Mapping[str, str]

    @property
    def labels(self) -> dict[str, Any]:
        """What tells its rows from the others'."""
        profile = self.scenario.profile.name
        named = {"profile": profile, "policy": self.scenario.policy_name, "seed": self.scenario.seed}
        # Where the seed itself varies, it is a number all the same.
        return {"session": self.number, **self.varied, **named}


def cells(matrix: Matrix) -> list[Cell]:
    """Return the scenarios of a study: profile by profile, policy by policy, seed by seed, value by value.

    Raises
    ------
    InvalidInputError
        If anything is wrong, with every fault of every combination.
    """
    found: list[tuple[Mapping[str, str], Scenario]] = []
    faults: dict[str, None] = {}
    for varied in combinations(matrix.varied):
        overrides = {**matrix.wanted.overrides, **varied}
        try:
            found += [(varied, one) for one in scenarios(replace(matrix.wanted, overrides=overrides))]
        except InvalidInputError as error:
            faults |= dict.fromkeys(error.faults)
    if faults:
        raise InvalidInputError(list(faults))
    return [Cell(number, scenario, varied) for number, (varied, scenario) in enumerate(found)]


def name_of(cells: Sequence[Cell]) -> str:
    """Return what a study is called: after its profiles, of which a few are named."""
    names = list(dict.fromkeys(cell.scenario.profile.name for cell in cells))
    return "-".join(names[:3]) + ("-and-more" if len(names) > 3 else "")


def run_cells(cells: Sequence[Cell], jobs: int = 1) -> Iterator[Outcome]:
    """Run the sessions, and yield what became of each, in their order, whatever the number of jobs.

    Raises
    ------
    SimlabError
        If a process died.
    KeyboardInterrupt
        If the user interrupted.
    """
    outcomes = run_each(_keep, [cell.scenario for cell in cells], jobs)
    for cell, run in zip(cells, outcomes, strict=False):
        if not run.interrupted:
            yield outcome_of(cell.labels, run)


def _keep(run: Run) -> Run:
    return run
