"""Check profiles and suites, and print what is wrong with them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from simlab.batch.planning import plan, read_suite
from simlab.batch.scenarios import load_file, suite_at
from simlab.cli.json_out import print_json
from simlab.core.errors import InvalidInputError
from simlab.profile.model import Profile
from simlab.study.words import count


@dataclass(frozen=True)
class Checked:
    """A file that was looked at: a profile, or None where it is a suite or wrong."""

    file: str
    kind: str
    profile: Profile | None
    name: str | None
    problems: Sequence[str] = ()


def check(files: Sequence[str]) -> list[Checked]:
    """Look at each file."""
    return [_suite(file) if suite_at(Path(file)) else _profile(file) for file in files]


def _suite(file: str) -> Checked:
    try:
        suite = read_suite(file)
        plan(suite, file, 1, {})
    except InvalidInputError as error:
        return Checked(file, "suite", None, None, error.faults)
    return Checked(file, "suite", None, suite.name)


def _profile(file: str) -> Checked:
    try:
        profile = load_file(file, {})
    except InvalidInputError as error:
        return Checked(file, "profile", None, None, error.faults)
    return Checked(file, "profile", profile, profile.name)


def print_checked(found: Sequence[Checked], *, as_json: bool) -> None:
    """Print that nothing is wrong; as JSON, what is wrong with each file."""
    if as_json:
        print_json([_as_json(one) for one in found])
        return
    kinds = [one.kind for one in found]
    told = [count(kinds.count(kind), kind) for kind in ("profile", "suite") if kind in kinds]
    click.echo(f"{' and '.join(told)}: nothing is wrong.")


def _as_json(one: Checked) -> dict[str, object]:
    labels = {"file": one.file, "kind": one.kind, "name": one.name}
    return labels | {"ok": not one.problems, "problems": list(one.problems)}
