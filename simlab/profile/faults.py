"""The ``[[fault]]`` tables: what goes wrong with the network, from when to when."""

import math
from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag

from simlab.core.packet import PacketClass, classes_named
from simlab.profile.faults_base import DirectedFault, FaultTable
from simlab.profile.faults_ice import CandidatesLateFault, IceFault, PatchLostFault, RoleConflictFault
from simlab.profile.faults_signalling import SignallingFault, SignallingHow, parse_how
from simlab.profile.faulty import Path
from simlab.profile.fields import listed, tag_of
from simlab.profile.nearest import one_of, quoted
from simlab.profile.units import duration_text

# A family, such as "stun", covers all of its classes.
_CLASS_NAMES = sorted({name for kind in PacketClass for name in (kind.value, kind.partition(".")[0])})


def _check_classes(names: tuple[str, ...]) -> tuple[str, ...]:
    if not names:
        raise ValueError("want at least one packet class")
    for name in names:
        if name not in _CLASS_NAMES:
            raise ValueError(f"{quoted(name)} is no packet class, {one_of(name, _CLASS_NAMES)}")
    return names


Classes = Annotated[tuple[str, ...], BeforeValidator(listed), AfterValidator(_check_classes)]


class BlackoutFault(DirectedFault):
    """Nothing gets through."""

    kind: Literal["blackout"]


class BlockFault(DirectedFault):
    """Packets of some classes do not get through: an ICE failure is a block of ``"stun"``."""

    kind: Literal["block"]
    match: Classes

    @property
    def classes(self) -> frozenset[PacketClass]:
        """The classes that do not get through."""
        return classes_named(self.match)

    def concerns_same(self, other: Any) -> bool:
        """Tell whether another block has a direction and a class in common."""
        return super().concerns_same(other) and bool(self.classes & other.classes)


KINDS: dict[str, type[FaultTable]] = {
    "blackout": BlackoutFault,
    "block": BlockFault,
    "signalling": SignallingFault,
    "no-candidates": IceFault,
    "wrong-candidates": IceFault,
    "mdns-unresolvable": IceFault,
    "ufrag-stale": IceFault,
    "checks-blocked": IceFault,
    "responses-blocked": IceFault,
    "consent-blocked": IceFault,
    "bad-integrity": IceFault,
    "role-conflict": RoleConflictFault,
    "candidates-late": CandidatesLateFault,
    "patch-lost": PatchLostFault,
}
"""Every kind of fault, and the table that describes it."""

Fault = (
    BlackoutFault
    | BlockFault
    | SignallingFault
    | IceFault
    | RoleConflictFault
    | CandidatesLateFault
    | PatchLostFault
)


def kind(value: Any) -> str | None:
    """Tell which kind of fault a value is."""
    return tag_of(value, "kind") if isinstance(value, dict) else f"#{getattr(value, 'kind', '')}"


if TYPE_CHECKING:
    FaultValues = tuple[Fault, ...]
else:
    _TAGGED = [Annotated[table, Tag(f"#{name}")] for name, table in KINDS.items()]
    FaultValues = Annotated[
        tuple[Annotated[reduce(or_, _TAGGED), Discriminator(kind)], ...],
        BeforeValidator(listed),
        Field(max_length=1000),
    ]


def collide(one: Fault, other: Fault) -> bool:
    """Tell whether two faults would do the same thing to the same packets, requests or processes at once."""
    apart = one.until_s <= other.at_s or other.until_s <= one.at_s
    return not apart and one.group == other.group and one.concerns_same(other)


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
        if duration_s is not None and duration_s < fault.until_s < math.inf:
            end, limit = duration_text(fault.until_s), duration_text(duration_s)
            found.append(((number, "for"), f"want an end within the duration of {limit}, not at {end}"))
        earlier = next((i for i in range(number) if collide(faults[i], fault)), None)
        if earlier is not None:
            found.append(((number, "at"), f"want no overlap with fault[{earlier}], another {fault.kind}"))
    return found


__all__ = [
    "KINDS",
    "BlackoutFault",
    "BlockFault",
    "Fault",
    "FaultValues",
    "SignallingFault",
    "SignallingHow",
    "collide",
    "parse_how",
    "schedule_faults",
]
