"""Whether a session is the same, byte for byte, in another process."""

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import zip_longest

from simlab.batch.session import run_scenario
from simlab.core.errors import InvalidInputError
from simlab.profile.scenario import Scenario

_SALTS = ("1", "2")  # PYTHONHASHSEED, by which sets of texts are ordered


@dataclass(frozen=True)
class Twice:
    """What two runs of one scenario have in common.

    Parameters
    ----------
    scenario
        What was run.
    events
        How many events the first one has.
    line
        The first line of timeline.jsonl that differs, counted from 1; None if all are the same.
    first, second
        That line in either; None where there is none.
    """

    scenario: Scenario
    events: int
    line: int | None = None
    first: str | None = None
    second: str | None = None


def verify(scenarios: Sequence[Scenario]) -> Iterator[Twice]:
    """Run each scenario in two fresh processes, whose sets have another order, and compare.

    Raises
    ------
    InvalidInputError
        If one runs in real time, where nothing is the same twice.
    """
    real = [one.profile.name for one in scenarios if one.clock != "virtual"]
    if real:
        raise InvalidInputError(
            [f"--verify-determinism: {name} runs under the real clock" for name in dict.fromkeys(real)]
        )
    for scenario in scenarios:
        first, second = (_in_fresh_process(scenario, salt) for salt in _SALTS)
        yield compared(scenario, first, second)


def compared(scenario: Scenario, first: str, second: str) -> Twice:
    """Return where two timelines, as text, begin to differ."""
    lines = first.splitlines()
    for number, (one, other) in enumerate(zip_longest(lines, second.splitlines()), start=1):
        if one != other:
            return Twice(scenario, len(lines) - 1, number, one, other)
    return Twice(scenario, len(lines) - 1)


def _in_fresh_process(scenario: Scenario, salt: str) -> str:
    with _hash_seed(salt), ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as executor:
        return executor.submit(_text, scenario).result()


def _text(scenario: Scenario) -> str:
    return run_scenario(scenario).timeline.to_text()


@contextmanager
def _hash_seed(salt: str) -> Iterator[None]:
    before = os.environ.get("PYTHONHASHSEED")
    os.environ["PYTHONHASHSEED"] = salt
    try:
        yield
    finally:
        del os.environ["PYTHONHASHSEED"]
        if before is not None:
            os.environ["PYTHONHASHSEED"] = before
