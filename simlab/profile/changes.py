"""``[[link.change]]``: what a link does over time, as rows of specs for the stages."""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator

from simlab.core.impair import (
    BernoulliSpec,
    CodelSpec,
    RateSpec,
    Step,
    between,
)
from simlab.core.packet import Direction
from simlab.profile.faulty import FaultyKeysError, Path
from simlab.profile.link import (
    SETTINGS,
    Change,
    ChangeTable,
    DirectionSettings,
    LinkSettings,
    LinkTable,
    key_faults,
    laid_over,
    settings_of,
)


def settle(table: LinkTable) -> LinkSettings:
    """Lay each direction's keys over the common ones, and the changes over those, one after the other.

    A direction's own delay table settles its jitter too, so the common jitter does not apply to it.

    Raises
    ------
    FaultyKeysError
        If keys do not go together.
    """
    faults: list[tuple[Path, str]] = [*key_faults(table), *time_faults(table)]
    up, up_faults = changes_of(table, Direction.UP)
    down, down_faults = changes_of(table, Direction.DOWN)
    faults += [*up_faults, *(fault for fault in down_faults if fault not in up_faults)]
    if faults:
        raise FaultyKeysError(faults)
    return LinkSettings(up, down, table.repeat_s)


def time_faults(table: LinkTable) -> list[tuple[Path, str]]:
    """Return what is wrong with the times of changes."""
    faults: list[tuple[Path, str]] = []
    before_s = 0.0
    for number, change in enumerate(table.changes):
        if change.at_s < before_s:
            faults.append((("change", number, "at"), "want no time before that of the change above it"))
        before_s = max(before_s, change.at_s)
        if table.repeat_s is not None and change.at_s + change.ramp_s > table.repeat_s:
            faults.append((("change", number, "at"), "want it to be over when the changes repeat"))
    if table.repeat_s is not None:
        if not table.changes:
            faults.append((("repeat",), "want a change to repeat"))
        elif table.repeat_s < 1:
            faults.append((("repeat",), "want 1s or more"))
    return faults


def changes_of(table: LinkTable, direction: Direction) -> tuple[DirectionSettings, list[tuple[Path, str]]]:
    """Return what a direction does over time, and what of that does not go together."""
    own = table.up if direction is Direction.UP else table.down
    faults: list[tuple[Path, str]] = []
    keys = laid_over(table, own)
    base = settings = _settings(keys, (), faults)
    changes: list[Change] = []
    for number, change in enumerate(table.changes):
        if change.direction not in ("both", direction.value):
            continue
        path: Path = ("change", number)
        if change.jitter_s is not None and _varies(laid_over(keys, change)):
            want = "want no jitter beside a delay table that says how delay varies"
            faults.append(((*path, "jitter"), want))
        keys = laid_over(keys, change)
        later = _settings(keys, path, faults)
        faults += [(path + below, want) for below, want in _change_faults(settings, later, change)]
        changes.append(Change(change.at_s, change.ramp_s, later))
        settings = later
    return replace(base, changes=tuple(changes)), faults


def _varies(keys: Any) -> bool:
    return hasattr(keys.delay, "reorder") or hasattr(keys.delay, "spec")


def _settings(keys: Any, path: Path, faults: list[tuple[Path, str]]) -> DirectionSettings:
    try:
        settings = settings_of(keys)
    except FaultyKeysError as error:
        faults += [(path + below, want) for below, want in error.faults]
        return DirectionSettings()
    if settings.reorder is not None and settings.delay.mean_s == 0:
        faults.append(((*path, "reorder"), "want a delay beside it, for the others to be overtaken in"))
    return settings


def _change_faults(
    before: DirectionSettings, after: DirectionSettings, change: ChangeTable
) -> Iterator[tuple[Path, str]]:
    for name in SETTINGS:
        one, other = getattr(before, name), getattr(after, name)
        if one == other:
            continue
        if name == "rate" and not _both_plain(one, other):
            yield ("rate",), "want a plain rate before and after a change, and the same aqm"
        elif change.ramp_s:
            yield from _ramp_faults(name, one, other)


def _both_plain(one: Any, other: Any) -> bool:
    if isinstance(one, CodelSpec) and isinstance(other, CodelSpec):
        return one.target_s == other.target_s and one.interval_s == other.interval_s
    return isinstance(one, RateSpec | None) and isinstance(other, RateSpec)


def _ramp_faults(name: str, one: Any, other: Any) -> Iterator[tuple[Path, str]]:
    if name == "rate":  # its queue changes at once
        if one is None:
            yield ("ramp",), "want no ramp from a link without a rate"
        return
    try:
        between(_start(one, other), other, 0.5)
    except ValueError as error:
        yield ("ramp",), f"{error} ({name})"


def _start(spec: Any, following: Any) -> Any:
    """Return what a ramp starts from: no loss at all, where there was none before."""
    return BernoulliSpec(0.0) if spec is None and isinstance(following, BernoulliSpec) else spec


def steps(settings: DirectionSettings, name: str, repeat_s: float | None, until_s: float) -> list[Step]:
    """Return the specs of one stage over time, the first from the beginning on.

    Parameters
    ----------
    name
        One of ``SETTINGS``.
    repeat_s
        How often they start over; None for never.
    until_s
        When nobody asks any more.
    """
    first = _first(settings, name)
    row = [Step(0.0, first)]
    rounds = 1 if repeat_s is None else math.ceil(until_s / repeat_s)
    for number in range(rounds):
        start_s = number * (repeat_s or 0.0)
        if number:
            _append(row, Step(start_s, first))
        for change in settings.changes:
            spec = getattr(change.settings, name)
            _append(row, Step(start_s + change.at_s, first if spec is None else spec, change.ramp_s))
    return row


def _first(settings: DirectionSettings, name: str) -> Any:
    first = getattr(settings, name)
    later = (change for change in settings.changes if getattr(change.settings, name) != first)
    change = next(later, None)
    return _start(first, getattr(change.settings, name)) if change is not None and change.ramp_s else first


def _append(row: list[Step], step: Step) -> None:
    if step.spec != row[-1].spec:
        row.append(step)


if TYPE_CHECKING:
    LinkValue = LinkSettings
else:
    LinkValue = Annotated[LinkTable, AfterValidator(settle)]
