"""Failures of ICE that are done to STUN packets on their way.

A link has no password of ICE, so it can neither make nor change a STUN message that a peer would take for
genuine. It can only keep messages from arriving, or spoil them.

Source of the layout: RFC 8489 sections 5, 14.5, 14.6, 14.7.
"""

import zlib
from collections.abc import Iterable, Iterator, Sequence

from simlab.core.impair.block import BlockSpec
from simlab.core.impair.select import flow_of
from simlab.core.packet import Transit, classes_named

_HEADER_BYTES = 20
_INTEGRITY_TYPES = frozenset({0x0008, 0x001C})  # with SHA-1, with SHA-256
_FINGERPRINT_TYPE = 0x8028
_FINGERPRINT_XOR = 0x5354554E
_STUN = classes_named(["stun"])
_DTLS = classes_named(["dtls"])


class ConsentBlockStage:
    """Drop STUN on flows that have carried DTLS, so that ICE connects but loses its consent.

    Parameters
    ----------
    specs
        When it does. Which packets is not asked.
    """

    name = "consent-blocked"

    def __init__(self, specs: Iterable[BlockSpec]) -> None:
        self._specs = tuple(specs)
        self._connected: set[object] = set()

    def add(self, spec: BlockSpec) -> None:
        """Do it by another spec, too."""
        self._specs += (spec,)

    def remove(self, spec: BlockSpec) -> None:
        """Do it no more by a spec."""
        self._specs = tuple(one for one in self._specs if one != spec)

    def apply(self, transit: Transit) -> tuple[Transit, ...]:
        """Drop the transit, or pass it on. Packets without a tag that has a flow are all of one flow."""
        packet = transit.packet
        flow = flow_of(packet)
        if packet.kind in _DTLS:
            self._connected.add(flow)
        blocked = packet.kind in _STUN and flow in self._connected
        return () if blocked and _active(self._specs, packet.arrived_s) else (transit,)


class BadIntegrityStage:
    """Spoil the integrity of STUN messages, and leave them STUN messages in all else.

    Parameters
    ----------
    specs
        When it does. Which packets is not asked.
    """

    name = "bad-integrity"

    def __init__(self, specs: Iterable[BlockSpec]) -> None:
        self._specs = tuple(specs)

    def add(self, spec: BlockSpec) -> None:
        """Do it by another spec, too."""
        self._specs += (spec,)

    def remove(self, spec: BlockSpec) -> None:
        """Do it no more by a spec."""
        self._specs = tuple(one for one in self._specs if one != spec)

    def apply(self, transit: Transit) -> tuple[Transit, ...]:
        """Pass the transit on, spoiled or not."""
        packet = transit.packet
        if packet.kind in _STUN and _active(self._specs, packet.arrived_s):
            transit.payload = spoiled(transit.payload)
        return (transit,)


def _active(specs: Sequence[BlockSpec], now_s: float) -> bool:
    return any(spec.at_s <= now_s < spec.until_s for spec in specs)


def spoiled(message: bytes) -> bytes:
    """Return a STUN message with one bit of its MESSAGE-INTEGRITY flipped and its FINGERPRINT made good.

    A message without integrity is returned as it is, and so is what is no STUN message.
    """
    out = bytearray(message)
    found = False
    for kind, start, end in attributes(message):
        if kind in _INTEGRITY_TYPES and end > start:
            out[end - 1] ^= 1
            found = True
        elif kind == _FINGERPRINT_TYPE and found and end - start == 4:
            # Over all before the attribute; the header's length already includes it.
            fingerprint = zlib.crc32(out[: start - 4]) ^ _FINGERPRINT_XOR
            out[start:end] = fingerprint.to_bytes(4)
    return bytes(out)


def attributes(message: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield the type of each attribute, and where its value begins and ends."""
    at = _HEADER_BYTES
    while at + 4 <= len(message):
        kind, length = int.from_bytes(message[at : at + 2]), int.from_bytes(message[at + 2 : at + 4])
        if at + 4 + length > len(message):
            return
        yield kind, at + 4, at + 4 + length
        at += 4 + length + -length % 4
