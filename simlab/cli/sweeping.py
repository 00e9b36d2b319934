"""Run the sessions of ``simlab sweep``, and print what they come to."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from simlab.batch.executors import Executor, executor_of
from simlab.batch.outcome import Outcome
from simlab.batch.plan import Matrix, Plan
from simlab.batch.reporting import add_report
from simlab.batch.resume import plan_of, resume
from simlab.batch.study import Study
from simlab.batch.sweep import Sweep
from simlab.cli.comparing import comparisons
from simlab.cli.entry import INTERRUPTED
from simlab.cli.how import HowToSweep
from simlab.cli.json_out import print_json
from simlab.cli.main import NOT_RUN
from simlab.cli.progress import Bar
from simlab.cli.show import echo, say_notes
from simlab.cli.tables import table_of
from simlab.study.comparison import comparison_json
from simlab.study.proportions import Interval
from simlab.study.recovery_plot import finding
from simlab.study.summary import Cell as Summary
from simlab.study.summary import cell_json
from simlab.study.words import count, ends_text, set_text, share_text

_MOST_REASONS = 5


def sweep_and_print(matrix: Matrix, how: HowToSweep) -> int:
    """Run all, save and print the study, and return the exit status.

    Raises
    ------
    SimlabError
        If the study could not be saved, or the executor cannot go on.
    """
    with closing(executor_of(how.executor, how.jobs, here=False)) as executor:
        planned = plan_of(matrix)
        say_notes(planned.notes)
        with _begun(planned, how) as sweep:
            if _run(sweep, executor, shown=not how.quiet):
                _leave(sweep, how)
                return INTERRUPTED
            study = sweep.finish()
    add_report(study)
    _print(study, sweep.most, how)
    return 0 if study.sessions.height else NOT_RUN


def _begun(planned: Plan, how: HowToSweep) -> Sweep:
    if how.resume is None:
        return Sweep.begin(planned, how.parent)
    folder = Path(how.resume) if how.resume else None
    sweep, told = resume(planned, how.parent, folder)
    for line in told:
        click.echo(line, err=True)
    return sweep


def _run(sweep: Sweep, executor: Executor, *, shown: bool) -> bool:
    """Run the sessions, and tell whether the user interrupted."""
    with Bar(sweep.most, wanted=shown, done=sweep.resumed) as bar:

        def watch(outcome: Outcome, most: int) -> None:
            bar.advance(failed=outcome.failed is not None, total=most)

        try:
            sweep.run(executor, watch)
        except KeyboardInterrupt:
            return True
    return False


def _leave(sweep: Sweep, how: HowToSweep) -> None:
    """Leave a sweep that was interrupted, with what it comes to, unless the user does not wait for that."""
    try:
        if sweep.outcomes:
            over = count(len(sweep.outcomes), "session")
            click.echo(
                f"Stopping, with {over} over and kept. Ctrl-C again leaves out what they come to.", err=True
            )
        _print(sweep.leave(), sweep.most, how)
    except KeyboardInterrupt:
        if not sweep.outcomes:
            raise
    if sweep.outcomes and sweep.unfinished is not None:
        folder = sweep.unfinished.folder
        click.echo(f"Interrupted. To go on: simlab sweep {folder} --resume {folder}", err=True)


def _print(study: Study, wanted: int, how: HowToSweep) -> None:
    summaries = study.recovery() if study.session_rows else []
    if how.as_json:
        found = {
            "folder": None if study.folder is None else str(study.folder),
            "sessions": len(study.session_rows),
            "cells": [cell_json(cell) for cell in summaries],
            "comparisons": [comparison_json(one) for one in study.comparisons()],
            "failures": study.failures,
            "set": study.overrides,
            "notes": study.notes,
        }
        print_json(found)
        return
    if how.quiet:
        if study.folder is not None:
            click.echo(study.folder)
        return
    done = len(study.session_rows) + len(study.failures)
    echo(Text(f"{done} of {count(wanted, 'session')}", style="bold"))
    if summaries:
        echo(_table(study.by, summaries), "", Text(finding(summaries).replace("\n", " "), style="bold"))
    if study.overrides:
        echo(Text(f"Set: {set_text(study.overrides)}", style="dim"))
    if compared := comparisons(study.comparisons()):
        echo("", *compared)
    _print_failures(study)
    if study.folder is not None:
        echo(Text(f"{study.folder}", style="cyan"))


def _table(by: Sequence[str], summaries: Sequence[Summary]) -> Any:
    # A column that says the same in every row says nothing.
    told = [name for name in by if len({cell.labels[name] for cell in summaries}) > 1] or list(by[:2])
    columns = ("sessions", "saved", "outages", "recovered", "half within", "95 % within")
    table = table_of(*told, *columns, "usable", "attempts", "violations")
    for cell in summaries:
        table.add_row(*(str(cell.labels[name]) for name in told), *_row(cell))
    return table


def _row(cell: Summary) -> Iterable[str]:
    low, high = cell.success_interval
    curve = cell.curve
    yield str(cell.sessions)
    yield f"{share_text(cell.success, 0)} ({share_text(low, 0)} - {share_text(high, 0)})"
    yield str(curve.outages)
    yield share_text(curve.recovered / curve.outages, 0) if curve.outages else "-"
    yield _time(cell.median_s, cell.median_interval_s)
    yield _time(cell.p95_s, cell.p95_interval_s)
    yield share_text(cell.usable_fraction)
    yield f"{cell.attempts:.1f}"
    yield str(cell.violations)


def _time(value_s: float, interval_s: Interval) -> str:
    if math.isnan(value_s):
        return "-"
    ends = ends_text(*interval_s)
    return (f"{value_s:.1f} s" if math.isfinite(value_s) else "never") + (f" ({ends})" if ends else "")


def _print_failures(study: Study) -> None:
    reasons = Counter(f"{row['stage']}: {row['reason']}" for row in study.failures)
    for reason, number in reasons.most_common(_MOST_REASONS):
        echo(Text(f"{number} could not be run ({reason})", style="bold red"))
