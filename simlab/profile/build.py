"""From a scenario to the two links of its network.

The stages of a link stand in this order: faults, rate, loss, duplication, corruption, delay.

- Faults come first: what a blackout takes away must not fill the queue of the bottleneck behind it.
- The rate comes next, because its queue has to see packets in the order in which they arrive; after a delay
  that reorders it would not. Lost packets have then used up capacity, as they do in libwebrtc's simulated
  network, where the loss lies behind the bottleneck.
- A lost packet is not duplicated, and a duplicate may be corrupted alone.
- The delay comes last, so that a copy may be delayed otherwise than its original.
"""

from collections.abc import Iterator

from simlab.core.impair import (
    BernoulliSpec,
    BernoulliStage,
    BlockSpec,
    BlockStage,
    ConstantDelaySpec,
    ConstantDelayStage,
    CorruptSpec,
    CorruptStage,
    DelaySpec,
    DuplicateSpec,
    DuplicateStage,
    GilbertElliottStage,
    LossSpec,
    NormalDelayStage,
    RateStage,
    UniformDelaySpec,
    UniformDelayStage,
)
from simlab.core.link import Link, Stage
from simlab.core.packet import Direction
from simlab.profile.faults import BlackoutFault, BlockFault
from simlab.profile.faults_stages import ice_stages
from simlab.profile.model import Profile
from simlab.profile.scenario import Scenario


def links(scenario: Scenario) -> dict[Direction, Link]:
    """Return a fresh link for each direction, with the profile's faults in it."""
    return {direction: Link(stages(scenario, direction)) for direction in Direction}


def stages(scenario: Scenario, direction: Direction) -> list[Stage]:
    """Return the stages of one direction, in order; a stage that would do nothing is left out."""
    profile, seed = scenario.profile, scenario.seed
    settings = profile.link.of(direction)
    row: list[Stage] = [*ice_stages(profile, direction), *_fault_stages(profile, direction)]
    if settings.rate is not None:
        row.append(RateStage(settings.rate))
    if settings.loss is not None:
        row.append(_loss_stage(settings.loss, seed, direction))
    if settings.duplicate_chance:
        row.append(DuplicateStage(DuplicateSpec(settings.duplicate_chance), seed, direction))
    if settings.corrupt_chance:
        row.append(CorruptStage(CorruptSpec(settings.corrupt_chance), seed, direction))
    row.append(_delay_stage(settings.delay, seed, direction))
    return row


def _fault_stages(profile: Profile, direction: Direction) -> Iterator[Stage]:
    blackouts: list[BlockSpec] = []
    blocks: list[BlockSpec] = []
    for fault in profile.faults:
        if isinstance(fault, BlackoutFault) and direction in fault.directions:
            blackouts.append(BlockSpec(fault.at_s, fault.until_s))
        elif isinstance(fault, BlockFault) and direction in fault.directions:
            blocks.append(BlockSpec(fault.at_s, fault.until_s, fault.classes))
    for name, specs in (("blackout", blackouts), ("block", blocks)):
        if specs:
            yield BlockStage(name, specs)


def _loss_stage(spec: LossSpec, seed: int, direction: Direction) -> Stage:
    if isinstance(spec, BernoulliSpec):
        return BernoulliStage(spec, seed, direction)
    return GilbertElliottStage(spec, seed, direction)


def _delay_stage(spec: DelaySpec, seed: int, direction: Direction) -> Stage:
    if isinstance(spec, ConstantDelaySpec):
        return ConstantDelayStage(spec)
    if isinstance(spec, UniformDelaySpec):
        return UniformDelayStage(spec, seed, direction)
    return NormalDelayStage(spec, seed, direction)
