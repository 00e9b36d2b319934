"""Print what the links of profiles do, against what the profiles ask for."""

from collections.abc import Sequence
from dataclasses import asdict

import click
from rich.text import Text

from simlab.cli.json_out import print_json
from simlab.cli.show import echo
from simlab.cli.tables import table_of
from simlab.measure import Row, judged, measure
from simlab.profile.model import Profile
from simlab.profile.scenario import Scenario

OFF = 1
_STYLES = {True: "", False: "bold red", None: "dim"}
_WORDS = {True: "holds", False: "is off", None: "not judged"}


def print_measured(profiles: Sequence[Profile], seed: int | None, level: float, as_json: bool) -> int:
    """Measure profiles, print a row for each setting, and return the exit status: ``OFF`` if one is off.

    Parameters
    ----------
    seed
        None is each profile's own.
    level
        For all of them together: the chance of taking anything for wrong that is not.
    """
    all_rows = judged([measure(Scenario.of(profile, seed=seed)) for profile in profiles], level)
    off = [row for rows in all_rows for row in rows if row.held is False]
    if as_json:
        print_json(
            [
                {"profile": profile.name, "measured": [asdict(row) for row in rows]}
                for profile, rows in zip(profiles, all_rows, strict=True)
            ]
        )
        return OFF if off else 0
    for profile, rows in zip(profiles, all_rows, strict=True):
        _print(profile.name, rows)
    number = sum(row.held is not None for rows in all_rows for row in rows)
    told = f"{len(off)} of {number} are off" if off else f"All {number} hold"
    click.echo(f"{told}, at a level of {level:g} for all of them together.")
    return OFF if off else 0


def _print(name: str, rows: Sequence[Row]) -> None:
    table = table_of("", "setting", "requested", "realised", "allowed", "")
    for row in rows:
        table.add_row(
            row.direction,
            row.what,
            row.requested,
            row.realised,
            row.allowed,
            _WORDS[row.held],
            style=_STYLES[row.held],
        )
    echo(Text(name, style="bold"), table)
    click.echo()
