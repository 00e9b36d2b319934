"""The stages of a link whose settings and faults may change at any moment: for relays under remote control.

They stand in the order of ``build``. A stage keeps its state and its random streams through all changes; only
a model that was not there before begins afresh, from the seed.
"""

import math
from collections.abc import Sequence
from typing import Any

from simlab.core.ice import BadIntegrityStage, ConsentBlockStage
from simlab.core.impair import (
    BlockSpec,
    BlockStage,
    ConstantDelayStage,
    FlowStage,
    PauseSpec,
    PauseStage,
    RateSpec,
    RateStep,
    ReorderSpec,
    ReorderStage,
    ScheduledStage,
    SelectedSpec,
    Step,
    make_stage,
)
from simlab.core.impair.held_rate import HeldRateStage
from simlab.core.link import HoldingStage, Link, Stage
from simlab.core.packet import Direction, PacketClass
from simlab.profile.build import BEFORE_DELAY, NOTHING, SELECTIVE, rate_stages, rows_of
from simlab.profile.faults import BlockFault, Fault, PauseFault
from simlab.profile.model import Profile
from simlab.profile.scenario import Scenario

_FAULT_SLOTS = (
    "consent-blocked",
    "checks-blocked",
    "responses-blocked",
    "bad-integrity",
    "blackout",
    "block",
)
_CLASSES = {
    "checks-blocked": frozenset({PacketClass.STUN_REQUEST}),
    "responses-blocked": frozenset({PacketClass.STUN_RESPONSE}),
}
_HELD = "fault pause"
LIVE_KINDS = (*_FAULT_SLOTS, "pause")
"""The kinds of fault that are done to the packets of a link."""


class LiveStages:
    """The stages of one direction, and what may be done to them.

    Times are seconds since the scenario began.
    """

    def __init__(self, scenario: Scenario, direction: Direction) -> None:
        self._direction = direction
        self._scenario = scenario
        self._faults: list[Fault] = []
        self._kept: dict[str, Any] = {}  # every stage that there ever was, by its slot
        self._rows: dict[str, list[Step]] = {}
        self._stages: list[Stage | HoldingStage] = []
        for fault in scenario.profile.faults:
            self._put_fault(fault)
        self.change(scenario, 0.0)

    @property
    def stages(self) -> list[Stage | HoldingStage]:
        """The stages of now, in order; one that would do nothing is left out.

        They hold until the next change of settings or faults. What cannot change by itself stands bare.
        """
        return self._stages

    def change(self, scenario: Scenario, now_s: float) -> None:
        """Have the link's settings of another scenario from now on. Its faults do not matter.

        Raises
        ------
        ValueError
            If it has a ramp where there can be none; everything then stays as it was.
        """
        self._scenario = scenario
        rows = rows_of(scenario.profile, self._direction)
        for name, row in rows.items():
            if name != "rate" and row != self._rows.get(name):
                self._settle(name, row, now_s)
        if rows["rate"] != self._rows.get("rate"):
            self._settle_rate(rows["rate"], now_s)
        self._rows = rows
        self._arrange()

    def add(self, fault: Fault) -> None:
        """Let a fault of the link happen, too."""
        self._put_fault(fault)
        self._arrange()

    def remove(self, fault: Fault) -> None:
        """Let a fault happen no more."""
        if fault in self._faults:
            self._faults.remove(fault)
            self._kept[_slot_of(fault)].remove(_spec_of(fault))
            self._arrange()

    def _put_fault(self, fault: Fault) -> None:
        if fault.kind not in LIVE_KINDS or self._direction not in getattr(fault, "directions", ()):
            return
        self._faults.append(fault)
        slot, spec = _slot_of(fault), _spec_of(fault)
        if slot in self._kept:
            self._kept[slot].add(spec)
        else:
            self._kept[slot] = _fault_stage(slot, spec)

    def _settle(self, name: str, row: list[Step], now_s: float) -> None:
        """Let the stage of a setting follow a row of steps."""
        if name == "reorder":
            row = [Step(step.at_s, step.spec or ReorderSpec(0.0), step.ramp_s) for step in row]
        stage = self._kept.get(name)
        if stage is not None:
            stage.reschedule(row, now_s)
        elif any(step.spec not in NOTHING for step in row):
            stage = self._kept[name] = ScheduledStage(
                "delay" if name == "reorder" else name, row[:1], lambda spec: self._made(name, spec)
            )
            stage.reschedule(row, now_s)

    def _made(self, name: str, spec: Any) -> Any:
        if name == "reorder":
            return ReorderStage(spec, self._kept["delay"], self._scenario.seed, self._direction)
        return make_stage(spec, self._scenario.seed, self._direction)

    def _settle_rate(self, row: list[Step], now_s: float) -> None:
        """Change the rate, if it can be changed; else put another stage in its place."""
        stage = self._kept.get("rate")
        if not all(isinstance(step.spec, RateSpec | None) for step in row):
            (self._kept["rate"],) = rate_stages(self._scenario.profile, self._direction, self._scenario.seed)
            return
        if stage is None and row == [Step(0.0, None)]:
            return
        specs = [step.spec or RateSpec(math.inf) for step in row]
        later = list(zip(row[1:], specs[1:], strict=True))
        steps = [RateStep(step.at_s, spec.rate_bytes_per_s, step.ramp_s) for step, spec in later]
        queues = [(step.at_s, spec) for step, spec in later]
        if isinstance(stage, HeldRateStage):
            stage.reschedule(specs[0], steps, queues, now_s)
        else:
            self._kept["rate"] = HeldRateStage(specs[0], steps, queues)

    def _arrange(self) -> None:
        kept = self._kept
        active = {_slot_of(fault) for fault in self._faults} | {"rate"} & kept.keys()
        for name, row in self._rows.items():
            if any(step.spec not in NOTHING for step in row):
                active.add(name)
        if self._needs_flows():
            kept.setdefault("flow", FlowStage())
            active.add("flow")
        order = ("flow", *_FAULT_SLOTS, "mtu", "rate", "slot", _HELD, "pause", *BEFORE_DELAY)
        stages = [kept[name] for name in order if name in active and name in kept]
        stages.append(kept["reorder" if "reorder" in active else "delay"])
        bare = [stage.settled if isinstance(stage, ScheduledStage) else stage for stage in stages]
        self._stages = [stage for stage in bare if stage is not None and not _is_idle(stage)]

    def _needs_flows(self) -> bool:
        specs = [step.spec for name in SELECTIVE for step in self._rows.get(name, ())]
        selections: list[Any] = [spec.selection for spec in specs if isinstance(spec, SelectedSpec)]
        selections += [getattr(fault, "selection", None) for fault in self._faults]
        return any(one is not None and one.flows is not None for one in selections)


def _is_idle(stage: Any) -> bool:
    return isinstance(stage, ConstantDelayStage) and stage.spec.mean_s == 0


def may_stay(link: Link, stages: Sequence[Stage | HoldingStage]) -> bool:
    """Tell whether a link may go on with other stages, or its successor has to: see ``Link.restage``."""
    before, after = _holding(link.stages), _holding(stages)
    return before is after or before is None or not len(before)


def _holding(stages: Sequence[Stage | HoldingStage]) -> HoldingStage | None:
    found: list[Any] = [stage for stage in stages if hasattr(stage, "hold")]
    return found[0] if found else None


def _slot_of(fault: Fault) -> str:
    return _HELD if isinstance(fault, PauseFault) else fault.kind


def _spec_of(fault: Any) -> Any:
    if isinstance(fault, PauseFault):
        return PauseSpec(fault.at_s, fault.until_s, fault.selection)
    selection = fault.selection if isinstance(fault, BlockFault) else None
    return BlockSpec(fault.at_s, fault.until_s, _CLASSES.get(fault.kind), selection)


def _fault_stage(slot: str, spec: Any) -> Any:
    if slot == _HELD:
        return PauseStage([spec])
    makers = {"consent-blocked": ConsentBlockStage, "bad-integrity": BadIntegrityStage}
    return makers[slot]([spec]) if slot in makers else BlockStage(slot, [spec])


def left_out(profile: Profile, file: str) -> list[str]:
    """Return what of a profile a relay alone leaves out, a sentence for each.

    Parameters
    ----------
    profile
        With its weather still in it.
    """
    kinds = (*LIVE_KINDS, "rebind")
    tables: list[tuple[str, Any]] = [("fault", profile.faults), ("weather", profile.weather)]
    sentences = [
        f'{file}: {table}[{number}].kind is "{one.kind}", which a relay alone leaves out'
        for table, rows in tables
        for number, one in enumerate(rows)
        if one.kind not in kinds
    ]
    if profile.actions:
        sentences.append(f"{file}: a relay alone leaves out every action: it has no client of its own")
    return sentences
