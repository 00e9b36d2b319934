"""From a scenario to the two links of its network.

The stages of a link stand in this order: faults, MTU, rate, slots, pauses, loss, duplication, corruption,
spikes, delay, injections.

- Faults come first: what a blackout takes away must not fill the queue of the bottleneck behind it.
- The rate comes next, because its queue has to see packets in the order in which they arrive; after a delay
  that reorders it would not. Lost packets have then used up capacity, as they do in libwebrtc's simulated
  network, where the loss lies behind the bottleneck.
- A pause holds what leaves the bottleneck, what had queued there before it too.
- A lost packet is not duplicated, and a duplicate may be corrupted alone.
- The delay comes after these, so that a copy may be delayed otherwise than its original.
- What is injected comes from somebody next to the receiver: nothing in the link is done to it.
"""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from simlab.core.impair import (
    BlockSpec,
    BlockStage,
    CodelSpec,
    CodelStage,
    CorruptSpec,
    DuplicateSpec,
    FlowStage,
    PauseSpec,
    PauseStage,
    RateSpec,
    RateStage,
    RateStep,
    ReorderSpec,
    ReorderStage,
    ScheduledStage,
    SelectedSpec,
    Step,
    make_stage,
)
from simlab.core.link import HoldingStage, Link, Stage
from simlab.core.packet import Direction
from simlab.core.rng import stream
from simlab.profile.changes import steps
from simlab.profile.faults import BlackoutFault, BlockFault, PauseFault
from simlab.profile.faults_stages import ice_stages, inject_stages
from simlab.profile.link import SETTINGS
from simlab.profile.model import Profile
from simlab.profile.scenario import Scenario

NOTHING = (None, DuplicateSpec(0.0), CorruptSpec(0.0))
SELECTIVE = ("mtu", "rate", "slot", "pause", "loss", "duplicate", "corrupt", "spike", "delay")
BEFORE_DELAY = ("loss", "duplicate", "corrupt", "spike")


def links(scenario: Scenario) -> dict[Direction, Link]:
    """Return a fresh link for each direction, with the profile's faults in it."""
    return {direction: Link(stages(scenario, direction)) for direction in Direction}


def stages(scenario: Scenario, direction: Direction) -> list[Stage | HoldingStage]:
    """Return the stages of one direction, in order; a stage that would do nothing is left out."""
    profile = scenario.profile
    return [
        *_flow_stages(profile, direction),
        *ice_stages(profile, direction),
        *_fault_stages(profile, direction),
        *_scheduled(scenario, direction, ("mtu",)),
        *rate_stages(profile, direction, scenario.seed),
        *_scheduled(scenario, direction, ("slot",)),
        *_pauses(profile, direction),
        *_scheduled(scenario, direction, ("pause", *BEFORE_DELAY)),
        _delay_stage(scenario, direction),
        *inject_stages(profile, direction),
    ]


def signalling_links(scenario: Scenario) -> dict[Direction, Link] | None:
    """Return the links of the signalling, if its segments are to cross links like those of the packets.

    They have the same settings, and losses of their own. What is about UDP packets is left out: blocks, ICE
    failures, what is injected, and the MTU, which TCP finds out.
    """
    if scenario.profile.signalling.path is None:
        return None
    # Another seed, so that segments take no draws from packets.
    seed = int(stream(scenario.seed, "signalling").integers(2**63))
    own = Scenario(scenario.profile.model_copy(update={"seed": seed}))
    return {direction: Link(_segment_stages(own, direction)) for direction in Direction}


def _segment_stages(scenario: Scenario, direction: Direction) -> list[Stage | HoldingStage]:
    profile = scenario.profile
    return [
        *_blackouts(profile, direction),
        *rate_stages(profile, direction, scenario.seed),
        *_scheduled(scenario, direction, ("slot",)),
        *_pauses(profile, direction),
        *_scheduled(scenario, direction, ("pause", *BEFORE_DELAY)),
        _delay_stage(scenario, direction),
    ]


def _flow_stages(profile: Profile, direction: Direction) -> Iterator[Stage]:
    """Yield what numbers the flows, if anything selects by them."""
    of_faults = [getattr(fault, "selection", None) for fault in profile.faults]
    specs = [step.spec for name in SELECTIVE for step in _steps(profile, direction, name)]
    of_specs = [spec.selection for spec in specs if isinstance(spec, SelectedSpec)]
    if any(selection is not None and selection.flows is not None for selection in of_faults + of_specs):
        yield FlowStage()


def _fault_stages(profile: Profile, direction: Direction) -> Iterator[Stage]:
    yield from _blackouts(profile, direction)
    blocks = [
        BlockSpec(fault.at_s, fault.until_s, selection=fault.selection)
        for fault in profile.faults
        if isinstance(fault, BlockFault) and direction in fault.directions
    ]
    if blocks:
        yield BlockStage("block", blocks)


def _blackouts(profile: Profile, direction: Direction) -> Iterator[Stage]:
    specs = [
        BlockSpec(fault.at_s, fault.until_s)
        for fault in profile.faults
        if isinstance(fault, BlackoutFault) and direction in fault.directions
    ]
    if specs:
        yield BlockStage("blackout", specs)


def _pauses(profile: Profile, direction: Direction) -> Iterator[Stage]:
    specs = [
        PauseSpec(fault.at_s, fault.until_s, fault.selection)
        for fault in profile.faults
        if isinstance(fault, PauseFault) and direction in fault.directions
    ]
    if specs:
        yield PauseStage(specs)


def rows_of(profile: Profile, direction: Direction) -> dict[str, list[Step]]:
    """Return the specs over time of each setting of one direction."""
    return {name: _steps(profile, direction, name) for name in SETTINGS}


def _steps(profile: Profile, direction: Direction, name: str) -> list[Step]:
    link = profile.link
    return steps(link.of(direction), name, link.repeat_s, profile.duration_s)


def _scheduled(scenario: Scenario, direction: Direction, names: tuple[str, ...]) -> Iterator[Stage]:
    for name in names:
        row = _steps(scenario.profile, direction, name)
        if any(step.spec not in NOTHING for step in row):
            yield _stage(name, row, scenario.seed, direction)


def _stage(name: str, row: list[Step], seed: int, direction: Direction) -> Stage:
    if len(row) == 1:
        return make_stage(row[0].spec, seed, direction)
    return ScheduledStage(name, row, lambda spec: make_stage(spec, seed, direction))


def rate_stages(profile: Profile, direction: Direction, seed: int) -> Iterator[Stage | HoldingStage]:
    """Yield the bottleneck of one direction, if there is one."""
    row = _steps(profile, direction, "rate")
    if len(row) == 1 and not isinstance(row[0].spec, RateSpec | CodelSpec):
        if row[0].spec is not None:
            yield make_stage(row[0].spec, seed, direction)
        return
    specs = [step.spec.rate if isinstance(step.spec, CodelSpec) else step.spec for step in row]
    first = specs[0] or replace(specs[1], rate_bytes_per_s=math.inf)
    changes = [
        RateStep(step.at_s, spec.rate_bytes_per_s, step.ramp_s)
        for step, spec in zip(row[1:], specs[1:], strict=True)
    ]
    if isinstance(row[0].spec, CodelSpec):
        yield CodelStage(row[0].spec, changes)
    else:
        yield RateStage(
            first, changes, [(step.at_s, spec) for step, spec in zip(row, specs, strict=True)][1:]
        )


def _delay_stage(scenario: Scenario, direction: Direction) -> Stage:
    seed, profile = scenario.seed, scenario.profile
    delay = _stage("delay", _steps(profile, direction, "delay"), seed, direction)
    row = _steps(profile, direction, "reorder")
    if all(step.spec is None for step in row):
        return delay
    row = [Step(step.at_s, step.spec or ReorderSpec(0.0), step.ramp_s) for step in row]

    def reordering(spec: Any) -> Stage:
        return ReorderStage(spec, delay, seed, direction)

    return reordering(row[0].spec) if len(row) == 1 else ScheduledStage("delay", row, reordering)
