"""What is done to the network, as it happens: told, and kept for recordings."""

import asyncio
import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from simlab.core.timeline import Recorder
from simlab.live.intercept.happenings import Happening, Settled
from simlab.profile.faults import Fault
from simlab.profile.faults_nat import RebindFault
from simlab.profile.model import Profile
from simlab.profile.units import duration_text


def keys_of(fault: Fault) -> dict[str, Any]:
    """Return the keys of a fault beside its kind and its times, as a profile has them."""
    return fault.model_dump(by_alias=True, exclude={"kind", "at_s", "for_s"}, exclude_none=True)


class Chronicle:
    """Keep all profiles that were in force, and all faults."""

    def __init__(self, record: Recorder) -> None:
        self._record = record
        self.settled: list[Settled] = []
        self.happenings: list[Happening] = []
        self._timers: list[asyncio.TimerHandle] = []

    @property
    def profile(self) -> Profile:
        """The profile in force."""
        return self.settled[-1].profile

    @property
    def began_s(self) -> float:
        """When its own time began."""
        return self.settled[-1].began_s

    def settle(self, profile: Profile, began_s: float) -> None:
        """Note that a profile is in force, or the same one with other settings."""
        self.settled.append(Settled(self._record.now_s(), began_s, profile))

    def active(self) -> list[Happening]:
        """Return what happens now."""
        now_s = self._record.now_s()
        return [one for one in self.happenings if one.at_s <= now_s < one.until_s]

    def play(self, profile: Profile, began_s: float, rebind: Callable[[], object]) -> None:
        """Tell of the faults of a new profile at their times; those to come of the one before do not."""
        now_s = self._record.now_s()
        self.close()
        for one in self.happenings:
            if one.at_s > now_s:
                one.at_s = one.until_s = math.inf
            elif one.until_s > now_s and one.of_profile:
                self.end(one)
        for fault in profile.faults:
            at_s, until_s = began_s + fault.at_s, began_s + fault.until_s
            one = self._kept(fault.kind, at_s, until_s, 0, keys_of(fault), of_profile=True)
            self._later(at_s, partial(self._tell, "begin", one))
            if until_s > at_s:
                self._later(until_s, partial(self._tell, "end", one))
            if isinstance(fault, RebindFault):
                self._later(at_s, rebind)

    def begin(self, kind: str, at_s: float, for_s: float, client: int, keys: Mapping[str, Any]) -> Happening:
        """Note and tell that a fault has begun; its end is for the caller to tell, unless it lasts 0 s."""
        one = self._kept(kind, at_s, at_s + for_s, client, keys)
        self._tell("begin", one)
        return one

    def end(self, one: Happening) -> None:
        """Note and tell that it ends now."""
        one.until_s = min(one.until_s, self._record.now_s())
        self._tell("end", one)

    def close(self) -> None:
        """Tell of nothing more at its time."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    def _kept(
        self,
        kind: str,
        at_s: float,
        until_s: float,
        client: int,
        keys: Mapping[str, Any],
        of_profile: bool = False,
    ) -> Happening:
        one = Happening(len(self.happenings), kind, at_s, until_s, client, keys, of_profile)
        self.happenings.append(one)
        return one

    def _tell(self, kind: str, one: Happening) -> None:
        labels: dict[str, Any] = {**one.keys, **({"client": one.client} if one.client else {})}
        if one.at_s < one.until_s < math.inf:
            labels["for"] = duration_text(round(one.until_s - one.at_s, 6))
        self._record("fault", kind, index=one.index, fault=one.kind, **labels)

    def _later(self, at_s: float, work: Callable[[], object]) -> None:
        delay_s = at_s - self._record.now_s()
        if delay_s <= 0.0:
            work()
        else:
            self._timers.append(asyncio.get_running_loop().call_later(delay_s, work))
