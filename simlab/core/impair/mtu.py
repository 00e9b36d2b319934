"""An MTU black hole: datagrams that are too large vanish, and nobody is told."""

from dataclasses import dataclass

from simlab.core.impair.rate import HEADER_BYTES
from simlab.core.packet import Direction, Transit


@dataclass(frozen=True, slots=True)
class MtuSpec:
    """The largest IP datagram that gets through: payload and ``HEADER_BYTES``."""

    mtu_bytes: int


class MtuStage:
    """Drop what is larger than the MTU. Nothing is random here."""

    name = "mtu"

    def __init__(self, spec: MtuSpec, seed: int, direction: Direction) -> None:
        self.spec = spec

    def apply(self, transit: Transit) -> tuple[Transit, ...]:
        """Drop the transit, or pass it on."""
        return () if len(transit.payload) + HEADER_BYTES > self.spec.mtu_bytes else (transit,)
