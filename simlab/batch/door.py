"""What ``import simlab`` offers."""

import json
from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral, Real
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from simlab import store
from simlab.batch.arguments import check, told_as_arguments
from simlab.batch.result import Run, RunTimeline
from simlab.batch.scenarios import Wanted, scenarios
from simlab.batch.session import run_scenario, save
from simlab.batch.study import Study
from simlab.core.errors import Interrupted, InvalidInputError
from simlab.profile.model import Clock

_NOTHING: Mapping[str, Any] = {}


@told_as_arguments
def run(
    profile: str | PathLike[str],
    *,
    policy: str | PathLike[str] | None = None,
    seed: int | None = None,
    clock: Clock | None = None,
    set: Mapping[str, Any] = _NOTHING,  # noqa: A002 - as the option is called
    out: str | PathLike[str] | None = None,
    capture: bool = False,
) -> Run:
    """Run one session.

    Parameters
    ----------
    profile
        A TOML file, or the name of a profile of the catalogue.
    policy, seed, clock
        In place of the profile's own; a policy by its name, its file, or as ``MODULE:NAME``.
    set
        Dotted keys of the profile (``"link.up.delay"``) and their values; a text is read as after ``--set``.
    out
        The folder to save a run folder in; by default the run is not saved.
    capture
        Whether to save the packets, too, with the keys to them; wants ``out``.

    Raises
    ------
    InvalidInputError
        If something is wrong with the profile or the other arguments.
    SimlabError
        If the run could not be saved.
    KeyboardInterrupt
        If the user ended the session; with ``out``, what was recorded is saved before.
    """
    check(profile=profile, policy=policy, seed=seed, clock=clock, set=set, out=out, capture=capture)
    overrides = texts(set)
    policies = () if policy is None else (fspath(policy),)
    (scenario,) = scenarios(wanted_of([fspath(profile)], policies, seed, 1, clock, overrides))
    if capture and out is None:
        raise InvalidInputError(["capture: want out beside it, the folder to save a run folder in"])
    if out is not None:
        store.prepare(Path(out))
    finished = run_scenario(scenario, Path(out) if capture and out is not None else None)
    if out is not None:
        finished = save(finished, Path(out))
    if finished.interrupted:
        kept = f"is saved in {finished.folder}" if finished.folder else "is not kept: there is no out"
        raise Interrupted(f"what was recorded {kept}")
    return finished


def wanted_of(
    profiles: Sequence[str],
    policies: Sequence[str],
    seed: int | None,
    seeds: int,
    clock: Clock | None,
    overrides: Mapping[str, str],
) -> Wanted:
    """Return what is wanted; numbers may be numpy's.

    Raises
    ------
    InvalidInputError
        If no profile is.
    """
    if not profiles:
        raise InvalidInputError(["profiles is empty, want a file or a name, or more"])
    return Wanted(profiles, policies, None if seed is None else int(seed), int(seeds), clock, overrides)


def texts(settings: Mapping[str, Any], option: str = "set") -> dict[str, str]:
    """Write values as after ``--set``.

    Raises
    ------
    InvalidInputError
        If there are some that TOML has nothing like, with every one of them.
    """
    return {
        key: text for key, (text,) in all_texts({key: [one] for key, one in settings.items()}, option).items()
    }


def all_texts(settings: Mapping[str, Iterable[Any]], option: str) -> dict[str, list[str]]:
    """Write several values of each key as after ``--set``: see ``texts``."""
    written: dict[str, list[str]] = {}
    faults = []
    for key, values in settings.items():
        try:
            written[key] = [value_text(value) for value in values]
        except TypeError as error:
            faults.append(f"{option} {key}: {error}")
    if faults:
        raise InvalidInputError(faults)
    return written


def value_text(value: Any) -> str:
    """Write a value as after ``--set``: a text stands for itself.

    Raises
    ------
    TypeError
        If TOML has nothing like it.
    """
    return fspath(value) if isinstance(value, str | PathLike) else toml_text(value)


@told_as_arguments
def open_saved(folder: str | PathLike[str]) -> Run | Study:
    """Open a run or a study that was saved.

    Raises
    ------
    InvalidInputError
        If the folder holds neither, or one of its files is damaged.
    """
    from simlab.study.metrics_shape import metrics_faults  # with pydantic

    check(folder=folder)
    if store.is_study(Path(folder)):
        return Study.open(Path(folder))
    saved = store.load(Path(folder))
    faults = metrics_faults(saved.metrics)
    if faults:
        raise InvalidInputError([f"{saved.folder / store.METRICS}: {fault}" for fault in faults])
    timeline = RunTimeline(saved.timeline.header, saved.timeline.events)
    return Run(saved.scenario, timeline, saved.metrics, saved.folder)


def toml_text(value: Any) -> str:
    """Write a value as TOML on one line.

    Raises
    ------
    TypeError
        If TOML has nothing like it.
    """
    if isinstance(value, Mapping):
        inside = (f"{json.dumps(key, ensure_ascii=False)} = {toml_text(item)}" for key, item in value.items())
        return f"{{ {', '.join(inside)} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(toml_text(item) for item in value)}]"
    if isinstance(value, bool | str):
        return json.dumps(value, ensure_ascii=False)
    # Numbers of numpy, too, whose own repr is "np.float64(0.05)".
    if isinstance(value, Integral):
        return repr(int(value))
    if isinstance(value, Real):
        return repr(float(value))
    raise TypeError(f"a profile cannot hold {value!r}")
