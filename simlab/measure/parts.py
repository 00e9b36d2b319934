"""Which packets met which settings.

Those that met a ramp are left out, and those of a selection are counted alone.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, NamedTuple

from simlab.core.impair import SelectedSpec, Selection, Step
from simlab.core.packet import Packet
from simlab.measure.taps import Passage

_ARRIVED_S = attrgetter("packet.arrived_s")


class Seen(NamedTuple):
    """A packet at a stage, with its number among those that the stage sees."""

    number: int
    passage: Passage


@dataclass(frozen=True)
class Part:
    """What met one setting, which may have held more than once.

    Parameters
    ----------
    spec
        The setting, without its selection.
    stretches
        The packets of each time that it held, in order; the first begins with the session if ``first``.
    """

    spec: Any
    stretches: tuple[tuple[Seen, ...], ...]
    first: bool

    @property
    def seen(self) -> Iterator[Seen]:
        """All packets."""
        return (one for stretch in self.stretches for one in stretch)

    @property
    def passages(self) -> list[Passage]:
        """All packets, without their numbers."""
        return [one.passage for one in self.seen]


def parts_of(row: Sequence[Step], passages: Iterable[Passage], packets: Sequence[Packet]) -> list[Part]:
    """Sort the packets of a stage by the setting that they met.

    Parameters
    ----------
    row
        The settings of the stage over time.
    passages
        At the stage.
    packets
        All that entered the link: a selection counts them there.
    """
    stays = [
        (step.at_s + step.ramp_s, later.at_s, step.spec)
        for step, later in zip(row, [*row[1:], Step(float("inf"), None)], strict=True)
    ]
    found: dict[Any, list[list[Passage]]] = {}
    ordered = sorted(passages, key=_ARRIVED_S)
    times_s = list(map(_ARRIVED_S, ordered))
    until = 0
    for from_s, until_s, spec in stays:
        begin = bisect_left(times_s, from_s, until)
        until = bisect_left(times_s, until_s, begin)
        stretch = ordered[begin:until]
        if spec is not None and stretch:
            found.setdefault(spec, []).append(stretch)
    return [_part(spec, stretches, packets, first=spec == row[0].spec) for spec, stretches in found.items()]


def _part(spec: Any, stretches: list[list[Passage]], packets: Sequence[Packet], first: bool) -> Part:
    if not isinstance(spec, SelectedSpec):
        numbered = tuple(
            tuple(Seen(passage.packet.seq, passage) for passage in stretch) for stretch in stretches
        )
        return Part(spec, numbered, first)
    numbers = numbers_of(spec.selection, packets)
    chosen = tuple(
        tuple(
            Seen(numbers[passage.packet.seq], passage) for passage in stretch if passage.packet.seq in numbers
        )
        for stretch in stretches
    )
    return Part(spec.spec, chosen, first)


def numbers_of(selection: Selection, packets: Sequence[Packet]) -> dict[int, int]:
    """Return the selected packets, by their number in the link, with their number in the selection."""
    covered = [packet.seq for packet in packets if selection.covers(packet)]
    nth = selection.nth
    return {seq: number for number, seq in enumerate(covered) if nth is None or number + 1 in nth}


def runs_of(numbers: Sequence[int], before: int) -> list[int]:
    """Return how many numbers in a row are there, how many are missing, and so on in turns.

    Parameters
    ----------
    numbers
        In ascending order; one that comes again is a copy, and does not count.
    before
        The first number that may be missing.
    """
    runs: list[int] = [0]
    expected = before
    for number in numbers:
        if number < expected:
            continue
        if number > expected:
            runs += [number - expected, 0]
        runs[-1] += 1
        expected = number + 1
    return runs
