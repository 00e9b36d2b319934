"""How outages end where they can end in two ways: over, or given up by the policy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simlab.study.rows import Row

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Incidence:
    """The share of outages that have ended in one way, as a step function of the time since they began.

    Parameters
    ----------
    at_s : shape (k,)
        Where it steps up.
    share : shape (k,)
        From there on; 0 before.
    """

    at_s: Floats
    share: Floats

    def within(self, seconds: float) -> float:
        """Return the share that has ended in this way by then."""
        passed = int(np.searchsorted(self.at_s, seconds, side="right"))
        return float(self.share[passed - 1]) if passed else 0.0


def incidences(waited_s: npt.ArrayLike, how: Sequence[str | None]) -> Mapping[str, Incidence]:
    """Estimate how many outages end in each of several ways, against time.

    One minus a Kaplan-Meier curve of each way alone would say too much: what was given up can't recover any
    more, and counting it as not yet over takes for granted that it could.

    Parameters
    ----------
    waited_s : array_like, shape (n,)
        Seconds until each outage ended, in whichever way, or was last watched.
    how
        In which way, such as ``"recovered"`` or ``"gave_up"``; None where it had not ended.

    Raises
    ------
    ValueError
        If there are not as many ways as waits.

    Source: Aalen and Johansen (1978), Scand. J. Stat. 5(3), 141-150.
    """
    waits_s, ways = np.asarray(waited_s, dtype=float), np.array(["" if one is None else one for one in how])
    if waits_s.ndim != 1 or waits_s.shape != ways.shape:
        raise ValueError("want as many waits as ways, in one dimension")
    times_s = np.unique(waits_s[ways != ""])
    at_risk = len(waits_s) - np.searchsorted(np.sort(waits_s), times_s, side="left")
    ended = _counts(waits_s[ways != ""], times_s)
    before = np.concatenate([[1.0], np.cumprod(1 - ended / at_risk)[:-1]]) if len(times_s) else times_s
    found = {}
    for way in sorted({one for one in how if one is not None}):
        own = _counts(waits_s[ways == way], times_s)
        some = own > 0
        found[way] = Incidence(times_s[some], np.cumsum(before * own / at_risk)[some])
    return found


def outage_incidences(outages: Sequence[Row]) -> Mapping[str, Incidence]:
    """Return ``incidences`` of outages, which end as ``"recovered"`` or ``"gave_up"``.

    Parameters
    ----------
    outages
        As ``study.rows`` makes them. What the policy gave up and the network healed afterwards is recovered.
    """
    times_s: list[float] = []
    ways: list[str | None] = []
    for row in outages:
        gave_up_s = row.get("gave_up_s")
        given_up = not row["recovered"] and gave_up_s is not None
        times_s.append(gave_up_s if given_up and gave_up_s is not None else row["waited_s"])
        ways.append("recovered" if row["recovered"] else "gave_up" if given_up else None)
    return incidences(times_s, ways)


def _counts(waits_s: Floats, times_s: Floats) -> npt.NDArray[np.int64]:
    ordered = np.sort(waits_s)
    counts: npt.NDArray[np.int64] = np.searchsorted(ordered, times_s, side="right") - np.searchsorted(
        ordered, times_s, side="left"
    )
    return counts
