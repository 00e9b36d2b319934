"""Measuring a profile: what its links do to a flow, against what the profile asks for.

The links are the profile's own, with every stage and fault of theirs; a tap around each stage writes down
what goes in and what comes out, so each setting is judged by what it did itself.
"""

import gc
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast

from simlab.core.impair import BlockStage, CorruptSpec, DuplicateSpec, PauseStage, SelectedSpec, Step
from simlab.core.link import Link
from simlab.core.packet import Direction, Packet
from simlab.measure.delays import delay_findings
from simlab.measure.flow import flow
from simlab.measure.losses import loss_findings
from simlab.measure.others import drop_finding, held_finding, other_findings
from simlab.measure.parts import parts_of
from simlab.measure.rates import rate_findings
from simlab.measure.rows import Count, Fact, Finding, Row, judge
from simlab.measure.taps import HoldingTap, Passage, Tap, drain, drive, tapped
from simlab.profile.build import stages
from simlab.profile.changes import steps
from simlab.profile.faults import Fault
from simlab.profile.scenario import Scenario

LEVEL = 1e-4
"""Chance that anything at all is taken for wrong, where everything is as requested."""

_NOTHING = (None, DuplicateSpec(0.0), CorruptSpec(0.0))
_SETTINGS = {"policer": "rate", "queue": "rate"}
"""What the stages are called, where that is not the key of the profile."""

Findings = list[tuple[Direction, Finding]]


@contextmanager
def _uncollected() -> Iterator[None]:
    """Collect no garbage meanwhile: packets make no cycles, and looking for some takes half of the time."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


@_uncollected()
def measure(scenario: Scenario, driven: Scenario | None = None) -> Findings:
    """Send a flow through both links of a scenario, and say what became of it.

    What is random follows from the seed; nothing waits, and no socket is opened.

    Parameters
    ----------
    scenario
        What is asked for.
    driven
        Whose links are driven: by default those of the same scenario, which is what it is all about.
    """
    links = {direction: tapped_link(driven or scenario, direction) for direction in Direction}
    for direction, link in links.items():
        drive(
            link,
            flow(scenario.seed if driven is None else driven.seed, direction, scenario.profile.duration_s),
        )
    return findings(scenario, links)


def tapped_link(scenario: Scenario, direction: Direction, most: float = math.inf) -> Link:
    """Return a fresh link of a scenario that can be measured: see ``findings``.

    Parameters
    ----------
    most
        How many packets are looked at, from the first on; each takes memory.
    """
    return Link(tapped(stages(scenario, direction), most))


def findings(scenario: Scenario, links: Mapping[Direction, Link]) -> Findings:
    """Say what became of the packets that went through links from ``tapped_link``.

    What is still on its way is let out first, so the links are of no use afterwards.
    """
    for link in links.values():
        drain(link)
    return [
        (direction, finding)
        for direction, link in links.items()
        for finding in _findings(scenario, direction, cast(Sequence[Tap | HoldingTap], link.stages))
    ]


def judged(measured: Iterable[Findings], level: float = LEVEL) -> list[list[Row]]:
    """Judge what was measured of several scenarios.

    Parameters
    ----------
    level
        For all of them together: each of n random findings is judged at ``level / n``.
    """
    measured = list(measured)
    number = sum(isinstance(finding, Count) for one in measured for _, finding in one)
    each = level / max(number, 1)
    return [[judge(direction, finding, each) for direction, finding in one] for one in measured]


def _findings(
    scenario: Scenario, direction: Direction, taps: Sequence[Tap | HoldingTap]
) -> Iterator[Finding]:
    profile = scenario.profile
    packets = list({passage.packet.seq: passage.packet for passage in taps[0].passages}.values())
    faults: list[Fault] = [fault for fault in profile.faults if direction in getattr(fault, "directions", ())]
    for tap in taps:
        if isinstance(tap.stage, BlockStage):
            if tap.name in ("blackout", "block"):  # others stand for failures of ICE
                yield drop_finding(tap.name, faults, tap.passages)
        elif isinstance(tap.stage, PauseStage):
            yield held_finding(faults, tap.passages)
        else:
            yield from _of_setting(scenario, direction, tap, packets)


def _row(scenario: Scenario, direction: Direction, name: str) -> list[Step]:
    link = scenario.profile.link
    return steps(link.of(direction), name, link.repeat_s, scenario.profile.duration_s)


def _of_setting(
    scenario: Scenario, direction: Direction, tap: Tap | HoldingTap, packets: Sequence[Packet]
) -> Iterator[Finding]:
    name = _SETTINGS.get(tap.name, tap.name)
    if name not in ("rate", "slot", "pause", "loss", "duplicate", "corrupt", "spike", "delay", "mtu"):
        return  # a stage of a fault that has no numbers to compare
    row = _row(scenario, direction, name)
    if name == "rate":
        yield from _of_rate(row, tap.passages, packets)
        return
    for part in parts_of(row, tap.passages, packets):
        if part.spec in _NOTHING or not any(part.stretches):
            continue
        if name == "loss":
            yield from loss_findings(part)
        elif name == "delay":
            reorder = _row(scenario, direction, "reorder")
            skips = reorder[0].spec if len(reorder) == 1 else None
            if len(reorder) == 1:
                yield from delay_findings(part, skips, tap.passages)
        else:
            yield from other_findings(part)


def _of_rate(row: list[Step], passages: list[Passage], packets: Sequence[Packet]) -> Iterator[Finding]:
    spec: Any = row[0].spec
    if not isinstance(spec, SelectedSpec):
        yield from rate_findings(row, passages)
        return
    (part,) = parts_of(row, passages, packets)
    yield from rate_findings([replace(row[0], spec=spec.spec)], part.passages)


__all__ = ["LEVEL", "Count", "Fact", "Row", "findings", "judged", "measure", "tapped_link"]
