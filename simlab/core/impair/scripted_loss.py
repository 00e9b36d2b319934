"""Loss by a script: the packets that are lost are listed."""

from dataclasses import dataclass

from simlab.core.packet import Direction, Transit


@dataclass(frozen=True, slots=True)
class ScriptedLossSpec:
    """Which packets are lost, by their number in the link (or in a selection), from 1.

    Parameters
    ----------
    drop
        Numbers of lost packets.
    pattern
        ``"x"`` for a lost packet and ``"."`` for another, over and over; empty for none.
    """

    drop: frozenset[int] = frozenset()
    pattern: str = ""


class ScriptedLossStage:
    """Lose the listed packets. Nothing is random here."""

    name = "loss"

    def __init__(self, spec: ScriptedLossSpec, seed: int, direction: Direction) -> None:
        self.spec = spec

    def apply(self, transit: Transit) -> tuple[Transit, ...]:
        """Lose the transit, or pass it on."""
        seq, pattern = transit.packet.seq, self.spec.pattern
        if seq + 1 in self.spec.drop:
            return ()
        return () if pattern and pattern[seq % len(pattern)] == "x" else (transit,)
