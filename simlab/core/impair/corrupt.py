"""Corruption: one bit of the payload arrives wrong.

A real network stack would drop such a datagram for its UDP checksum. What this stands for is damage that the
checksum missed or that a middlebox did, which DTLS and SRTP then have to notice.
"""

from dataclasses import dataclass

from simlab.core.impair.draws import uniform_draws
from simlab.core.packet import Direction, Transit


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
        luck, chance = self._draws.of(transit.packet.seq), self.spec.corrupt_chance
        if luck < chance and transit.payload:
            # Given luck < chance, luck / chance is again uniform on [0, 1), so the draw that
            # decides also chooses the bit. The quotient may round up to 1.
            bits = 8 * len(transit.payload)
            transit.payload = _flipped(transit.payload, min(int(luck / chance * bits), bits - 1))
        return (transit,)


def _flipped(payload: bytes, bit: int) -> bytes:
    damaged = bytearray(payload)
    damaged[bit // 8] ^= 0x80 >> bit % 8
    return bytes(damaged)
