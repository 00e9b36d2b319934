"""``simlab.nightly``."""

import os
from collections.abc import Callable, Mapping
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from simlab.batch.arguments import Faults, check, told_as_arguments
from simlab.batch.door import texts
from simlab.batch.nightly import WANTS_OUT, PlannedNight
from simlab.batch.wishes import Wishes
from simlab.batch.workers import end_if_run_again
from simlab.core.errors import Interrupted, InvalidInputError
from simlab.study.night import Night

_NOTHING: Mapping[str, Any] = {}


@told_as_arguments
def nightly(
    suite: str | PathLike[str],
    *,
    out: str | PathLike[str] | None = None,
    trend: str | PathLike[str] | None = None,
    jobs: int | None = None,
    set: Mapping[str, Any] = _NOTHING,  # noqa: A002 - as the option is called
    accept: bool = False,
    resume: bool = False,
    watch: Callable[[int, int], object] | None = None,
) -> Night:
    """Run the sweeps of a suite, and judge them.

    Parameters
    ----------
    suite
        A TOML file.
    out
        The folder to save in; by default nothing is saved.
    trend
        The file of the nights before, to which this one is added; by default that of the suite in ``out``.
    jobs
        How many processes; None takes all cores.
    set
        Dotted keys and values over those of every sweep.
    accept
        Whether the baseline begins anew with this night.
    resume
        Whether to go on with this night in ``out``, if it was cut short there.
    watch
        Called after each session with how many are over, and how many there may be, for a progress bar.

    Returns
    -------
    Night
        ``passed``, ``finding``, ``cells``; ``simlab.trend`` opens the nights before.

    Raises
    ------
    InvalidInputError
        If something is wrong with the suite, a profile, or the trend.
    NightNotSavedError
        If it could not be saved; its ``night`` is what was found.
    SimlabError
        If the disk was full before the end; what was over is kept, for ``resume``.
    KeyboardInterrupt
        If the user ended it; with ``out``, what was over is kept, for ``resume``.
    """
    faults = Faults()
    with faults.kept():
        check(suite=suite, out=out, trend=trend, jobs=jobs, set=set, accept=accept, watch=watch)
    with faults.kept():
        _check_resume(resume, out)
    faults.tell()
    places = [None if place is None else Path(place) for place in (out, trend)]
    wishes = Wishes(places[0], places[1], int(jobs or os.cpu_count() or 1), texts(set), accept, resume)
    if wishes.jobs > 1:  # before it has folders
        end_if_run_again()
    night = PlannedNight(fspath(suite), wishes).run(watch)
    if night.interrupted:
        kept = "not kept: there is no out" if out is None else "kept: the same with resume=True goes on"
        raise Interrupted(f"what was over is {kept}")
    return night


def _check_resume(resume: bool, out: str | PathLike[str] | None) -> None:
    if not isinstance(resume, bool):
        raise InvalidInputError([f"resume is {resume!r}, want True or False"])
    if resume and out is None:
        raise InvalidInputError([WANTS_OUT])
