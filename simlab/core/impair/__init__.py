"""Impairments of a link, one family in each file: a frozen ``Spec``, and the ``Stage`` that follows it.

What is random about single packets is drawn by the number of the packet in its class, from the stage's own
stream for that class (``draws.py``). What is random about rows of packets (bursts, correlation) is a chain
that moves with every packet of the link, and what is random about time is drawn over time. So what a stage
does to packet 7 depends on the seed, its own spec and that 7; adding, removing or changing another stage
leaves it as it was, even where that other stage drops or copies packets in front of it. (Waiting in a queue
is no matter of luck, and does depend on what else waits.)
"""

from simlab.core.impair.block import BlockSpec, BlockStage
from simlab.core.impair.capacity import Capacity, RateStep
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
from simlab.core.impair.codel import CodelSpec, CodelStage
from simlab.core.impair.corrupt import BitErrorSpec, BitErrorStage, CorruptSpec, CorruptStage
from simlab.core.impair.delay import (
    ConstantDelaySpec,
    ConstantDelayStage,
    CorrelatedDelaySpec,
    CorrelatedDelayStage,
    DelayDistribution,
    NormalDelaySpec,
    NormalDelayStage,
    QuantileDelayStage,
    UniformDelaySpec,
    UniformDelayStage,
)
from simlab.core.impair.duplicate import DuplicateSpec, DuplicateStage
from simlab.core.impair.loss import (
    BernoulliSpec,
    BernoulliStage,
    GilbertElliottSpec,
    GilbertElliottStage,
)
from simlab.core.impair.make import STAGES, DelaySpec, LossSpec, make_stage
from simlab.core.impair.mtu import MtuSpec, MtuStage
from simlab.core.impair.netem_delay import NetemDelaySpec, NetemDelayStage
from simlab.core.impair.periodic import (
    PauseSpec,
    PauseStage,
    PeriodicPauseSpec,
    PeriodicPauseStage,
    SpikeSpec,
    SpikeStage,
)
from simlab.core.impair.rate import HEADER_BYTES, RateSpec, RateStage, TokenBucketSpec, TokenBucketStage
from simlab.core.impair.reorder import ReorderSpec, ReorderStage
from simlab.core.impair.rfc8868 import Rfc8868DelaySpec, Rfc8868DelayStage
from simlab.core.impair.schedule import ScheduledStage, Step, between
from simlab.core.impair.scripted_loss import ScriptedLossSpec, ScriptedLossStage
from simlab.core.impair.select import FlowStage, SelectedSpec, SelectedStage, Selection, flow_of
from simlab.core.impair.slot import SlotSpec, SlotStage
from simlab.core.impair.tails import (
    EmpiricalDelaySpec,
    ParetoDelaySpec,
    ParetoNormalDelaySpec,
    ParetoNormalDelayStage,
)
from simlab.core.impair.timed_loss import TimedGilbertElliottSpec, TimedGilbertElliottStage
from simlab.core.impair.trace import OPPORTUNITY_BYTES, TraceSpec, TraceStage

__all__ = [
    "HEADER_BYTES",
    "OPPORTUNITY_BYTES",
    "STAGES",
    "BernoulliSpec",
    "BernoulliStage",
    "BitErrorSpec",
    "BitErrorStage",
    "BlockSpec",
    "BlockStage",
    "Capacity",
    "CodelSpec",
    "CodelStage",
    "ConstantDelaySpec",
    "ConstantDelayStage",
    "CorrelatedDelaySpec",
    "CorrelatedDelayStage",
    "CorrelatedLossSpec",
    "CorrelatedLossStage",
    "CorruptSpec",
    "CorruptStage",
    "DelayDistribution",
    "DelaySpec",
    "DuplicateSpec",
    "DuplicateStage",
    "EmpiricalDelaySpec",
    "FlowStage",
    "FourStateSpec",
    "FourStateStage",
    "GilbertElliottSpec",
    "GilbertElliottStage",
    "LibwebrtcLossSpec",
    "LibwebrtcLossStage",
    "LossSpec",
    "MtuSpec",
    "MtuStage",
    "NetemDelaySpec",
    "NetemDelayStage",
    "NetemLossSpec",
    "NetemLossStage",
    "NormalDelaySpec",
    "NormalDelayStage",
    "ParetoDelaySpec",
    "ParetoNormalDelaySpec",
    "ParetoNormalDelayStage",
    "PauseSpec",
    "PauseStage",
    "PeriodicPauseSpec",
    "PeriodicPauseStage",
    "QuantileDelayStage",
    "RateSpec",
    "RateStage",
    "RateStep",
    "ReorderSpec",
    "ReorderStage",
    "Rfc8868DelaySpec",
    "Rfc8868DelayStage",
    "ScheduledStage",
    "ScriptedLossSpec",
    "ScriptedLossStage",
    "SelectedSpec",
    "SelectedStage",
    "Selection",
    "SlotSpec",
    "SlotStage",
    "SpikeSpec",
    "SpikeStage",
    "Step",
    "TimedGilbertElliottSpec",
    "TimedGilbertElliottStage",
    "TokenBucketSpec",
    "TokenBucketStage",
    "TraceSpec",
    "TraceStage",
    "UniformDelaySpec",
    "UniformDelayStage",
    "between",
    "flow_of",
    "make_stage",
]
