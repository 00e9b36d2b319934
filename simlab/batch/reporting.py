"""``report.html``: a study or a run as one page."""

import os
import shlex
from collections.abc import Iterable
from pathlib import Path

from simlab import store
from simlab.batch.link_changes import link_changes
from simlab.batch.replay import commands, replays
from simlab.batch.study import Study
from simlab.report.run_page import run_page
from simlab.report.study_page import study_page
from simlab.report.svg import inline_svg
from simlab.report.values import Found, Replay
from simlab.report.worst import Worst, worst_sessions
from simlab.study.account import account
from simlab.study.headline import headline
from simlab.study.plots import plot_timeline

PAGE = "report.html"
MOST_WORST = 8


def write_report(folder: Path, out: Path | None = None, worst: int = MOST_WORST, jobs: int = 0) -> Path:
    """Write the page of a study folder or a run folder, and return the file.

    Parameters
    ----------
    out
        The file; None puts it into the folder.
    worst
        How many of a study's worst sessions to run again, for their timelines.
    jobs
        How many processes to do so with; 0 takes all cores.

    Raises
    ------
    InvalidInputError
        If the folder holds neither, or one of its files is damaged.
    SimlabError
        If the file could not be written.
    """
    path = out or folder / PAGE
    if store.is_study(folder):
        store.check_place(path)
        text = study_report(Study.open(folder), worst, jobs)
    else:
        text = run_report(folder)
    store.add(path, store.utf8(text))
    return path


def study_report(study: Study, worst: int = MOST_WORST, jobs: int = 0) -> str:
    """Return the page of a study that is saved: see ``write_report``."""
    assert study.folder is not None
    chosen = _worst(study, worst)
    again = replays(study.folder, [one.row for one in chosen], jobs or os.cpu_count() or 1)
    return _page(study, zip(chosen, again, strict=True))


def add_report(study: Study) -> None:
    """Add the page to the folder of a study, without running anything again, which would take seconds.

    Raises
    ------
    SimlabError
        If it could not be written.
    """
    assert study.folder is not None
    chosen = _worst(study, MOST_WORST)
    listed = map(Replay, commands(study.folder, [one.row for one in chosen]))
    store.add(study.folder / PAGE, store.utf8(_page(study, zip(chosen, listed, strict=True))))


def _worst(study: Study, most: int) -> list[Worst]:
    return worst_sessions(study.session_rows, study.outage_rows, study.failures, most)


def _page(study: Study, worst: Iterable[tuple[Worst, Replay]]) -> str:
    assert study.folder is not None
    name = study.folder.resolve().name
    rows = (study.session_rows, study.outage_rows, study.failures)
    again = shlex.join(["simlab", "sweep", str(study.folder)])
    told = (study.overrides, study.notes)
    return study_page(Found(name, study.by, *rows, again, study.comparisons(), list(worst), *told))


def run_report(folder: Path) -> str:
    """Return the page of a run folder.

    Raises
    ------
    InvalidInputError
        If it is none, or one of its files is damaged.
    """
    saved = store.load(folder)
    said = headline(saved.timeline, saved.metrics)
    changes = link_changes(saved.scenario)
    svg = inline_svg(lambda: plot_timeline(saved.timeline, changes=changes), "timeline", f"Timeline: {said}")
    again = shlex.join(["simlab", "run", f"{folder}/scenario.toml"])
    replay = Replay(again, said, svg, account(saved.timeline, saved.metrics, changes))
    return run_page(folder.resolve().name, replay, {**saved.metrics, "policy": saved.scenario.policy_told})
