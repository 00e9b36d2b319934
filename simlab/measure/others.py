"""Copies, damage, sizes, slots, spikes, pauses, and faults that take packets away."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from simlab.core.impair import (
    HEADER_BYTES,
    BitErrorSpec,
    CorruptSpec,
    DuplicateSpec,
    MtuSpec,
    PeriodicPauseSpec,
    SlotSpec,
    SpikeSpec,
)
from simlab.core.packet import Packet
from simlab.measure.counts import independent
from simlab.measure.parts import Part, numbers_of
from simlab.measure.rows import Fact, Finding, share_finding
from simlab.measure.taps import Passage
from simlab.profile.faults import BlackoutFault, BlockFault, Fault, PauseFault
from simlab.profile.faults_base import TimedFault
from simlab.profile.units import duration_text

_EXACT_S = 1e-9


def other_findings(part: Part) -> Iterator[Finding]:
    """Compare what became of packets with what a setting asks for."""
    yield from _FINDINGS[type(part.spec)](part)


def _duplicate(part: Part) -> Iterator[Finding]:
    spec: DuplicateSpec = part.spec
    copied = sum(len(passage.left) == 2 for passage in part.passages)
    yield _chance("duplicate", spec.duplicate_chance, copied, len(part.passages))


def _chance(what: str, chance: float, seen: int, of: int) -> Finding:
    return share_finding(what, f"{100 * chance:.4g}%", seen, of, independent([(chance, of)]))


def _damaged(part: Part) -> int:
    return sum(passage.left[0][1] != passage.payload for passage in part.passages)


def _corrupt(part: Part) -> Iterator[Finding]:
    spec: CorruptSpec = part.spec
    yield _chance("corrupt", spec.corrupt_chance, _damaged(part), len(part.passages))


def _bit_errors(part: Part) -> Iterator[Finding]:
    spec: BitErrorSpec = part.spec
    sizes = Counter(len(passage.payload) for passage in part.passages)
    groups = [(1 - (1 - spec.bit_chance) ** (8 * size), number) for size, number in sizes.items()]
    mean = sum(chance * number for chance, number in groups) / max(len(part.passages), 1)
    of = len(part.passages)
    yield share_finding("corrupt, any bit", f"{mean:.4%}", _damaged(part), of, independent(groups))


def _mtu(part: Part) -> Iterator[Finding]:
    spec: MtuSpec = part.spec
    sizes = [len(passage.payload) + HEADER_BYTES for passage in part.passages]
    wrong = [
        passage.lost != (size > spec.mtu_bytes) for passage, size in zip(part.passages, sizes, strict=True)
    ]
    largest = max((s for s, p in zip(sizes, part.passages, strict=True) if not p.lost), default=0)
    lost = sum(passage.lost for passage in part.passages)
    realised = f"{largest} B at most, {lost} of {len(sizes)} dropped"
    yield Fact("mtu", f"{spec.mtu_bytes} B", realised, not any(wrong))


def _within(at_s: float, spec: SpikeSpec | PeriodicPauseSpec) -> bool:
    since_s = at_s - spec.first_s
    return since_s >= 0 and since_s % spec.every_s < spec.for_s


def _spike(part: Part) -> Iterator[Finding]:
    spec: SpikeSpec = part.spec
    hit = [passage for passage in part.passages if _within(passage.packet.arrived_s, spec)]
    late = sum(passage.left_s - passage.due_s >= spec.extra_s - _EXACT_S for passage in hit)
    early = sum(
        passage.left_s > passage.due_s + _EXACT_S
        for passage in part.passages
        if spec.reorder and not _within(passage.packet.arrived_s, spec)
    )
    asked = f"{duration_text(spec.extra_s)} more for {len(hit)} of {len(part.passages)}"
    yield Fact("spike", asked, f"for {late} of these, and {early} others", late == len(hit) and not early)


def _pause(part: Part) -> Iterator[Finding]:
    spec: PeriodicPauseSpec = part.spec
    held = sum(passage.left_s > passage.due_s for passage in part.passages)
    # The end of a pause may be rounded to just before it.
    inside = sum(_within(passage.left_s + _EXACT_S, spec) for passage in part.passages)
    longest_s = max((passage.left_s - passage.due_s for passage in part.passages), default=0.0)
    asked = f"none to leave in {duration_text(spec.for_s)} of every {duration_text(spec.every_s)}"
    realised = f"{inside} left then, {held} were held for {longest_s * 1000:.0f} ms at most"
    yield Fact("pause", asked, realised, not inside and longest_s <= spec.for_s + _EXACT_S)


def _slot(part: Part) -> Iterator[Finding]:
    spec: SlotSpec = part.spec
    opened = Counter(round(passage.left_s, 9) for passage in part.passages)
    times_s = sorted(opened)
    shortest_s = min((b - a for a, b in pairwise(times_s)), default=math.inf)
    longest_s = max((passage.left_s - passage.due_s for passage in part.passages), default=0.0)
    most = max(opened.values(), default=0)
    # Two slots may open in the time that the first packet of one has to wait: one used up, and the next.
    held = (
        shortest_s >= spec.min_s - _EXACT_S
        and (spec.packets is None or most <= spec.packets)
        and (spec.packets is not None or spec.size_bytes is not None or longest_s <= spec.max_s + _EXACT_S)
    )
    asked = f"{duration_text(spec.min_s)} or more apart, {spec.packets or 'any'} packets"
    realised = f"{shortest_s * 1000:.3f} ms apart at least, {most} packets at most"
    yield Fact("slot", asked, realised, held)


_FINDINGS: Mapping[type, Callable[[Part], Iterator[Finding]]] = {
    DuplicateSpec: _duplicate,
    CorruptSpec: _corrupt,
    BitErrorSpec: _bit_errors,
    MtuSpec: _mtu,
    SpikeSpec: _spike,
    PeriodicPauseSpec: _pause,
    SlotSpec: _slot,
}


def drop_finding(what: str, faults: Sequence[Fault], passages: Sequence[Passage]) -> Fact:
    """Compare what blackouts, or blocks, took away with what they should."""
    kind = BlackoutFault if what == "blackout" else BlockFault
    ours = [fault for fault in faults if isinstance(fault, kind)]
    packets = [passage.packet for passage in passages]
    want = {seq for fault in ours for seq in _covered(fault, packets)}
    lost = {passage.packet.seq for passage in passages if passage.lost}
    asked = f"{_times(ours)}: {len(want)} of {len(packets)}"
    return Fact(what, asked, f"{len(lost)} dropped, {len(lost - want)} of them others", lost == want)


def _covered(fault: BlackoutFault | BlockFault, packets: Sequence[Packet]) -> set[int]:
    during = [packet for packet in packets if fault.at_s <= packet.arrived_s < fault.until_s]
    selection = fault.selection if isinstance(fault, BlockFault) else None
    if selection is None:
        return {packet.seq for packet in during}
    return set(numbers_of(selection, during))


def held_finding(faults: Sequence[Fault], passages: Sequence[Passage]) -> Fact:
    """Compare what left during pauses with what should: nothing of what they are for."""
    pauses = [fault for fault in faults if isinstance(fault, PauseFault)]
    inside = sum(
        fault.at_s <= passage.left_s < fault.until_s
        for fault in pauses
        for passage in passages
        if fault.selection is None or fault.selection.covers(passage.packet)
    )
    held = sum(passage.left_s > passage.due_s for passage in passages)
    return Fact(
        "pause, a fault",
        f"{_times(pauses)}: none leaves",
        f"{inside} left then, {held} were held",
        not inside,
    )


def _times(faults: Iterable[TimedFault]) -> str:
    return ", ".join(f"{duration_text(fault.for_s)} from {duration_text(fault.at_s)}" for fault in faults)
