"""Which stage follows which spec."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from simlab.core.impair.chains import (
    CorrelatedLossSpec,
    CorrelatedLossStage,
    FourStateSpec,
    FourStateStage,
    LibwebrtcLossSpec,
    LibwebrtcLossStage,
    NetemLossSpec,
    NetemLossStage,
)
from simlab.core.impair.corrupt import BitErrorSpec, BitErrorStage, CorruptSpec, CorruptStage
from simlab.core.impair.delay import (
    ConstantDelaySpec,
    ConstantDelayStage,
    CorrelatedDelaySpec,
    CorrelatedDelayStage,
    NormalDelaySpec,
    NormalDelayStage,
    QuantileDelayStage,
    UniformDelaySpec,
    UniformDelayStage,
)
from simlab.core.impair.duplicate import DuplicateSpec, DuplicateStage
from simlab.core.impair.loss import BernoulliSpec, BernoulliStage, GilbertElliottSpec, GilbertElliottStage
from simlab.core.impair.mtu import MtuSpec, MtuStage
from simlab.core.impair.netem_delay import NetemDelaySpec, NetemDelayStage
from simlab.core.impair.periodic import PeriodicPauseSpec, PeriodicPauseStage, SpikeSpec, SpikeStage
from simlab.core.impair.rate import TokenBucketSpec, TokenBucketStage
from simlab.core.impair.rfc8868 import Rfc8868DelaySpec, Rfc8868DelayStage
from simlab.core.impair.scripted_loss import ScriptedLossSpec, ScriptedLossStage
from simlab.core.impair.select import SelectedSpec, SelectedStage
from simlab.core.impair.slot import SlotSpec, SlotStage
from simlab.core.impair.tails import (
    EmpiricalDelaySpec,
    ParetoDelaySpec,
    ParetoNormalDelaySpec,
    ParetoNormalDelayStage,
)
from simlab.core.impair.timed_loss import TimedGilbertElliottSpec, TimedGilbertElliottStage
from simlab.core.impair.trace import TraceSpec, TraceStage
from simlab.core.packet import Direction, Transit

LossSpec = (
    BernoulliSpec
    | GilbertElliottSpec
    | TimedGilbertElliottSpec
    | FourStateSpec
    | CorrelatedLossSpec
    | NetemLossSpec
    | LibwebrtcLossSpec
    | ScriptedLossSpec
    | SelectedSpec
)
DelaySpec = (
    ConstantDelaySpec
    | UniformDelaySpec
    | NormalDelaySpec
    | CorrelatedDelaySpec
    | ParetoDelaySpec
    | ParetoNormalDelaySpec
    | EmpiricalDelaySpec
    | Rfc8868DelaySpec
    | NetemDelaySpec
    | SelectedSpec
)


class AnyStage(Protocol):
    """A stage of a link."""

    @property
    def name(self) -> str:
        """The cause of its drops."""

    def apply(self, transit: Transit) -> tuple[Transit, ...]:
        """Decide what becomes of a transit."""


# Rates, reordering, blocks and pauses are not here: each takes more than a spec, a seed and a direction.
STAGES: Mapping[type, Callable[[Any, int, Direction], AnyStage]] = {
    BernoulliSpec: BernoulliStage,
    GilbertElliottSpec: GilbertElliottStage,
    TimedGilbertElliottSpec: TimedGilbertElliottStage,
    FourStateSpec: FourStateStage,
    CorrelatedLossSpec: CorrelatedLossStage,
    NetemLossSpec: NetemLossStage,
    LibwebrtcLossSpec: LibwebrtcLossStage,
    ScriptedLossSpec: ScriptedLossStage,
    ConstantDelaySpec: ConstantDelayStage,
    UniformDelaySpec: UniformDelayStage,
    NormalDelaySpec: NormalDelayStage,
    CorrelatedDelaySpec: CorrelatedDelayStage,
    ParetoDelaySpec: QuantileDelayStage,
    ParetoNormalDelaySpec: ParetoNormalDelayStage,
    EmpiricalDelaySpec: QuantileDelayStage,
    Rfc8868DelaySpec: Rfc8868DelayStage,
    NetemDelaySpec: NetemDelayStage,
    TokenBucketSpec: TokenBucketStage,
    TraceSpec: TraceStage,
    DuplicateSpec: DuplicateStage,
    CorruptSpec: CorruptStage,
    BitErrorSpec: BitErrorStage,
    MtuSpec: MtuStage,
    SpikeSpec: SpikeStage,
    PeriodicPauseSpec: PeriodicPauseStage,
    SlotSpec: SlotStage,
}


def make_stage(spec: Any, seed: int, direction: Direction) -> AnyStage:
    """Return a fresh stage that follows a spec.

    Raises
    ------
    KeyError
        If there is no such spec in ``STAGES``.
    ValueError
        If the seed is negative.
    """
    if isinstance(spec, SelectedSpec):
        return SelectedStage(spec.selection, make_stage(spec.spec, seed, direction))
    return STAGES[type(spec)](spec, seed, direction)
