"""What is measured: requested, realised, and what chance allows."""

from collections.abc import Callable
from dataclasses import dataclass

from simlab.measure.counts import Floats, interval


@dataclass(frozen=True)
class Count:
    """How often something happened that is random.

    Parameters
    ----------
    what
        Of which setting, and what of it: ``"loss"``, ``"loss, mean burst"``.
    requested
        As it should be.
    seen, of
        How often it happened, of how many.
    chances
        The chance of each count from 0 to ``of``, if everything is as requested.
    show
        Writes a count as what it stands for.
    """

    what: str
    requested: str
    seen: int
    of: int
    chances: Floats
    show: Callable[[float], str]


@dataclass(frozen=True)
class Fact:
    """Something that is not random, and either is so or is not; None if there is nothing to compare with."""

    what: str
    requested: str
    realised: str
    held: bool | None


Finding = Count | Fact


@dataclass(frozen=True)
class Row:
    """A finding, judged.

    Parameters
    ----------
    direction
        ``"up"`` or ``"down"``.
    allowed
        From where to where chance may take it; empty for what is not random.
    held
        Whether it is as requested; None if that cannot be told.
    """

    direction: str
    what: str
    requested: str
    realised: str
    allowed: str
    held: bool | None


def judge(direction: str, finding: Finding, level: float) -> Row:
    """Judge a finding; one that is as it should be is taken for wrong with the chance ``level`` at most."""
    if isinstance(finding, Fact):
        return Row(direction, finding.what, finding.requested, finding.realised, "", finding.held)
    low, high = interval(finding.chances, level)
    return Row(
        direction,
        finding.what,
        finding.requested,
        f"{finding.show(finding.seen)} of {finding.of}",
        f"{finding.show(low)} - {finding.show(high)}",
        low <= finding.seen <= high,
    )


def share_of(number: int) -> Callable[[float], str]:
    """Return what writes a count of ``number`` as a share."""

    def show(count: float) -> str:
        return f"{count / number:.2%}" if number else "-"

    return show


def share_finding(what: str, requested: str, seen: int, of: int, chances: Floats) -> Count:
    """Return a finding whose count is shown as a share."""
    return Count(what, requested, seen, of, chances, share_of(of))
