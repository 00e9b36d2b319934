"""What a user wants of a night, beside what the suite says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Wishes:
    """How to run a night, beside what the suite says.

    Parameters
    ----------
    out
        Where the folders go; None saves nothing but the trend, if that is named.
    trend
        The file of the nights before, to which this one is added; None is ``SUITE-trend.jsonl`` in ``out``.
    overrides
        Dotted keys and values over those of every sweep.
    accept
        Whether this night is as it should be: the baseline begins anew with it.
    resume
        Whether to go on with this night, if it was cut short.
    """

    out: Path | None
    trend: Path | None
    jobs: int
    overrides: Mapping[str, str] = field(default_factory=dict)
    accept: bool = False
    resume: bool = False
