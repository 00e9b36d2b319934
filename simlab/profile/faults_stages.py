"""From the ICE failures and injections of a profile to stages of a link."""

from collections.abc import Iterator

from simlab.core.ice import BadIntegrityStage, ConsentBlockStage
from simlab.core.impair import BlockSpec, BlockStage
from simlab.core.inject import InjectSpec, InjectStage
from simlab.core.link import Stage
from simlab.core.packet import Direction, PacketClass
from simlab.profile.faults_ice import IceFault
from simlab.profile.faults_inject import InjectFault
from simlab.profile.model import Profile

_CHECKS = frozenset({PacketClass.STUN_REQUEST})
_RESPONSES = frozenset({PacketClass.STUN_RESPONSE})


def ice_stages(profile: Profile, direction: Direction) -> Iterator[Stage]:
    """Yield the stages of one direction. They stand first: one of them has to see all packets."""
    if consent := _specs(profile, direction, "consent-blocked", None):
        yield ConsentBlockStage(consent)
    for kind, classes in (("checks-blocked", _CHECKS), ("responses-blocked", _RESPONSES)):
        if specs := _specs(profile, direction, kind, classes):
            yield BlockStage(kind, specs)
    if spoiled := _specs(profile, direction, "bad-integrity", None):
        yield BadIntegrityStage(spoiled)


def inject_stages(profile: Profile, direction: Direction) -> Iterator[Stage]:
    """Yield the stage that injects packets, if there is one. It stands last."""
    faults = [f for f in profile.faults if isinstance(f, InjectFault) and direction in f.directions]
    if not faults:
        return
    from simlab.forge import FORGERIES  # scapy, which nothing else here needs

    specs = []
    for fault in faults:
        forgery = FORGERIES[fault.what]
        times = (fault.at_s, fault.every_s or 0.0, fault.count)
        specs.append(InjectSpec(fault.what, *times, forgery.carriers, forgery.begin()))
    yield InjectStage(specs)


def _specs(
    profile: Profile, direction: Direction, kind: str, classes: frozenset[PacketClass] | None
) -> list[BlockSpec]:
    return [
        BlockSpec(fault.at_s, fault.until_s, classes)
        for fault in profile.faults
        if isinstance(fault, IceFault) and fault.kind == kind and direction in fault.directions
    ]
