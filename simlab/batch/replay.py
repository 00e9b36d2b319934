"""The sessions of a study once more: the command that runs one alone, and what it shows."""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from simlab import store
from simlab.batch.many import run_each
from simlab.batch.result import Run
from simlab.batch.resume import plan_again
from simlab.profile.scenario import Scenario
from simlab.report.svg import inline_svg
from simlab.report.values import Replay
from simlab.study.rows import Row, session_row

_REAL_TIME = "It ran in real time, where no session is like another, so it was not run again for this page."
_DIFFERENT = (
    "What was run again differs from what the study has of this session: a version, or the code of a policy, "
    "has changed since."
)


def replays(folder: Path, rows: Sequence[Row], jobs: int) -> list[Replay]:
    """Run sessions of a study again, and return the command, the picture and the account of each.

    Parameters
    ----------
    folder
        The study's, which has all that its sessions need.
    rows
        Of the sessions, or of failures.
    jobs
        How many processes to use.

    Raises
    ------
    InvalidInputError
        If what they need is damaged.
    SimlabError
        If a process died.
    KeyboardInterrupt
        If the user interrupted.
    """
    if not rows:
        return []  # nothing is run, so nothing that is named there is imported
    plan = plan_again(str(folder))
    scenarios = [plan.session(row["session"]).scenario for row in rows]
    wanted = [scenario for scenario in scenarios if _can_be_run(scenario)]
    shown = iter(list(run_each(_shown, wanted, jobs)))
    return [
        _told(command, row, next(shown)) if _can_be_run(scenario) else Replay(command, note=_REAL_TIME)
        for command, row, scenario in zip(commands(folder, rows), rows, scenarios, strict=True)
    ]


def _can_be_run(scenario: Scenario) -> bool:
    return scenario.clock == "virtual"


def commands(folder: Path, rows: Iterable[Row]) -> list[str]:
    """Return for each session the ``simlab run`` that runs it again, for a shell.

    Raises
    ------
    InvalidInputError
        If the folder is no study's.
    """
    tables = store.load_study(folder, ()).matrix
    files = [str(folder / cell["file"]) for cell in tables["cell"]]
    return [
        shlex.join(["simlab", "run", files[row["session"] // tables["seeds"]], "--seed", str(row["seed"])])
        for row in rows
    ]


@dataclass(frozen=True)
class _Shown:
    """What remains of a session that was run again; its ids begin with the hash of its scenario."""

    scenario_hash: str
    headline: str
    svg: str
    account: Sequence[str]
    metrics: Mapping[str, object]
    interrupted: bool


def _shown(run: Run) -> _Shown:
    digest = run.scenario.hash
    svg = inline_svg(run.plot, digest, f"Timeline: {run.headline}")
    return _Shown(digest, run.headline, svg, run.account(), run.metrics, run.interrupted)


def _told(command: str, row: Row, shown: _Shown) -> Replay:
    if shown.interrupted:
        raise KeyboardInterrupt
    same = "stage" in row or _is_same(row, session_row({}, shown.metrics))
    # Two rows may be the same scenario, and ids must differ all the same.
    svg = shown.svg.replace(shown.scenario_hash, f"session-{row['session']}")
    return Replay(command, shown.headline, svg, shown.account, "" if same else _DIFFERENT)


def _is_same(row: Row, again: Row) -> bool:
    return all(row[name] == value for name, value in again.items() if name in row)
