"""Run sessions twice for ``simlab run --verify-determinism``, and print what differs."""

from collections.abc import Sequence

import click

from simlab.batch.determinism import Twice, verify
from simlab.cli.json_out import print_json
from simlab.cli.main import UNMET
from simlab.profile.scenario import Scenario

_LONGEST = 300


def verify_and_print(scenarios: Sequence[Scenario], *, as_json: bool, quiet: bool) -> int:
    """Run each twice, print what they have in common, and return the exit status.

    Raises
    ------
    InvalidInputError
        If one runs in real time.
    """
    found: list[Twice] = []
    for twice in verify(scenarios):
        found.append(twice)
        if not (as_json or quiet):
            click.echo(_sentence(twice))
    if as_json:
        print_json([_as_json(twice) for twice in found])
    return UNMET if any(twice.line is not None for twice in found) else 0


def _sentence(twice: Twice) -> str:
    of = f"{twice.scenario.profile.name}, policy {twice.scenario.policy_name}, seed {twice.scenario.seed}"
    if twice.line is None:
        return f"{of}: the same {twice.events} events in two processes, byte for byte"
    lines = (line or "nothing" for line in (twice.first, twice.second))
    told = "".join(f"\n  {line[:_LONGEST]}" for line in lines)
    return click.style(f"{of}: line {twice.line} of timeline.jsonl differs", fg="red") + told


def _as_json(twice: Twice) -> dict[str, object]:
    return {
        "profile": twice.scenario.profile.name,
        "policy": twice.scenario.policy_name,
        "seed": twice.scenario.seed,
        "events": twice.events,
        "same": twice.line is None,
        "line": twice.line,
        "first": twice.first,
        "second": twice.second,
    }
