"""What a user wants of a night, beside what the suite says."""

import shlex
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

    def again(self, suite: str) -> str:
        """Return the command that goes on with a night of a suite."""
        words = ["simlab", "nightly", suite]
        words += [] if self.out is None else ["--out", str(self.out)]
        words += [] if self.trend is None else ["--trend", str(self.trend)]
        words += [word for key, value in self.overrides.items() for word in ("--set", f"{key}={value}")]
        return shlex.join([*words, *(["--accept"] if self.accept else []), "--resume"])
