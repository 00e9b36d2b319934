"""``[[weather]]``: faults drawn at random from the seed, over time, before the session starts.

They depend on the seed and the profile alone, so every policy meets the same ones.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from simlab.core.errors import InvalidInputError
from simlab.core.rng import stream, uniforms
from simlab.profile.faults import KINDS, Fault, collide
from simlab.profile.faults_base import DirectionName
from simlab.profile.faulty import FaultyKeysError, Path
from simlab.profile.fields import Table, listed
from simlab.profile.spread import Spread
from simlab.profile.units import duration_text

if TYPE_CHECKING:
    from simlab.profile.model import Profile

MOST_FAULTS = 1000


class Weather(Table):
    """A kind of fault that comes and goes.

    Parameters
    ----------
    every
        The quiet time before each fault, from the end of the one before.
    lasts
        How long each lasts: ``for`` in TOML.
    direction, match, how
        As in a ``[[fault]]`` of that kind.
    """

    kind: Literal["blackout", "block", "pause", "signalling"]
    every: Spread
    lasts: Spread = Field(alias="for")
    direction: DirectionName | None = None
    match: Annotated[tuple[str, ...] | None, BeforeValidator(listed)] = None
    how: str | None = None

    @model_validator(mode="after")
    def _makes_faults(self) -> "Weather":
        try:
            self.fault(0.0, 1.0)
        except ValidationError as error:
            raise FaultyKeysError([self._wanted(details) for details in error.errors()]) from None
        return self

    def _wanted(self, details: ErrorDetails) -> tuple[Path, str]:
        if not details["loc"]:  # what a block has to match: weather has but this key for it
            return ("match",), f"want it for a {self.kind}"
        key = details["loc"][0]
        if details["type"] == "extra_forbidden":
            return (key,), f"want no such key for a {self.kind}"
        if details["type"] == "missing":
            return (key,), f"want it for a {self.kind}"
        return (key,), details["msg"].removeprefix("Value error, ")

    def fault(self, at_s: float, for_s: float) -> Fault:
        """Return one of its faults.

        Raises
        ------
        pydantic.ValidationError
            If its kind lacks a key, or has no such key.
        """
        keys = {"direction": self.direction, "match": self.match, "how": self.how}
        given: dict[str, Any] = {name: value for name, value in keys.items() if value is not None}
        given |= {"match": list(self.match)} if self.match is not None else {}
        times = {"at": duration_text(at_s), "for": duration_text(for_s)}
        fault: Any = KINDS[self.kind].model_validate({"kind": self.kind, **times, **given})
        return fault  # type: ignore[no-any-return]


def settle(profile: "Profile", seed: int) -> tuple[Fault, ...]:
    """Return the profile's faults, and those that its weather draws from the seed.

    A drawn fault that would overlap another of its kind is left out.

    Raises
    ------
    InvalidInputError
        If there would be more than 1000.
    """
    faults = list(profile.faults)
    for number, weather in enumerate(profile.weather):
        for fault in _drawn(weather, number, seed, profile.duration_s):
            if not any(collide(fault, other) for other in faults):
                faults.append(fault)
            if len(faults) > MOST_FAULTS:
                raise InvalidInputError([f"weather[{number}] draws more than {MOST_FAULTS} faults"])
    return tuple(faults)


def _drawn(weather: Weather, number: int, seed: int, duration_s: float) -> Iterator[Fault]:
    draws = uniforms(stream(seed, "weather", str(number)))
    at_s = 0.0
    while True:
        at_s = round(at_s + weather.every.at(next(draws)), 3)
        for_s = round(max(0.001, weather.lasts.at(next(draws))), 3)
        for_s = round(min(for_s, duration_s - at_s), 6)
        if for_s <= 0:
            return
        yield weather.fault(at_s, for_s)
        at_s += for_s
