"""Studies that are to go on, and studies that are to be run again."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from simlab import store
from simlab.batch.plan import SCHEMA, Matrix, Plan, PlannedCell, checked, hash_of, plan
from simlab.batch.policies import why_not_python
from simlab.batch.sweep import Sweep
from simlab.core.errors import InvalidInputError
from simlab.profile.header import versions
from simlab.profile.load import load
from simlab.reconnect.policy import POLICIES

MATRIX = store.MATRIX


def names_a_study(name: str) -> bool:
    """Tell whether what is named in place of a profile is a study: its folder, or its study.toml."""
    path = Path(name)
    return (path.name == MATRIX and path.is_file()) or store.is_study(path)


def plan_of(matrix: Matrix) -> Plan:
    """Settle a matrix, or the one that a study ran which is named in place of profiles.

    Raises
    ------
    InvalidInputError
        If anything is wrong, with every fault of every combination.
    """
    profiles = matrix.wanted.profiles
    studies = [name for name in profiles if names_a_study(name)]
    if not studies:
        return plan(matrix)
    wanted = matrix.wanted
    others = {
        "other profiles": profiles[1:],
        "policies": wanted.policies,
        "seed": wanted.seed is not None,
        "clock": wanted.clock,
        "settings": wanted.overrides,
        "varying keys": matrix.varied,
        "width": matrix.until_width,
    }
    given = [name for name, value in others.items() if value]
    if given:
        raise InvalidInputError([f"{studies[0]}: is a whole study: it takes no {', no '.join(given)}"])
    return plan_again(studies[0])


def plan_again(name: str) -> Plan:
    """Return the plan of a study that was run before, by its folder or its study.toml.

    It does not depend on the profiles and policy files that the study was made of.

    Raises
    ------
    InvalidInputError
        If it is damaged, or was written by another version of simlab that wrote it in another way.
    """
    folder = Path(name).parent if Path(name).name == MATRIX else Path(name)
    return checked(_plan_in(folder, imports=True))


def cells_of(folder: str) -> Sequence[PlannedCell]:
    """Return the cells of a study; no code that they name is imported.

    Raises
    ------
    InvalidInputError
        If it is damaged, or was written by another version of simlab that wrote it in another way.
    """
    return _plan_in(Path(folder), imports=False).cells


def _plan_in(folder: Path, *, imports: bool) -> Plan:
    tables = store.load_study(folder, ()).matrix
    path = folder / MATRIX
    if tables.get("schema") != SCHEMA:
        raise InvalidInputError([f"{path}: schema is {tables.get('schema')!r}, want {SCHEMA}"])
    try:
        cells = [_cell(folder, cell, imports=imports) for cell in tables["cell"]]
        asked = {name: tables[name] for name in _ASKED if name in tables}
        found = Plan(cells, asked)
        _ = (found.seeds, found.by, found.until_width)
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInputError([f"{path}: is not what simlab wrote: {error!r}"]) from error
    return found


_ASKED = ("profiles", "policies", "seeds", "seed", "clock", "until_width", "set", "vary")
NIGHT = "night"
"""The key of study.toml that says which night a study is of; one that is run again is of none."""


def _cell(folder: Path, cell: Mapping[str, Any], *, imports: bool) -> PlannedCell:
    path = folder / cell["file"]
    text = store.load_study(folder, (cell["file"],)).files[cell["file"]].decode(errors="surrogateescape")
    profile = load(text, str(path), policies=POLICIES)
    policy = profile.policy
    reason = why_not_python(policy.name) if policy.is_code and imports else None
    if reason:
        raise InvalidInputError([f'{path}: policy.name is "{policy.name}", {reason}'])
    if hash_of(text) != cell["hash"]:
        raise InvalidInputError([f"{path}: was changed since the study ran: {MATRIX} has another hash"])
    return PlannedCell(profile, cell["varied"])


def resume(
    plan: Plan, parent: Path, folder: Path | None = None, name: str | None = None
) -> tuple[Sweep, list[str]]:
    """Go on with a study that was not finished, or begin it if there is none.

    Parameters
    ----------
    parent
        Where one of the same matrix is looked for, the newest first.
    folder
        Which one it is to be; None looks for it.
    name
        What it is called; None calls one that is begun as the plan is, and goes on with any.

    Returns
    -------
    Sweep, list of str
        The study, and what is to be said of it, as sentences.

    Raises
    ------
    InvalidInputError
        If that one is of another matrix, is damaged, or another process is running it.
    """
    if folder is not None:
        different = _differences(plan, folder)
        if different:
            raise InvalidInputError([f"--resume {folder}: {what}" for what in different])
        return _going_on(plan, folder)
    store.prepare(parent)
    others = []
    for found in store.unfinished_studies(parent, f"-{name}" if name else ""):
        different = _differences(plan, found)
        if not different:
            return _going_on(plan, found)
        others.append(f"{found} is another study: {'; '.join(different)}")
    return Sweep.begin(plan, parent, name), [*others, f"Nothing to go on with in {parent}: begun anew."]


def _going_on(plan: Plan, folder: Path) -> tuple[Sweep, list[str]]:
    sweep = Sweep(plan, store.Unfinished(folder))
    return sweep, [f"Going on with {folder}: {sweep.resumed} of {sweep.most} sessions are there."]


def _differences(plan: Plan, folder: Path) -> list[str]:
    """Say what an unfinished study has that the plan has not, or the other way round."""
    if not store.is_unfinished(folder):
        return ["is not an unfinished study"]
    tables = store.load_study(folder, ()).matrix
    told = [
        f"{name} is {_shown(tables.get(name))} there, and {_shown(plan.asked.get(name))} here"
        for name in (*_ASKED, NIGHT)
        if tables.get(name) != plan.asked.get(name)
    ]
    cells = [(cell["hash"], cell["varied"]) for cell in tables.get("cell", [])]
    if not told and cells != [(cell.hash, dict(cell.varied)) for cell in plan.cells]:
        told.append(f"a profile or a policy was changed since; {folder / MATRIX} runs what it was")
    then, now = tables.get("versions", {}), versions()
    told += [
        f"{name} was {then.get(name)}, and is {now.get(name)}"
        for name in dict.fromkeys([*then, *now])
        if then.get(name) != now.get(name)
    ]
    return told


def _shown(value: object) -> str:
    return "not given" if value is None else str(value)
