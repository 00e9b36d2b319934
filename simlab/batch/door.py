"""What ``import simlab`` offers."""

import json
from collections.abc import Mapping
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from simlab import store
from simlab.batch.result import Run, RunTimeline
from simlab.batch.scenarios import Wanted, scenarios
from simlab.batch.session import run_scenario, save
from simlab.batch.study import Study
from simlab.core.errors import InvalidInputError
from simlab.profile.model import Clock

_NOTHING: Mapping[str, Any] = {}


def run(
    profile: str | PathLike[str],
    *,
    policy: str | None = None,
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
    overrides = texts(set)
    policies = () if policy is None else (policy,)
    (scenario,) = scenarios(Wanted([fspath(profile)], policies, seed, 1, clock, overrides))
    if capture and out is None:
        raise InvalidInputError(["capture: want out beside it, the folder to save a run folder in"])
    if out is not None:
        store.prepare(Path(out))
    finished = run_scenario(scenario, Path(out) if capture and out is not None else None)
    if out is not None:
        finished = save(finished, Path(out))
    if finished.interrupted:
        raise KeyboardInterrupt
    return finished


def texts(settings: Mapping[str, Any]) -> dict[str, str]:
    """Write values as after ``--set``."""
    return {key: value_text(value) for key, value in settings.items()}


def value_text(value: Any) -> str:
    """Write a value as after ``--set``: a text stands for itself."""
    return value if isinstance(value, str) else toml_text(value)


def open_saved(folder: str | PathLike[str]) -> Run | Study:
    """Open a run or a study that was saved.

    Raises
    ------
    InvalidInputError
        If the folder holds neither, or one of its files is damaged.
    """
    if store.is_study(Path(folder)):
        return Study.open(Path(folder))
    saved = store.load(Path(folder))
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
    if isinstance(value, int | float):
        return repr(value)
    raise TypeError(f"a profile cannot hold {value!r}")
