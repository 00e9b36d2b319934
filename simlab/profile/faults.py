"""The ``[[fault]]`` tables: what goes wrong with the network, from when to when."""

from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Discriminator, Field, Tag

from simlab.profile.faults_base import FaultTable, TimedFault
from simlab.profile.faults_ice import CandidatesLateFault, IceFault, PatchLostFault, RoleConflictFault
from simlab.profile.faults_inject import InjectFault
from simlab.profile.faults_nat import HandoverFault, RebindFault
from simlab.profile.faults_packets import BlackoutFault, BlockFault, PauseFault
from simlab.profile.faults_process import (
    ClientFreezeFault,
    ServerExhaustedFault,
    ServerFreezeFault,
    ServerRestartFault,
    TabClosedFault,
)
from simlab.profile.faults_servers import StunServerDownFault, TurnServerDownFault
from simlab.profile.faults_signalling import SignallingFault, SignallingHow, parse_how
from simlab.profile.faulty import Path
from simlab.profile.fields import listed, tag_of
from simlab.profile.units import duration_text

KINDS: dict[str, type[FaultTable]] = {
    "blackout": BlackoutFault,
    "block": BlockFault,
    "pause": PauseFault,
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
    "stun-server-down": StunServerDownFault,
    "turn-server-down": TurnServerDownFault,
    "server-restart": ServerRestartFault,
    "server-freeze": ServerFreezeFault,
    "server-exhausted": ServerExhaustedFault,
    "client-freeze": ClientFreezeFault,
    "tab-closed": TabClosedFault,
    "rebind": RebindFault,
    "handover": HandoverFault,
    "inject": InjectFault,
}
"""Every kind of fault, and the table that describes it."""

Fault = (
    BlackoutFault
    | BlockFault
    | PauseFault
    | SignallingFault
    | IceFault
    | RoleConflictFault
    | CandidatesLateFault
    | PatchLostFault
    | StunServerDownFault
    | TurnServerDownFault
    | ServerRestartFault
    | ServerFreezeFault
    | ServerExhaustedFault
    | ClientFreezeFault
    | TabClosedFault
    | RebindFault
    | HandoverFault
    | InjectFault
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
        if duration_s is not None:
            found += [((number, *path), want) for path, want in _too_late(fault, duration_s)]
        earlier = next((i for i in range(number) if collide(faults[i], fault)), None)
        if earlier is not None:
            found.append(((number, "at"), f"want no overlap with fault[{earlier}], another {fault.group}"))
    return found


def _too_late(fault: Fault, duration_s: float) -> list[tuple[Path, str]]:
    limit = f"within the duration of {duration_text(duration_s)}"
    if isinstance(fault, TimedFault) and fault.until_s > duration_s:
        return [(("for",), f"want an end {limit}, not at {duration_text(fault.until_s)}")]
    return [(("at",), f"want a time {limit}")] if fault.at_s > duration_s else []


__all__ = [
    "KINDS",
    "BlackoutFault",
    "BlockFault",
    "Fault",
    "FaultValues",
    "PauseFault",
    "SignallingFault",
    "SignallingHow",
    "collide",
    "parse_how",
    "schedule_faults",
]
