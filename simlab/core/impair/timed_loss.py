"""Gilbert-Elliott loss in continuous time: the state is weather, and packets only meet it."""

from dataclasses import dataclass

from simlab.core.impair.draws import uniform_draws
from simlab.core.packet import Direction, Transit
from simlab.core.rng import stream


@dataclass(frozen=True, slots=True)
class TimedGilbertElliottSpec:
    """Good and bad times that last exponentially long, and what is lost in each.

    Parameters
    ----------
    good_s, bad_s
        Mean length of a good and of a bad time; more than 0.
    loss_chance_bad, loss_chance_good
        Chance of a packet to be lost in each.
    """

    good_s: float
    bad_s: float
    loss_chance_bad: float = 1.0
    loss_chance_good: float = 0.0

    @property
    def bad_fraction(self) -> float:
        """Share of the time that is bad, in the long run."""
        return self.bad_s / (self.good_s + self.bad_s)

    @property
    def loss_chance(self) -> float:
        """Chance of a packet at a random time to be lost."""
        bad = self.bad_fraction
        return bad * self.loss_chance_bad + (1 - bad) * self.loss_chance_good


class TimedGilbertElliottStage:
    """Lose packets by the state at the time at which they enter the link.

    The states change at times drawn from a stream of their own, so their path depends on the seed and the
    spec alone: one packet in five seconds and five hundred in a second meet the same path. One draw for each
    packet. At time 0 the state is bad with its share in the long run.
    """

    name = "loss"

    def __init__(self, spec: TimedGilbertElliottSpec, seed: int, direction: Direction) -> None:
        self.spec = spec
        self._draws = uniform_draws(seed, direction, self.name)
        self._path = stream(seed, "link", direction, self.name, "weather")
        self.bad = self._path.random() < spec.bad_fraction
        self.changes_s = self._lasts_s()

    def apply(self, transit: Transit) -> tuple[Transit, ...]:
        """Lose the transit, or pass it on."""
        luck = self._draws.of(transit.packet)
        arrived_s = transit.packet.arrived_s
        while arrived_s >= self.changes_s:
            self.bad = not self.bad
            self.changes_s += self._lasts_s()
        spec = self.spec
        return () if luck < (spec.loss_chance_bad if self.bad else spec.loss_chance_good) else (transit,)

    def _lasts_s(self) -> float:
        mean_s = self.spec.bad_s if self.bad else self.spec.good_s
        return mean_s * self._path.standard_exponential()
