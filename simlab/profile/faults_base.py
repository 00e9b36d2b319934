"""What all ``[[fault]]`` tables have in common: when a fault is, and which other faults it may overlap."""

from typing import Any, Literal

from pydantic import Field

from simlab.core.packet import Direction
from simlab.profile.fields import Duration, PositiveDuration, Table

DirectionName = Literal["both", "up", "down"]


class FaultTable(Table):
    """Something that goes wrong at a moment, and lasts until another."""

    at_s: Duration = Field(alias="at")

    @property
    def until_s(self) -> float:
        """When it is over, in seconds since the session began: at once, unless a kind says otherwise."""
        return self.at_s

    @property
    def group(self) -> str:
        """Faults of one group may not overlap, unless they concern different things: by default, a kind."""
        return str(getattr(self, "kind", ""))

    def concerns_same(self, other: Any) -> bool:
        """Tell whether another fault of the group is about the same packets, requests or processes."""
        return True


class TimedFault(FaultTable):
    """Something that goes wrong for a while."""

    for_s: PositiveDuration = Field(alias="for")

    @property
    def until_s(self) -> float:
        """When it is over, in seconds since the session began."""
        # Rounded, since 0.1 + 0.2 would otherwise be later than a duration of 0.3.
        return round(self.at_s + self.for_s, 9)


class DirectedFault(TimedFault):
    """A fault of one direction, or both: ``up`` is what the client sends, ``down`` what the server sends."""

    direction: DirectionName = "both"

    @property
    def directions(self) -> tuple[Direction, ...]:
        """The directions that it concerns."""
        return tuple(Direction) if self.direction == "both" else (Direction(self.direction),)

    def concerns_same(self, other: Any) -> bool:
        """Tell whether another fault of the group has a direction in common."""
        return bool(set(self.directions) & set(other.directions))
