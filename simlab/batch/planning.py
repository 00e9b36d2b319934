"""From a suite to the sessions of one night."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simlab.batch.door import toml_text
from simlab.batch.files import text_of
from simlab.batch.parts import Part, part_of
from simlab.batch.plan import Matrix, Plan
from simlab.batch.plan import plan as settle
from simlab.batch.scenarios import Wanted
from simlab.batch.vary import values_of
from simlab.core.errors import InvalidInputError
from simlab.profile.overrides import dotted, renamed
from simlab.profile.suite import load_suite
from simlab.profile.suite_tables import Suite, Sweep


@dataclass(frozen=True)
class PlannedSweep:
    """A sweep of a suite, with the seeds of this night."""

    sweep: Sweep
    matrix: Matrix
    plan: Plan
    parts: Sequence[Part]


def read_suite(file: str) -> Suite:
    """Read a suite.

    Raises
    ------
    InvalidInputError
        If it cannot be read, or is wrong.
    """
    return load_suite(text_of(Path(file), "a suite"), file)


def plan(suite: Suite, file: str, night: int, overrides: Mapping[str, str]) -> list[PlannedSweep]:
    """Return the sweeps of a night.

    Parameters
    ----------
    night
        From 1 on. Where luck is fresh, each night has the seeds that follow those of the night before.
    overrides
        Dotted keys and values over those of every sweep.

    Raises
    ------
    InvalidInputError
        If anything is wrong, with every fault of every sweep.
    """
    planned: list[PlannedSweep] = []
    faults: dict[str, None] = {}
    for number, sweep in enumerate(suite.sweeps):
        try:
            planned.append(_planned(sweep, suite, night, overrides))
        except InvalidInputError as error:
            names = _names_in_suite(sweep, number, overrides)
            faults |= {f"{file}: {_in_suite(fault, names, number)}": None for fault in error.faults}
    if faults:
        raise InvalidInputError(list(faults))
    return planned


def _names_in_suite(sweep: Sweep, number: int, overrides: Mapping[str, str]) -> dict[str, str]:
    """Return what ``simlab sweep`` would call an option, and what the suite calls it, if it is from there."""
    here = ("sweep", number)
    names = {f"--set {key}": dotted((*here, "set", key)) for key in sweep.set if key not in overrides}
    names |= {f"--vary {key}": dotted((*here, "vary", key)) for key in sweep.vary}
    return {**names, "--policy": dotted((*here, "policies"))}


def _in_suite(fault: str, names: Mapping[str, str], number: int) -> str:
    told = renamed(fault, names)
    return f"sweep[{number}]: {fault}" if told == fault else told


def _planned(sweep: Sweep, suite: Suite, night: int, overrides: Mapping[str, str]) -> PlannedSweep:
    fresh = (sweep.luck or suite.luck) == "fresh"
    first_seed = sweep.seed + (night - 1) * sweep.seeds * fresh
    settings = {key: _text(value) for key, value in sweep.set.items()} | dict(overrides)
    wanted = Wanted(sweep.profiles, sweep.policies, first_seed, sweep.seeds, sweep.clock, settings)
    matrix = Matrix(wanted, _varied(sweep.vary))
    found = settle(matrix)
    names = [name for name in sweep.profiles for _ in sweep.policies or (None,)]
    parts = [
        part_of(sweep, names[number % len(names)], number, cell, settings)
        for number, cell in enumerate(found.cells)
    ]
    return PlannedSweep(sweep, matrix, found, parts)


def _varied(vary: Mapping[str, Any]) -> dict[str, Sequence[str]]:
    varied: dict[str, Sequence[str]] = {}
    faults = []
    for key, value in vary.items():
        try:
            varied[key] = (
                [_text(one) for one in value] if isinstance(value, list) else values_of(_text(value))
            )
        except ValueError as error:
            faults.append(f"--vary {key}: {error}")
        else:
            if not varied[key]:
                faults.append(f"--vary {key}: want at least one value")
    if faults:
        raise InvalidInputError(faults)
    return varied


def _text(value: Any) -> str:
    try:
        return value if isinstance(value, str) else toml_text(value)
    except TypeError as error:
        raise InvalidInputError([str(error)]) from None
