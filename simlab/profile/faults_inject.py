"""Faults that put packets into the link that nobody has sent."""

from typing import Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from simlab.core.packet import Direction
from simlab.profile.faults_base import DirectionName, FaultTable
from simlab.profile.fields import PositiveDuration

What = Literal[
    "stun-error-401",
    "stun-error-487",
    "stun-bad-integrity",
    "stun-truncated",
    "stun-oversized",
    "dtls-alert",
    "replay",
    "unreachable",
]


class InjectFault(FaultTable):
    """Forged packets, each just before one that gets through, from the same address to the same one.

    Parameters
    ----------
    what
        What they are.
    count
        How many there are in each direction.
    every_s
        How long there is none after each.
    direction
        ``up`` for those that the server gets, ``down`` for those that the client gets.
    """

    kind: Literal["inject"]
    what: What
    count: int = Field(default=1, ge=1, le=100_000)
    every_s: PositiveDuration | None = Field(default=None, alias="every")
    direction: DirectionName = "both"

    @property
    def directions(self) -> tuple[Direction, ...]:
        """The directions that it concerns."""
        return tuple(Direction) if self.direction == "both" else (Direction(self.direction),)

    @property
    def until_s(self) -> float:
        """When the last one can be there at the earliest."""
        return round(self.at_s + (self.count - 1) * (self.every_s or 0.0), 9)

    def concerns_same(self, other: Any) -> bool:
        """Tell that any may overlap: none is in another's way."""
        return False

    @model_serializer(mode="wrap")
    def _without_nothing(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: value for key, value in handler(self).items() if value is not None}
