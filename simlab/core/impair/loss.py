"""Packet loss: independent (Bernoulli) and in bursts (Gilbert-Elliott)."""

from dataclasses import dataclass

import numpy as np

from simlab.core.impair.draws import chain_uniforms, uniform_draws
from simlab.core.packet import Direction, Packet, PacketClass, Transit


@dataclass(frozen=True, slots=True)
class BernoulliSpec:
    """Each packet is lost with the same chance, whatever became of the others."""

    loss_chance: float


class BernoulliStage:
    """Lose packets independently of each other. One draw for each packet."""

    name = "loss"

    def __init__(self, spec: BernoulliSpec, seed: int, direction: Direction) -> None:
        self.spec = spec
        self._draws = uniform_draws(seed, direction, self.name)

    def apply(self, transit: Transit) -> tuple[Transit, ...]:
        """Lose the transit, or pass it on."""
        return () if self.loses(transit.packet) else (transit,)

    def loses(self, packet: Packet) -> bool:
        """Tell whether a packet is lost; the second time for the same packet, a copy."""
        return self._draws.of(packet) < self.spec.loss_chance

    def draws(self, kind: PacketClass, nth: int, number: int) -> np.ndarray:
        """Return the draws of so many packets of a class, from the ``nth`` on; below the chance is lost."""
        return self._draws.ahead(kind, nth, number)


@dataclass(frozen=True, slots=True)
class GilbertElliottSpec:
    """A chain of two states, good and bad, that moves once for each packet.

    Parameters
    ----------
    enter_bad_chance, leave_bad_chance
        ``p`` and ``r``: good to bad, and bad to good.
    pass_chance_bad, pass_chance_good
        ``h`` and ``k``: what gets through in each state. With 0 and 1, the defaults, this is Gilbert's model.

    Source: Gilbert (1960), Elliott (1963); the letters are those of Linux netem, whose command takes
    1 - h and 1 - k.
    """

    enter_bad_chance: float
    leave_bad_chance: float
    pass_chance_bad: float = 0.0
    pass_chance_good: float = 1.0

    @staticmethod
    def of_bursts(loss_chance: float, burst_packets: float) -> "GilbertElliottSpec":
        """Return the Gilbert model of that loss in the long run and that mean length of a burst.

        ``r = 1/B`` and ``p = L / (B (1 - L))``.

        Raises
        ------
        ValueError
            If the loss is not in [0, 1), a burst is shorter than one packet, or it is too short for that
            much loss: ``p <= 1`` needs ``B >= L / (1 - L)``.
        """
        if not 0 <= loss_chance < 1:
            raise ValueError("want a loss of 0 or more and less than 1")
        if not burst_packets >= 1:
            raise ValueError("want a mean burst of 1 packet or more")
        enter = loss_chance / (burst_packets * (1 - loss_chance))
        if enter > 1:
            least = loss_chance / (1 - loss_chance)
            raise ValueError(
                f"want a mean burst of {least:.4g} packets or more with a loss of {loss_chance:g}"
            )
        return GilbertElliottSpec(enter, 1 / burst_packets)

    @property
    def bad_fraction(self) -> float:
        """Share of packets that meet the bad state, in the long run: p / (p + r)."""
        moves = self.enter_bad_chance + self.leave_bad_chance
        return self.enter_bad_chance / moves if moves else 0.0

    @property
    def loss_chance(self) -> float:
        """Share of packets lost in the long run: [p (1 - h) + r (1 - k)] / (p + r)."""
        bad = self.bad_fraction
        return bad * (1 - self.pass_chance_bad) + (1 - bad) * (1 - self.pass_chance_good)


class GilbertElliottStage:
    """Lose packets in bursts. Two draws for each packet: the state moves, then the packet meets it.

    All packets of the link move one chain, whatever their class: a burst is a row of packets on the line,
    and a chain for each class would make a burst of four out of four consent checks in twenty seconds.

    The first packet meets a chain that was good before it. A copy meets the state of its packet, with a
    draw of its own.
    """

    name = "loss"

    def __init__(self, spec: GilbertElliottSpec, seed: int, direction: Direction) -> None:
        self.spec = spec
        self.bad = False
        self._next_seq = 0
        self._values = chain_uniforms(seed, direction, self.name)
        self._spare = chain_uniforms(seed, direction, self.name, "copy")

    def apply(self, transit: Transit) -> tuple[Transit, ...]:
        """Lose the transit, or pass it on."""
        return () if self.loses(transit.packet) else (transit,)

    def loses(self, packet: Packet) -> bool:
        """Tell whether a packet is lost; the second time for the same packet, a copy."""
        seq = packet.seq
        luck = next(self._spare) if seq < self._next_seq else self._advance(seq)
        return luck >= (self.spec.pass_chance_bad if self.bad else self.spec.pass_chance_good)

    def _advance(self, seq: int) -> float:
        # The chain moves for packets that an earlier stage dropped, too: otherwise a blackout
        # would shift every burst after it.
        spec, values = self.spec, self._values
        luck = 0.0
        while self._next_seq <= seq:
            move = next(values)
            luck = next(values)
            self.bad = move >= spec.leave_bad_chance if self.bad else move < spec.enter_bad_chance
            self._next_seq += 1
        return luck
