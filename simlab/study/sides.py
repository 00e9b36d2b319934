"""One side of a comparison: its sessions and their outages."""

import math
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from simlab.study.outages import UNWANTED
from simlab.study.restricted import Waits
from simlab.study.rows import Row

Floats = npt.NDArray[np.float64]
Key = tuple[Any, ...]


@dataclass(frozen=True)
class Side:
    """Sessions that are compared with others.

    Parameters
    ----------
    sessions, outages
        As ``study.rows`` makes them.
    """

    sessions: Sequence[Row]
    outages: Sequence[Row]

    @property
    def seeds(self) -> Set[int]:
        """The seeds of its sessions."""
        return frozenset(self.seed_of_each)

    @property
    def seed_of_each(self) -> list[int]:
        """The seed of each session, in order."""
        return [row["seed"] for row in self.sessions]

    def keys(self, key: Sequence[str]) -> Set[Key]:
        """Return what its sessions have in the columns ``key``."""
        return frozenset(tuple(row[name] for name in key) for row in self.sessions)

    def only(self, key: Sequence[str], wanted: Set[Key]) -> "Side":
        """Return the sessions of some keys, and their outages."""
        return self._filtered(lambda row: tuple(row[name] for name in key) in wanted)

    def _filtered(self, is_wanted: Callable[[Row], bool]) -> "Side":
        return Side(
            [row for row in self.sessions if is_wanted(row)], [r for r in self.outages if is_wanted(r)]
        )

    def sorted_by(self, key: Sequence[str]) -> "Side":
        """Return the same with its sessions in the order of the columns ``key``."""
        return Side(sorted(self.sessions, key=lambda row: [str(row[name]) for name in key]), self.outages)

    def column(self, name: str) -> Floats:
        """Return a number of each session."""
        return np.array([row[name] for row in self.sessions], dtype=float)

    @cached_property
    def longest_s(self) -> Floats:
        """The longest outage of each session: 0 without any, infinite if never over, or never connected.

        One that the user did not want to the end counts with as long as it was watched.
        """
        found: dict[int, float] = {}
        for row in self.outages:
            waited_s = row["waited_s"] if row["recovered"] or row.get("outcome") == UNWANTED else math.inf
            found[row["session"]] = max(found.get(row["session"], 0.0), waited_s)
        return np.array([_longest_s(row, found) for row in self.sessions])

    def waits(self, number_of: Mapping[int, int]) -> Waits:
        """Return its outages, each with the number of its seed."""
        rows = self.outages
        return Waits.of(
            [row["waited_s"] for row in rows],
            [row["recovered"] for row in rows],
            [number_of[row["seed"]] for row in rows],
        )


def _longest_s(session: Row, found: Mapping[int, float]) -> float:
    if session["connect_bot_ready_s"] is None:
        return math.inf
    return found.get(session["session"], 0.0)


def units_of(one: Side, other: Side, *, paired: bool) -> tuple[dict[int, int], dict[int, int]]:
    """Number the seeds of each side: the same seeds alike where the sides are paired."""
    if paired:
        shared = {seed: number for number, seed in enumerate(sorted(one.seeds | other.seeds))}
        return shared, shared
    first, second = ({seed: n for n, seed in enumerate(sorted(side.seeds))} for side in (one, other))
    return first, second
