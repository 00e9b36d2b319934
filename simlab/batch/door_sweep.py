"""``simlab.sweep``."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from os import PathLike, cpu_count
from pathlib import Path
from types import MappingProxyType
from typing import Any

from simlab.batch.arguments import check, lists_in, several, told_as_arguments
from simlab.batch.door import all_texts, texts, wanted_of
from simlab.batch.executors import LOCAL, executor_of
from simlab.batch.plan import Matrix, Plan
from simlab.batch.reporting import add_report
from simlab.batch.resume import plan_of
from simlab.batch.resume import resume as resume_sweep
from simlab.batch.study import Study
from simlab.batch.sweep import Sweep
from simlab.core.errors import Interrupted, InvalidInputError
from simlab.profile.model import Clock
from simlab.study.words import count

_NOTHING: Mapping[str, Any] = MappingProxyType({})


@told_as_arguments
def sweep(
    profiles: str | PathLike[str] | Iterable[str | PathLike[str]] = (),
    *,
    policies: str | PathLike[str] | Iterable[str | PathLike[str]] = (),
    seed: int | None = None,
    seeds: int = 20,
    vary: Mapping[str, Iterable[Any]] = _NOTHING,
    until_width: float | None = None,
    clock: Clock | None = None,
    set: Mapping[str, Any] = _NOTHING,  # noqa: A002 - as the option is called
    jobs: int | None = None,
    executor: str = LOCAL,
    out: str | PathLike[str] | None = None,
    resume: bool | str | PathLike[str] = False,
    watch: Callable[[int, int], object] | None = None,
) -> Study:
    """Run each profile with each policy, seed and value.

    Parameters
    ----------
    profiles, policies
        Files or names; without policies, each profile's own. In place of profiles one study that is saved, by
        its folder or its study.toml, runs that again.
    seeds
        How many, from ``seed`` on, or from the profile's own.
    vary
        The values of keys of the profile that take several in turn.
    until_width
        How wide the 95 % interval of a cell's success rate may be for the cell to stop before its last seed.
    set
        Keys that are the same in all sessions.
    jobs
        How many processes; None takes all cores.
    executor
        ``"local"``, or ``"dask://HOST:PORT"``, which does not ask how many jobs.
    out
        The folder to save a study folder in; by default the study is not saved.
    resume
        Go on with the unfinished study of this matrix in ``out``, if there is one, or with the one in this
        folder.
    watch
        Called after each session with how many are over, and how many there may be, for a progress bar.

    Raises
    ------
    InvalidInputError
        If something is wrong with a profile or the other arguments.
    SimlabError
        If the study could not be saved, or the executor cannot go on.
    KeyboardInterrupt
        If the user interrupted; with ``out``, what was over is kept, for ``resume``.
    """
    named, ruled, varied = several(profiles), several(policies), lists_in(vary)
    check(
        profiles=named,
        policies=ruled,
        seed=seed,
        seeds=seeds,
        clock=clock,
        set=set,
        vary=varied,
        until_width=until_width,
        jobs=jobs,
        executor=executor,
        out=out,
        resume=resume,
        watch=watch,
    )
    wanted = wanted_of(named, ruled, seed, seeds, clock, texts(set))
    planned = plan_of(Matrix(wanted, all_texts(varied, "vary"), until_width))
    with (
        closing(executor_of(executor, int(jobs or cpu_count() or 1))) as running,
        _sweep(planned, None if out is None else Path(out), resume) as begun,
    ):
        try:
            begun.run(running, lambda _, most: watch and watch(len(begun.outcomes), most))
        except KeyboardInterrupt:
            raise Interrupted(_kept(begun.leave(), begun)) from None
        study = begun.finish()
    if study.folder is not None:
        add_report(study)
    return study


def _kept(study: Study, begun: Sweep) -> str:
    """Say of a sweep that was interrupted what is kept of it, and how it goes on."""
    over = f"{len(begun.outcomes)} of {count(begun.most, 'session')} over"
    if begun.unfinished is None:
        return f"{over}, and not kept: there is no out"
    if study.folder is None:
        return over
    return f"{over}, and kept: the same with resume={str(study.folder)!r} goes on"


def _sweep(planned: Plan, parent: Path | None, resumed: bool | str | PathLike[str]) -> Sweep:
    if not isinstance(resumed, bool):
        return resume_sweep(planned, Path(resumed).parent, Path(resumed))[0]
    if parent is None:
        if resumed:
            raise InvalidInputError(["resume: want the folder of a study, or out"])
        return Sweep(planned)
    return resume_sweep(planned, parent)[0] if resumed else Sweep.begin(planned, parent)
