"""The tables of a suite: sweeps, what is expected of them, and what they are compared with."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    PlainSerializer,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    field_validator,
)

from simlab.core.limits import MOST_SEEDS
from simlab.profile import units
from simlab.profile.expect import Expect, Expectation
from simlab.profile.faulty import FaultyKeysError
from simlab.profile.fields import Chance, Duration, Table, listed
from simlab.profile.model import Clock, Name
from simlab.profile.overrides import parse_key

Luck = Literal["fresh", "same"]
Measure = Literal["success_rate", "down_time", "usable_fraction", "attempts", "violations"]
METRICS = tuple(Expect.model_fields)
_AT = re.compile(r"(.*\S)\s+at\s+(\S+)\s*", re.DOTALL)


def _confidence(value: object) -> float:
    chance = units.parse_chance(value)
    if not 0.5 < chance < 1:
        raise ValueError("want more than 50% and less than 100%")
    return chance


Confidence = Annotated[
    float,
    BeforeValidator(_confidence),
    PlainSerializer(units.chance_text),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": units.CHANCE_PATTERN},
                {"type": "number", "exclusiveMinimum": 0.5, "exclusiveMaximum": 1},
            ]
        }
    ),
]


@dataclass(frozen=True, slots=True)
class Expected:
    """An expectation, and how sure one has to be to call it met or failed.

    Parameters
    ----------
    confidence
        Between 0.5 and 1; None leaves it as the table has it.
    """

    expectation: Expectation
    confidence: float | None


class SweepExpect(Expect):
    """``[sweep.expect]``: the metrics of ``[expect]``, of all sessions of a cell together.

    ``">= 0.99 at 99%"`` gives one expectation a confidence of its own.
    """

    confidence: Confidence = 0.95

    @field_validator(*METRICS, mode="wrap")
    @classmethod
    def _at(cls, value: object, read: ValidatorFunctionWrapHandler, _: ValidationInfo) -> Any:
        if value is None:
            return None
        match = _AT.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            return Expected(read(value), None)
        return Expected(read(match[1]), _confidence(match[2]))

    def sure(self) -> list[tuple[Expectation, float]]:
        """Return the expectations that there are, and the confidence of each."""
        values: list[Any] = [getattr(self, name) for name in METRICS]
        return [(one.expectation, one.confidence or self.confidence) for one in values if one is not None]


class Tolerance(Table):
    """``[baseline.tolerance]``: how much worse is not worse yet."""

    down_time_s: Duration = Field(default=0.25, alias="down_time")
    usable_fraction: Chance = 0.005

    def of(self, measure: str) -> float:
        """Return the tolerance of a measure; counts and shares of sessions have none."""
        return {"down_time": self.down_time_s, "usable_fraction": self.usable_fraction}.get(measure, 0.0)


class Baseline(Table):
    """``[baseline]``: what a night is compared with, and by what.

    Parameters
    ----------
    nights
        How many of the latest good nights make the baseline.
    study
        The folder of a study, in place of nights.
    """

    nights: int = Field(default=30, ge=1, le=100_000)
    study: str | None = Field(default=None, min_length=1)
    measures: Annotated[tuple[Measure, ...], BeforeValidator(listed), Field(max_length=5)] = (
        "success_rate",
        "down_time",
        "attempts",
        "violations",
    )
    tolerance: Tolerance = Tolerance()

    @field_validator("measures")
    @classmethod
    def _each_once(cls, measures: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(measures)) < len(measures):
            raise ValueError("want each at most once")
        return measures


Names = Annotated[tuple[str, ...], BeforeValidator(listed), Field(max_length=1000)]


def _keyed(value: object) -> object:
    if isinstance(value, dict):
        for key in value:
            try:
                parse_key(key)
            except ValueError as error:
                raise ValueError(f'{error}, not "{key}"') from None
    return value


Settings = Annotated[dict[str, Any], BeforeValidator(_keyed)]


class Sweep(Table):
    """``[[sweep]]``: profiles, policies and seeds, as ``simlab sweep`` has them.

    Parameters
    ----------
    looks
        In how many parts the sessions are run, with a look at the results after each; what has been found by
        then is not run further.
    luck
        None leaves it as the suite has it.
    """

    name: Name
    profiles: Annotated[tuple[str, ...], BeforeValidator(listed), Field(min_length=1, max_length=1000)]
    policies: Names = ()
    seeds: int = Field(default=20, ge=1, le=MOST_SEEDS)
    seed: int = Field(default=1, ge=0, le=2**62)
    looks: int = Field(default=1, ge=1, le=100)
    luck: Luck | None = None
    clock: Clock | None = None
    set: Settings = Field(default={})
    vary: Settings = Field(default={})
    expect: SweepExpect = SweepExpect()

    @field_validator("looks")
    @classmethod
    def _seeds_for_all(cls, looks: int, info: ValidationInfo) -> int:
        if looks > info.data.get("seeds", looks):
            raise ValueError("want no more looks than seeds")
        return looks


if TYPE_CHECKING:
    Sweeps = tuple[Sweep, ...]
else:
    Sweeps = Annotated[tuple[Sweep, ...], BeforeValidator(listed), Field(min_length=1, max_length=1000)]


class Suite(Table):
    """A whole suite, checked. ``docs/nightly.md`` describes the keys.

    Parameters
    ----------
    alpha
        The chance that a night fails though nothing changed and every expectation is true, at most.
    luck
        ``fresh``: seeds that no night had before; ``same``: the same seeds every night.
    undecided
        Whether an expectation of which the data say too little makes the night fail.
    """

    name: Name = "nightly"
    description: str = ""
    alpha: Chance = 0.01
    luck: Luck = "fresh"
    undecided: Literal["pass", "fail"] = "pass"
    baseline: Baseline = Baseline()
    sweeps: Sweeps = Field(alias="sweep")

    @field_validator("alpha")
    @classmethod
    def _some(cls, alpha: float) -> float:
        if not 0 < alpha < 0.5:
            raise ValueError("want more than 0% and less than 50%")
        return alpha

    @field_validator("sweeps")
    @classmethod
    def _told_apart(cls, sweeps: tuple[Sweep, ...]) -> tuple[Sweep, ...]:
        names = [sweep.name for sweep in sweeps]
        twice = [
            ((number, "name"), "want a name of its own")
            for number, name in enumerate(names)
            if name in names[:number]
        ]
        if twice:
            raise FaultyKeysError(twice)
        return sweeps
