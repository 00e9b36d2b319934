"""How many sessions are run, and what is printed of them."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class How:
    """How the sessions of a command are run, and what it prints.

    Parameters
    ----------
    parent
        Where its folder goes.
    jobs
        How many processes.
    """

    parent: Path
    jobs: int
    as_json: bool
    quiet: bool


@dataclass(frozen=True, kw_only=True)
class HowToSweep(How):
    """How a study is run, and what is printed of it.

    Parameters
    ----------
    executor
        ``"local"`` or ``"dask://HOST:PORT"``.
    resume
        None begins anew; an empty text looks in ``parent`` for what to go on with; else its folder.
    """

    executor: str
    resume: str | None
