"""A stage whose spec changes while the session goes on, at times known beforehand."""

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

from simlab.core.impair.select import SelectedSpec, SelectedStage
from simlab.core.packet import Packet, Transit


class _Stage(Protocol):
    @property
    def name(self) -> str: ...

    def apply(self, transit: Transit) -> tuple[Transit, ...]: ...


@dataclass(frozen=True, slots=True)
class Step:
    """From ``at_s`` on the spec is this one; with a ramp, evenly more so until ``at_s + ramp_s``.

    ``spec`` is None for a stage that does nothing.
    """

    at_s: float
    spec: Any
    ramp_s: float = 0.0


def between(one: Any, other: Any, share: float) -> Any:
    """Return the spec that lies between two: each number that share of the way.

    Raises
    ------
    ValueError
        If they are of different models, or differ in more than numbers.
    """
    if type(one) is not type(other):
        raise ValueError("want no ramp where the model changes")
    values = {}
    for field in dataclasses.fields(one):
        values[field.name] = _value_between(getattr(one, field.name), getattr(other, field.name), share)
    return type(one)(**values)


def _value_between(one: Any, other: Any, share: float) -> Any:
    if one == other:
        return one
    if isinstance(one, float) and isinstance(other, float):
        return one + (other - one) * share
    if isinstance(one, int) and isinstance(other, int) and not isinstance(one, bool):
        return round(one + (other - one) * share)
    if dataclasses.is_dataclass(one) and dataclasses.is_dataclass(other):
        return between(one, other, share)
    raise ValueError("want a ramp between numbers only")


class ScheduledStage:
    """Give a stage its spec of the time.

    A new spec of the same model goes into the stage as it stands, so its state and its streams go on and
    nothing is seeded again. Where a model comes back, so does its stage.

    Parameters
    ----------
    name
        The cause of drops while there is no stage.
    steps
        In order of time; the first holds from the beginning.
    make
        Returns a stage for a spec.

    Raises
    ------
    ValueError
        If a step has a ramp and cannot.
    """

    def __init__(self, name: str, steps: Sequence[Step], make: Callable[[Any], _Stage]) -> None:
        self._name = name
        self._make = make
        self._made: dict[object, _Stage] = {}
        self._stage: _Stage | None = None
        self._follow(steps)
        self._put(self._spec)

    @property
    def name(self) -> str:
        """The cause of its drops."""
        return self._name if self._stage is None else self._stage.name

    def _follow(self, steps: Sequence[Step]) -> None:
        for before, after in pairwise(steps):
            if after.ramp_s:
                between(before.spec, after.spec, 0.5)
        self._later = list(reversed(steps[1:]))
        self._spec = steps[0].spec
        self._from_spec: Any = None
        self._ramp: Step | None = None
        self._changes_s = self._later[-1].at_s if self._later else math.inf

    def reschedule(self, steps: Sequence[Step], now_s: float) -> None:
        """Follow other steps from now on, as if they had been these from the beginning.

        Raises
        ------
        ValueError
            If a step has a ramp and cannot; everything then stays as it was.
        """
        self._follow(steps)
        self._update(now_s)

    @property
    def spec(self) -> Any:
        """The spec of the time."""
        return self._spec

    @property
    def settled(self) -> _Stage | None:
        """What it is for good unless rescheduled, None for nothing; itself if that may still change.

        It is itself, too, where a selection counts what enters the link.
        """
        counts = any(isinstance(stage, SelectedStage) for stage in self._made.values())
        return self if counts or self._changes_s < math.inf else self._stage

    def note(self, packet: Packet) -> None:
        """Show a packet that enters the link to the stages that want to see it."""
        if packet.arrived_s >= self._changes_s:
            self._update(packet.arrived_s)
        for stage in self._made.values():
            if isinstance(stage, SelectedStage):
                stage.note(packet)

    def apply(self, transit: Transit) -> tuple[Transit, ...]:
        """Apply the stage of the time at which the packet entered the link."""
        if transit.packet.arrived_s >= self._changes_s:
            self._update(transit.packet.arrived_s)
        return (transit,) if self._stage is None else self._stage.apply(transit)

    def _update(self, now_s: float) -> None:
        while self._later and self._later[-1].at_s <= now_s:
            step = self._later.pop()
            self._from_spec, self._ramp = self._at(step.at_s), step
        self._put(self._at(now_s))
        ramp = self._ramp
        if ramp is not None and now_s >= ramp.at_s + ramp.ramp_s:
            self._ramp = None
        starts_s = self._later[-1].at_s if self._later else math.inf
        self._changes_s = starts_s if self._ramp is None else now_s

    def _at(self, now_s: float) -> Any:
        ramp = self._ramp
        if ramp is None:
            return self._spec
        if now_s >= ramp.at_s + ramp.ramp_s:
            return ramp.spec
        return between(self._from_spec, ramp.spec, (now_s - ramp.at_s) / ramp.ramp_s)

    def _put(self, spec: Any) -> None:
        self._spec = spec
        if spec is None:
            self._stage = None
            return
        key = (type(spec), type(spec.spec), spec.selection) if isinstance(spec, SelectedSpec) else type(spec)
        stage = self._made.get(key)
        if stage is None:
            stage = self._made[key] = self._make(spec)
        else:
            _change(stage, spec)
        self._stage = stage


def _change(stage: Any, spec: Any) -> None:
    """Give a stage another spec of the same model."""
    if isinstance(stage, SelectedStage):
        stage, spec = stage.stage, spec.spec
    change = getattr(stage, "change", None)
    if change is None:
        stage.spec = spec
    else:
        change(spec)
