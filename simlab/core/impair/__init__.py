"""Impairments of a link, one family in each file: a frozen ``Spec``, and the ``Stage`` that follows it.

Everything random in a stage is drawn by the number of the packet in its link, from the stage's own
stream (``draws.py``). So what a stage does to packet 7 depends on the seed, its own spec and that 7; adding,
removing or changing another stage leaves it as it was, even where that other stage drops or copies
packets in front of it.
"""

from simlab.core.impair.block import BlockSpec, BlockStage
from simlab.core.impair.corrupt import CorruptSpec, CorruptStage
from simlab.core.impair.delay import (
    ConstantDelaySpec,
    ConstantDelayStage,
    DelaySpec,
    NormalDelaySpec,
    NormalDelayStage,
    UniformDelaySpec,
    UniformDelayStage,
)
from simlab.core.impair.duplicate import DuplicateSpec, DuplicateStage
from simlab.core.impair.loss import (
    BernoulliSpec,
    BernoulliStage,
    GilbertElliottSpec,
    GilbertElliottStage,
    LossSpec,
)
from simlab.core.impair.rate import HEADER_BYTES, RateSpec, RateStage

__all__ = [
    "HEADER_BYTES",
    "BernoulliSpec",
    "BernoulliStage",
    "BlockSpec",
    "BlockStage",
    "ConstantDelaySpec",
    "ConstantDelayStage",
    "CorruptSpec",
    "CorruptStage",
    "DelaySpec",
    "DuplicateSpec",
    "DuplicateStage",
    "GilbertElliottSpec",
    "GilbertElliottStage",
    "LossSpec",
    "NormalDelaySpec",
    "NormalDelayStage",
    "RateSpec",
    "RateStage",
    "UniformDelaySpec",
    "UniformDelayStage",
]
