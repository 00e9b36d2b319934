"""Run and print a night."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from simlab import store
from simlab.batch.nightly import NightNotSavedError, PlannedNight
from simlab.cli.entry import INTERRUPTED
from simlab.cli.json_out import print_json
from simlab.cli.main import NOT_RUN, UNMET
from simlab.cli.progress import Bar
from simlab.cli.show import echo, say_notes
from simlab.cli.tables import table_of
from simlab.report.junit import junit
from simlab.report.markdown import markdown, numbers_of
from simlab.study.night import Night, NightCell
from simlab.study.summary import cell_json
from simlab.study.words import count


@dataclass(frozen=True)
class Files:
    """Where JUnit XML and Markdown are written besides; None is nowhere."""

    junit: Path | None
    markdown: Path | None


def run_and_print(planned: PlannedNight, files: Files, *, as_json: bool, quiet: bool) -> int:
    """Run all, save and print the night, and return the exit status.

    Raises
    ------
    SimlabError
        If it could not be saved; then it is printed before, if all of it was run.
    """
    say_notes(planned.notes)
    night, unsaved = _run(planned, shown=not quiet)
    _show(night, as_json=as_json, quiet=quiet)
    if files.junit is not None:
        store.add(files.junit, junit(night))
    if files.markdown is not None:
        store.add(files.markdown, store.utf8(markdown(night)))
    if unsaved is not None:
        raise unsaved
    if night.interrupted and planned.wishes.out is not None:
        click.echo(f"Interrupted. To go on: {planned.wishes.again(planned.file)}", err=True)
    return exit_status(night)


def _run(planned: PlannedNight, *, shown: bool) -> tuple[Night, NightNotSavedError | None]:
    """Run it, and return what was found, and what was wrong where it could not be saved."""
    with planned.begun() as begun:
        for line in begun.told:
            click.echo(line, err=True)
        with Bar(planned.sessions, wanted=shown, done=begun.resumed) as bar:
            try:
                advance = partial(bar.advance, total=planned.sessions)
                return begun.run(lambda failed: advance(failed=failed), _say_stopping), None
            except NightNotSavedError as error:
                return error.night, error


def _say_stopping(over: int) -> None:
    if over:
        told = f"Stopping, with {count(over, 'session')} over and kept."
        click.echo(f"{told} Ctrl-C again leaves out what they come to.", err=True)


def _show(night: Night, *, as_json: bool, quiet: bool) -> None:
    if as_json:
        print_json(night_json(night))
    elif not quiet:
        _print(night)
    elif night.folder is not None:
        click.echo(night.folder)


def exit_status(night: Night) -> int:
    """Return 130 where the user interrupted, 1 where something failed, 3 where sessions could not be run."""
    if night.interrupted:
        return INTERRUPTED
    if not night.passed:
        return UNMET
    return NOT_RUN if night.not_run else 0


def night_json(night: Night) -> dict[str, Any]:
    """Return what ``--json`` prints of a night."""
    return {
        "suite": night.suite,
        "night": night.number,
        "passed": night.passed,
        "finding": night.finding,
        "alpha": night.alpha,
        "commit": night.commit,
        "versions": dict(night.versions),
        "folder": night.folder,
        "trend": night.trend,
        "missing": list(night.missing),
        "notes": list(night.notes),
        "trend_changes": list(night.trend_changes),
        "cells": [_cell_json(cell) for cell in night.cells],
    }


def _cell_json(cell: NightCell) -> dict[str, Any]:
    return {
        **cell.labels,
        "summary": None if cell.summary is None else cell_json(cell.summary),
        "failures": list(cell.failures),
        "stopped_early": cell.stopped,
        "changed": cell.changed or None,
        "checks": [
            {key: value for key, value in asdict(check).items() if key != "labels"} for check in cell.checks
        ],
        "worst": [{"what": told, "command": line} for told, line in cell.replays],
    }


def _print(night: Night) -> None:
    echo(_table(night.cells), "")
    for cell in night.cells:
        if cell.alarms:
            echo(*(Text(f"{cell.name}: {check.told}", style="bold red") for check in cell.alarms))
            echo(*(Text(f"  {command}", style="dim") for _, command in cell.replays))
    for cell, check in night.undecided:
        echo(Text(f"{cell.name}: {check.told}", style="dim"))
    for cells, told in night.changes:
        echo(Text(f"{cells}: {told}", style="yellow"))
    for told in night.trend_told:
        echo(Text(told, style="magenta"))
    if night.alarms or night.undecided or night.changes or night.trend_changes:
        click.echo()
    echo(Text(night.finding, style="bold" if night.passed else "bold red"))
    for place in (night.folder, night.trend):
        if place is not None:
            echo(Text(place, style="cyan"))


def _table(cells: Sequence[NightCell]) -> Any:
    # A column that says the same in every row says nothing.
    keys = list(dict.fromkeys(key for cell in cells for key in cell.labels))
    told = [key for key in keys if len({cell.labels.get(key) for cell in cells}) > 1] or keys[:3]
    headings = ("sessions", "saved", "95 % within", "usable", "violations", "baseline")
    table = table_of(*told, *headings, "expected")
    for cell in cells:
        style = "bold red" if cell.alarms or cell.failures else ""
        labels = (str(cell.labels.get(key, "-")) for key in told)
        table.add_row(*labels, *numbers_of(cell), _expected(cell), style=style)
    return table


def _expected(cell: NightCell) -> str:
    verdicts = [check.verdict for check in cell.checks if check.kind == "expectation"]
    parts = [(word, verdicts.count(word)) for word in ("met", "failed", "can't be told")]
    return ", ".join(f"{number} {word}" for word, number in parts if number) or "-"
