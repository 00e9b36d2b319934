"""Changes of the links over time, which no event of a timeline tells."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from simlab.study.told import MOST_TIMES_TOLD, Rank, Told
from simlab.study.words import number_text


@dataclass(frozen=True, slots=True)
class LinkChange:
    """What a ``[[link.change]]`` of the profile does.

    Parameters
    ----------
    at_s, ramp_s
        When it begins, in seconds since the session began, and how long it takes.
    what
        The keys and their values: ``"loss 60%, delay 35ms"``.
    direction
        ``"up"``, ``"down"`` or ``"both"``.
    every_s
        After how long it comes again; None if it comes once.
    """

    at_s: float
    ramp_s: float
    what: str
    direction: str = "both"
    every_s: float | None = None

    def times_s(self, end_s: float) -> Iterator[float]:
        """Yield when it begins, until the end of the session."""
        t_s, number = self.at_s, 0
        while t_s < end_s:
            yield t_s
            if self.every_s is None:
                return
            number += 1
            t_s = self.at_s + number * self.every_s


def changes_told(changes: Sequence[LinkChange], end_s: float) -> Iterator[Told]:
    """Yield a sentence for each change; where there are many, for the first ones and for the others."""
    met = [change for change in changes if change.at_s < end_s]
    for change in met[:MOST_TIMES_TOLD]:
        yield change.at_s, Rank.FAULT, _sentence(change)
    if more := met[MOST_TIMES_TOLD:]:
        first_s, last_s = more[0].at_s, more[-1].at_s
        yield (
            first_s,
            Rank.FAULT,
            f"From {first_s:.1f} s to {last_s:.1f} s the links changed {len(more)} times more.",
        )


def _sentence(change: LinkChange) -> str:
    again = "" if change.every_s is None else f", and every {number_text(change.every_s)} s from then on,"
    links = "the links" if change.direction == "both" else f"the link {change.direction}"
    ramp = f" over {number_text(change.ramp_s)} s" if change.ramp_s else ""
    return f"At {change.at_s:.1f} s{again} {links} changed{ramp}: {change.what}."
