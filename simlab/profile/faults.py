"""The ``[[fault]]`` tables: what goes wrong with the network, from when to when."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    PlainSerializer,
    PlainValidator,
    Tag,
    WithJsonSchema,
)

from simlab.core.packet import Direction, PacketClass, classes_named
from simlab.profile.faulty import Path
from simlab.profile.fields import Duration, PositiveDuration, Table, listed, tag_of
from simlab.profile.nearest import one_of, quoted
from simlab.profile.units import duration_text, parse_duration_s

_PLAIN_HOWS = ("refused", "reset", "hang", "lost-response")
_WANT_HOW = (
    'want "status N" with N from 400 to 599, "refused", "reset", "hang", "slow DURATION" or "lost-response"'
)


@dataclass(frozen=True, slots=True)
class SignallingHow:
    """What happens to a request of the signalling.

    Parameters
    ----------
    kind
        ``"status"``, ``"refused"``, ``"reset"``, ``"hang"``, ``"slow"`` or ``"lost-response"``.
    status
        The HTTP status that is answered, for ``"status"``.
    wait_s
        How long the request is held up, for ``"slow"``.
    """

    kind: str
    status: int | None = None
    wait_s: float | None = None

    @property
    def text(self) -> str:
        """Return it as the profile has it."""
        if self.status is not None:
            return f"status {self.status}"
        return self.kind if self.wait_s is None else f"slow {duration_text(self.wait_s)}"


def parse_how(value: object) -> SignallingHow:
    """Read ``"status 503"``, ``"slow 3s"`` and so on.

    Raises
    ------
    ValueError
        If it is none of these.
    """
    text = value if isinstance(value, str) else ""
    if text in _PLAIN_HOWS:
        return SignallingHow(text)
    if re.fullmatch("status [45][0-9][0-9]", text):
        return SignallingHow("status", status=int(text.removeprefix("status ")))
    if not text.startswith("slow "):
        raise ValueError(_WANT_HOW)
    return SignallingHow("slow", wait_s=parse_duration_s(text.removeprefix("slow ")))


# A family, such as "stun", covers all of its classes.
_CLASS_NAMES = sorted({name for kind in PacketClass for name in (kind.value, kind.partition(".")[0])})


def _check_classes(names: tuple[str, ...]) -> tuple[str, ...]:
    if not names:
        raise ValueError("want at least one packet class")
    for name in names:
        if name not in _CLASS_NAMES:
            raise ValueError(f"{quoted(name)} is no packet class, {one_of(name, _CLASS_NAMES)}")
    return names


if TYPE_CHECKING:
    How = SignallingHow
else:
    How = Annotated[
        str,
        PlainValidator(parse_how),
        PlainSerializer(lambda how: how.text),
        WithJsonSchema(
            {
                "type": "string",
                "pattern": "^(status [45][0-9][0-9]|slow .+|refused|reset|hang|lost-response)$",
            }
        ),
    ]
DirectionName = Literal["both", "up", "down"]
Classes = Annotated[tuple[str, ...], BeforeValidator(listed), AfterValidator(_check_classes)]


class _Fault(Table):
    at_s: Duration = Field(alias="at")
    for_s: PositiveDuration = Field(alias="for")

    @property
    def until_s(self) -> float:
        """When it is over, in seconds since the session began."""
        # Rounded, since 0.1 + 0.2 would otherwise be later than a duration of 0.3.
        return round(self.at_s + self.for_s, 9)


class _LinkFault(_Fault):
    direction: DirectionName = "both"

    @property
    def directions(self) -> tuple[Direction, ...]:
        """The directions that it concerns."""
        return tuple(Direction) if self.direction == "both" else (Direction(self.direction),)


class BlackoutFault(_LinkFault):
    """Nothing gets through."""

    kind: Literal["blackout"]


class BlockFault(_LinkFault):
    """Packets of some classes do not get through: an ICE failure is a block of ``"stun"``."""

    kind: Literal["block"]
    match: Classes

    @property
    def classes(self) -> frozenset[PacketClass]:
        """The classes that do not get through."""
        return classes_named(self.match)


class SignallingFault(_Fault):
    """The HTTP path to the server misbehaves."""

    kind: Literal["signalling"]
    how: How


Fault = BlackoutFault | BlockFault | SignallingFault


def kind(value: Any) -> str | None:
    """Tell which kind of fault a value is."""
    return tag_of(value, "kind") if isinstance(value, dict) else f"#{getattr(value, 'kind', '')}"


if TYPE_CHECKING:
    FaultValues = tuple[Fault, ...]
else:
    FaultValues = Annotated[
        tuple[
            Annotated[
                Annotated[BlackoutFault, Tag("#blackout")]
                | Annotated[BlockFault, Tag("#block")]
                | Annotated[SignallingFault, Tag("#signalling")],
                Discriminator(kind),
            ],
            ...,
        ],
        BeforeValidator(listed),
        Field(max_length=1000),
    ]


def collide(one: Fault, other: Fault) -> bool:
    """Tell whether two faults of the same kind would do the same thing to the same packets at once."""
    if one.kind != other.kind or one.until_s <= other.at_s or other.until_s <= one.at_s:
        return False
    if isinstance(one, BlockFault) and isinstance(other, BlockFault):
        return bool(set(one.directions) & set(other.directions) and one.classes & other.classes)
    if isinstance(one, BlackoutFault) and isinstance(other, BlackoutFault):
        return bool(set(one.directions) & set(other.directions))
    return True


def schedule_faults(faults: Sequence[Fault], duration_s: float | None) -> list[tuple[Path, str]]:
    """Return what is wrong with the times of faults: what collides, and what the session ends before.

    Parameters
    ----------
    faults
        In the order of the profile.
    duration_s
        How long the session lasts; None if that is not known.
    """
    found: list[tuple[Path, str]] = []
    for number, fault in enumerate(faults):
        if duration_s is not None and fault.until_s > duration_s:
            end, limit = duration_text(fault.until_s), duration_text(duration_s)
            found.append(((number, "for"), f"want an end within the duration of {limit}, not at {end}"))
        earlier = next((i for i in range(number) if collide(faults[i], fault)), None)
        if earlier is not None:
            found.append(((number, "at"), f"want no overlap with fault[{earlier}], another {fault.kind}"))
    return found
