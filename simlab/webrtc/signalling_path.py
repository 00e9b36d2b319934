"""What the path of the signalling does to requests, and when."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from simlab.core.packet import Direction
from simlab.profile.faults import SignallingFault
from simlab.profile.faults_ice import CandidatesLateFault, IceFault, PatchLostFault, SignallingTamper
from simlab.profile.faults_nat import HandoverFault
from simlab.profile.model import Profile


@dataclass(frozen=True)
class Path:
    """The network path of the signalling: one-way delays, and what is wrong with it and when.

    Parameters
    ----------
    faults
        What breaks requests.
    tampers
        What changes, delays or swallows the ICE candidates and credentials that requests carry.
    handovers
        When the client has no network, and loses its requests.
    """

    delay_up_s: float
    delay_down_s: float
    faults: tuple[SignallingFault, ...] = ()
    tampers: tuple[SignallingTamper, ...] = ()
    handovers: tuple[HandoverFault, ...] = ()

    @staticmethod
    def of(profile: Profile) -> "Path":
        """Return the path that a profile describes."""
        return Path(
            profile.signalling_delay_s(Direction.UP),
            profile.signalling_delay_s(Direction.DOWN),
            tuple(fault for fault in profile.faults if isinstance(fault, SignallingFault)),
            tuple(fault for fault in profile.faults if isinstance(fault, SignallingTamper)),
            tuple(fault for fault in profile.faults if isinstance(fault, HandoverFault)),
        )

    @property
    def has_half_open(self) -> bool:
        """Whether any fault is about connections that were open before."""
        return any(fault.how.kind == "half-open" for fault in self.faults)

    def is_cut_at(self, now_s: float) -> bool:
        """Tell whether the client has no network at that time."""
        return any(fault.at_s <= now_s < fault.until_s for fault in self.handovers)

    def tampers_at(self, now_s: float) -> "Tampers":
        """Return the ICE failures that a request meets at that time."""
        return Tampers(tuple(fault for fault in self.tampers if fault.at_s <= now_s < fault.until_s))


@dataclass(frozen=True)
class Tampers:
    """The ICE failures that one request meets."""

    faults: tuple[SignallingTamper, ...] = ()

    def has(self, kind: str, direction: Direction = Direction.UP) -> bool:
        """Tell whether a failure of that kind concerns what goes in that direction."""
        return any(
            fault.kind == kind and (not isinstance(fault, IceFault) or direction in fault.directions)
            for fault in self.faults
        )

    def late_by_s(self, direction: Direction) -> float:
        """Return how long candidates are held back that go in that direction."""
        late = (f for f in self.faults if isinstance(f, CandidatesLateFault) and direction in f.directions)
        return sum(fault.by_s for fault in late)

    def lost_patch_status(self) -> int | None:
        """Return what is answered to a PATCH that is lost; None where none is."""
        lost = (fault.status for fault in self.faults if isinstance(fault, PatchLostFault))
        return next(lost, None)


class FaultPicker:
    """Choose the fault that a request meets, and count requests for the faults that want the n-th."""

    def __init__(self, faults: Sequence[SignallingFault]) -> None:
        self._faults = faults
        self._counts: Counter[int] = Counter()

    def pick(self, method: str, now_s: float, opened_s: float = math.inf) -> SignallingFault | None:
        """Return what is wrong with a request that is made now, the first listed of several.

        Parameters
        ----------
        opened_s
            Since when its connection has been there.
        """
        chosen: SignallingFault | None = None
        for index, fault in enumerate(self._faults):
            if not fault.at_s <= now_s < fault.until_s or fault.method not in (None, method):
                continue
            if fault.how.kind == "half-open" and opened_s >= fault.at_s:
                continue
            self._counts[index] += 1
            if chosen is None and fault.nth in (None, self._counts[index]):
                chosen = fault
        return chosen
