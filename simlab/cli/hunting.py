"""Run the sessions of ``simlab hunt``, and print what was found."""

import shlex
from collections.abc import Sequence
from contextlib import closing

import click
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from simlab import store
from simlab.batch.executors import LOCAL, Executor, executor_of
from simlab.batch.hunt import Hunt
from simlab.batch.hunt_folder import Found, save_hunt, summary
from simlab.batch.hunt_search import Finding, Search, ran_to_the_end, shrunk_to_the_end
from simlab.batch.outcome import Outcome
from simlab.cli.entry import INTERRUPTED
from simlab.cli.how import How
from simlab.cli.json_out import print_json
from simlab.cli.main import NOT_RUN, UNMET
from simlab.cli.progress import Bar
from simlab.cli.show import echo, say_notes
from simlab.cli.tables import table_of
from simlab.study.proportions import most_where_none
from simlab.study.words import count

_MOST_REASONS = 5


def hunt_and_print(hunt: Hunt, how: How) -> int:
    """Hunt, save and print what was found, and return the exit status.

    Raises
    ------
    SimlabError
        If it could not be saved, or the executor cannot go on.
    """
    search = Search.of(hunt)
    say_notes(search.notes)
    store.prepare(how.parent)
    with closing(executor_of(LOCAL, how.jobs, here=False)) as executor:
        is_over = _is_run(search, executor, how)
        findings = search.findings(how.jobs)
        is_over = is_over and all(_is_shrunk(one, executor, how) for one in findings)
        if not is_over:
            _say_stopping(search)
    found = save_hunt(search, findings, how.parent, again=is_over) if findings else []
    _print(search, found, how)
    if not is_over:
        return INTERRUPTED
    if found:
        return UNMET
    return 0 if len(search.outcomes) > len(search.failures) else NOT_RUN


def _say_stopping(search: Search) -> None:
    if search.outcomes:
        over = f"{len(search.outcomes)} of {count(len(search.sessions), 'session')} over"
        click.echo(f"Stopping, with {over}. Ctrl-C again leaves out what they broke.", err=True)


def _is_run(search: Search, executor: Executor, how: How) -> bool:
    with Bar(len(search.sessions), wanted=not how.quiet) as bar:

        def watch(outcome: Outcome) -> None:
            bar.advance(failed=outcome.failed is not None, total=len(search.sessions))

        return ran_to_the_end(search, executor, watch)


def _is_shrunk(finding: Finding, executor: Executor, how: How) -> bool:
    most, done = finding.shrinking.most, 0
    with Bar(most, wanted=not how.quiet, what=f"Shrinking {finding.invariant}") as bar:

        def tried(number: int) -> None:
            nonlocal done
            for _ in range(number - done):
                bar.advance(failed=False, total=most)
            done = number

        return shrunk_to_the_end(finding, executor, tried)


def _print(search: Search, found: Sequence[Found], how: How) -> None:
    if how.as_json:
        print_json(summary(search, found))
        return
    if how.quiet:
        for one in found:
            click.echo(one.path)
        return
    echo(Text(_searched(search), style="bold"))
    if not found:
        echo(Text(_nothing(search)))
        return
    echo(_table(found))
    for one in found:
        _print_one(one)


def _searched(search: Search) -> str:
    text = f"{len(search.outcomes)} of {count(len(search.sessions), 'session')}"
    failures = search.failures
    if not failures:
        return text
    reasons = dict.fromkeys(f"{one['stage']}: {one['reason']}" for one in failures)
    return f"{text}, {len(failures)} could not be run ({'; '.join(list(reasons)[:_MOST_REASONS])})"


def _nothing(search: Search) -> str:
    seeds = {one.labels["seed"] for one in search.sessions if _was_run(search, one.number)}
    if not seeds:
        return "No session could be run."
    share = most_where_none(len(seeds))
    return f"No invariant was broken: fewer than {share:.1%} of such schedules break one (95 % confidence)."


def _was_run(search: Search, number: int) -> bool:
    outcome = search.outcomes.get(number)
    return outcome is not None and outcome.session is not None


def _table(found: Sequence[Found]) -> Table:
    table = table_of("profile", "policy", "invariant", "broken by", "faults left", "sessions tried")
    for one in found:
        finding, shrinking = one.finding, one.finding.shrinking
        broken = f"{len(finding.seeds)} of {finding.of}"
        left = str(len(shrinking.tables.get("fault", [])))
        table.add_row(finding.profile, finding.policy, finding.invariant, broken, left, str(shrinking.tried))
    return table


def _print_one(one: Found) -> None:
    finding = one.finding
    unfinished = "" if finding.shrinking.is_over else "; it may be made simpler yet"
    echo("", Text(f"{finding.invariant}, policy {finding.policy}{unfinished}", style="bold red"))
    if one.detail is not None:
        echo(_indented(f"{one.detail[0].upper()}{one.detail[1:]}."))
    elif one.run is not None:
        echo(_indented("Run once more, the session did not break it: see --verify-determinism."))
    again = shlex.join(["simlab", "run", str(one.path)])
    echo("", _indented(one.body.strip()), "", _indented(again))


def _indented(text: str) -> Padding:
    return Padding(Text(text), (0, 0, 0, 2), expand=False)
