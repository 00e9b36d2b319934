"""Run the sessions of ``simlab run``, and print what became of them."""

from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import Any

import click

from simlab import store
from simlab.batch.many import run_all
from simlab.batch.result import Run
from simlab.cli import show
from simlab.cli.entry import INTERRUPTED
from simlab.cli.json_out import print_json
from simlab.cli.main import NOT_RUN, UNMET
from simlab.cli.progress import Bar
from simlab.cli.show_policies import by_policy
from simlab.profile.policy_words import keys_of
from simlab.profile.scenario import Scenario


class Printing(Enum):
    """What goes to stdout."""

    ACCOUNTS = "accounts"
    FOLDERS = "folders"
    JSON = "json"

    @staticmethod
    def of(as_json: bool, quiet: bool) -> "Printing":
        """Choose by the options; JSON wins, since a program waits for it."""
        if as_json:
            return Printing.JSON
        return Printing.FOLDERS if quiet else Printing.ACCOUNTS


def run_and_print(
    scenarios: Sequence[Scenario], parent: Path, jobs: int, printing: Printing, capture: bool = False
) -> int:
    """Run all, print all, and return the exit status.

    Parameters
    ----------
    capture
        Whether to save the packets, too.

    Raises
    ------
    SimlabError
        If a run could not be saved.
    """
    store.prepare(parent)
    runs: list[Run] = []
    interrupted = False
    try:
        with Bar(len(scenarios), wanted=printing is not Printing.FOLDERS) as bar:
            for run in run_all(scenarios, parent, jobs, capture):
                runs.append(run)
                with bar.one_done():
                    _print_one(run, printing)
    except KeyboardInterrupt:
        interrupted = True
    _print_all(runs, len(scenarios), printing)
    return INTERRUPTED if interrupted else exit_status(runs)


def _print_all(runs: Sequence[Run], wanted: int, printing: Printing) -> None:
    if printing is Printing.JSON:
        found = [record(run) for run in runs]
        print_json(found[0] if wanted == 1 and found else found)
    elif printing is Printing.ACCOUNTS and wanted > 1:
        show.summary(runs, wanted)
        compared = tuple(by_policy(runs))
        if compared:
            show.echo(*compared)


def _print_one(run: Run, printing: Printing) -> None:
    if printing is Printing.ACCOUNTS:
        show.run(run)
        return
    if run.failed is not None:
        click.echo(f"{run.scenario}: {run.headline}", err=True)
    if printing is Printing.FOLDERS:
        click.echo(run.folder)


def record(run: Run) -> dict[str, Any]:
    """Return what ``--json`` prints of a run: the metrics, the folder, and why it failed, if it did.

    What is changed in its policy is beside that, too.
    """
    return run.metrics | {
        "policy_keys": keys_of(run.scenario.profile.policy),
        "folder": str(run.folder),
        "failed": None if run.failed is None else dict(run.failed.data),
    }


def exit_status(runs: Sequence[Run]) -> int:
    """Return 3 where a session failed, 1 where an expectation did, else 0."""
    if any(run.failed is not None for run in runs):
        return NOT_RUN
    return UNMET if any(run.unmet for run in runs) else 0
