"""Corruption: bits of the payload arrive wrong.

A real network stack would drop such a datagram for its UDP checksum. What this stands for is damage that the
checksum missed or that a middlebox did, which DTLS and SRTP then have to notice.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from simlab.core.impair.draws import uniform_draws
from simlab.core.packet import Direction, Packet, Transit
from simlab.core.rng import stream, uniforms


@dataclass(frozen=True, slots=True)
class CorruptSpec:
    """One bit of a packet's payload, any with the same chance, is flipped with that chance."""

    corrupt_chance: float


class CorruptStage:
    """Flip one bit of some payloads. One draw for each packet; an empty payload stays as it is."""

    name = "corrupt"

    def __init__(self, spec: CorruptSpec, seed: int, direction: Direction) -> None:
        self.spec = spec
        self._draws = uniform_draws(seed, direction, self.name)

    def apply(self, transit: Transit) -> tuple[Transit, ...]:
        """Pass the transit on, whole or damaged."""
        luck, chance = self._draws.of(transit.packet), self.spec.corrupt_chance
        if luck < chance and transit.payload:
            # Given luck < chance, luck / chance is again uniform on [0, 1), so the draw that
            # decides also chooses the bit. The quotient may round up to 1.
            bits = 8 * len(transit.payload)
            transit.payload = _flipped(transit.payload, [min(int(luck / chance * bits), bits - 1)])
        return (transit,)


@dataclass(frozen=True, slots=True)
class BitErrorSpec:
    """Each bit of a payload is flipped with that chance, whatever becomes of the others."""

    bit_chance: float


class BitErrorStage:
    """Flip bits independently of each other. One draw for each packet, and more for a damaged one.

    From one flipped bit to the next it is a geometric number of bits, so there is one draw for each of
    them instead of one for each bit. Those after the first come from a stream of the packet's own.
    """

    name = "corrupt"

    def __init__(self, spec: BitErrorSpec, seed: int, direction: Direction) -> None:
        self.spec = spec
        self._seed, self._direction = seed, direction
        self._draws = uniform_draws(seed, direction, "corrupt-bits")

    def apply(self, transit: Transit) -> tuple[Transit, ...]:
        """Pass the transit on, whole or damaged."""
        luck, chance, bits = self._draws.of(transit.packet), self.spec.bit_chance, 8 * len(transit.payload)
        first = _gap(luck, chance)
        if first < bits:
            flipped = [int(first), *self._further(transit.packet, first, bits)]
            transit.payload = _flipped(transit.payload, flipped)
        return (transit,)

    def _further(self, packet: Packet, first: float, bits: int) -> Iterator[int]:
        path = ("link", self._direction, "corrupt-bits", packet.kind.value, str(packet.nth), repr(first))
        at = first
        for luck in uniforms(stream(self._seed, *path)):
            at += 1 + _gap(luck, self.spec.bit_chance)
            if at >= bits:
                return
            yield int(at)


def _gap(luck: float, chance: float) -> float:
    """Return how many bits stay whole before the next flipped one: P(k or more) = (1 - chance)^k."""
    if not chance:
        return math.inf
    if chance == 1:
        return 0.0
    return math.floor(math.log1p(-luck) / math.log1p(-chance))


def _flipped(payload: bytes, bits: list[int]) -> bytes:
    damaged = bytearray(payload)
    for bit in bits:
        damaged[bit // 8] ^= 0x80 >> bit % 8
    return bytes(damaged)
