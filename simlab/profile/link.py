"""The ``[link]`` table: what each direction of the network does to packets."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from simlab.core.impair import (
    BitErrorSpec,
    ConstantDelaySpec,
    CorruptSpec,
    DelaySpec,
    DuplicateSpec,
    LossSpec,
    MtuSpec,
    PeriodicPauseSpec,
    ReorderSpec,
    SelectedSpec,
    SlotSpec,
    SpikeSpec,
    UniformDelaySpec,
)
from simlab.core.packet import Direction
from simlab.profile.damage import (
    CorruptValue,
    DuplicateValue,
    MtuValue,
    PauseValue,
    ReorderValue,
    SlotValue,
    SpikeValue,
    damage_toml,
)
from simlab.profile.delays import DelayValue, delay_toml
from simlab.profile.faults_base import DirectionName
from simlab.profile.faulty import FaultyKeysError, Path
from simlab.profile.fields import Duration, PositiveDuration, Table, listed
from simlab.profile.losses import LossValue, loss_toml
from simlab.profile.rates import (
    DEFAULT_QUEUE,
    AqmValue,
    CapacitySpec,
    QueueValue,
    RateValue,
    capacity,
    capacity_toml,
)
from simlab.profile.units import duration_text


class LinkKeys(Table):
    """What may be said of one direction, or in ``[link]`` of both."""

    delay: DelayValue | None = None
    jitter_s: Duration | None = Field(default=None, alias="jitter")
    loss: LossValue | None = None
    rate: RateValue | None = None
    queue: QueueValue | None = None
    aqm: AqmValue | None = None
    duplicate: DuplicateValue | None = None
    corrupt: CorruptValue | None = None
    reorder: ReorderValue | None = None
    mtu: MtuValue | None = None
    spike: SpikeValue | None = None
    pause: PauseValue | None = None
    slot: SlotValue | None = None


class ChangeTable(LinkKeys):
    """``[[link.change]]``: from a time on, keys of the link have other values."""

    at_s: PositiveDuration = Field(alias="at")
    ramp_s: Duration = Field(default=0.0, alias="ramp")
    direction: DirectionName = "both"


class LinkTable(LinkKeys):
    """``[link]``, with ``[link.up]`` and ``[link.down]`` over it, and changes over time."""

    up: LinkKeys = LinkKeys()
    down: LinkKeys = LinkKeys()
    changes: Annotated[tuple[ChangeTable, ...], BeforeValidator(listed), Field(max_length=10_000)] = Field(
        default=(), alias="change"
    )
    repeat_s: PositiveDuration | None = Field(default=None, alias="repeat")


_NO_DELAY, _NO_COPIES, _NO_ERRORS = ConstantDelaySpec(0.0), DuplicateSpec(0.0), CorruptSpec(0.0)


@dataclass(frozen=True, slots=True)
class DirectionSettings:
    """What one direction does to packets, with nothing left open.

    ``changes`` are what it does later, in order of time; they have no changes themselves.
    """

    delay: DelaySpec = _NO_DELAY
    loss: LossSpec | None = None
    rate: CapacitySpec | None = None
    duplicate: DuplicateSpec | SelectedSpec = _NO_COPIES
    corrupt: CorruptSpec | BitErrorSpec | SelectedSpec = _NO_ERRORS
    reorder: ReorderSpec | None = None
    mtu: MtuSpec | SelectedSpec | None = None
    spike: SpikeSpec | SelectedSpec | None = None
    pause: PeriodicPauseSpec | SelectedSpec | None = None
    slot: SlotSpec | SelectedSpec | None = None
    changes: tuple["Change", ...] = ()

    def to_toml(self) -> dict[str, Any]:
        """Return the keys of ``[link]`` that say the same, changes left out."""
        table = {"delay": delay_toml(self.delay)}
        if self.loss is not None:
            table["loss"] = loss_toml(self.loss)
        if self.rate is not None:
            table |= capacity_toml(self.rate)
        table["duplicate"] = damage_toml(self.duplicate)
        table["corrupt"] = damage_toml(self.corrupt)
        for name in ("reorder", "mtu", "spike", "pause", "slot"):
            spec = getattr(self, name)
            if spec is not None:
                table[name] = damage_toml(spec)
        return table


@dataclass(frozen=True, slots=True)
class Change:
    """From ``at_s`` on, over ``ramp_s``, a direction has these settings."""

    at_s: float
    ramp_s: float
    settings: DirectionSettings


SETTINGS = tuple(field.name for field in fields(DirectionSettings) if field.name != "changes")


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """Both directions of the network.

    Parameters
    ----------
    repeat_s
        The changes of both start over so often; None for never.
    """

    up: DirectionSettings
    down: DirectionSettings
    repeat_s: float | None = None

    def of(self, direction: Direction) -> DirectionSettings:
        """Return one direction."""
        return self.up if direction is Direction.UP else self.down

    def to_toml(self) -> dict[str, Any]:
        """Return the ``[link]`` table that says the same."""
        if self.up == self.down:
            table, changes = self.up.to_toml(), _changes_toml(self.up, {})
        else:
            table = {"up": self.up.to_toml(), "down": self.down.to_toml()}
            changes = [
                *_changes_toml(self.up, {"direction": "up"}),
                *_changes_toml(self.down, {"direction": "down"}),
            ]
            changes.sort(key=lambda pair: pair[0])
        if changes:
            table["change"] = [change for _, change in changes]
        if self.repeat_s is not None:
            table["repeat"] = duration_text(self.repeat_s)
        return table


def _changes_toml(settings: DirectionSettings, more: Mapping[str, Any]) -> list[tuple[float, dict[str, Any]]]:
    """Return the changes, each with its time, in keys that differ from what was before."""
    out = []
    before = settings.to_toml()
    for change in settings.changes:
        after = change.settings.to_toml()
        keys = {key: value for key, value in after.items() if before.get(key) != value}
        times = {"at": duration_text(change.at_s), "ramp": duration_text(change.ramp_s)}
        out.append((change.at_s, {**times, **more, **keys}))
        before = after
    return out


def key_faults(table: LinkTable) -> list[tuple[Path, str]]:
    """Return what does not go together in ``[link]``, ``[link.up]`` and ``[link.down]``."""
    faults: list[tuple[Path, str]] = []
    for at, keys in (((), table), (("up",), table.up), (("down",), table.down)):
        delay = keys.delay or table.delay
        if keys.jitter_s is not None and not isinstance(delay, ConstantDelaySpec | None):
            faults.append(((*at, "jitter"), "want no jitter beside a delay table that says how delay varies"))
    for key in ("queue", "aqm"):
        faults += _idle_faults(table, key)
    return faults


def _idle_faults(table: LinkTable, key: str) -> list[tuple[Path, str]]:
    want = "want a rate beside it"
    own = {"up": table.up, "down": table.down}
    # A rate that comes with a change has to be told its queue somewhere, too.
    later = any(change.rate is not None for change in table.changes)
    idle = {n: k for n, k in own.items() if k.rate is None and table.rate is None and not later}
    faults: list[tuple[Path, str]] = [
        ((n, key), want) for n, k in idle.items() if getattr(k, key) is not None
    ]
    if getattr(table, key) is not None and len(idle) == len(own):
        faults.append(((key,), want))
    return faults


def laid_over(common: LinkKeys, own: LinkKeys) -> LinkKeys:
    """Return the keys of ``own``, and of ``common`` where it has none."""
    values = {}
    for name in LinkKeys.model_fields:
        value = getattr(own, name)
        values[name] = getattr(common, name) if value is None else value
    if own.delay is not None and not isinstance(own.delay, ConstantDelaySpec) and own.jitter_s is None:
        values["jitter_s"] = None
    return LinkKeys.model_construct(**values)


def settings_of(keys: LinkKeys) -> DirectionSettings:
    """Return what one direction does by its keys.

    Raises
    ------
    FaultyKeysError
        If there is managing of a queue that has none.
    """
    settings = DirectionSettings(delay=_delay(keys), loss=keys.loss, rate=_capacity(keys))
    given = {
        name: getattr(keys, name)
        for name in ("duplicate", "corrupt", "reorder", "mtu", "spike", "pause", "slot")
        if getattr(keys, name) is not None
    }
    return replace(settings, **given)


def _capacity(keys: LinkKeys) -> CapacitySpec | None:
    if keys.rate is None:
        return None
    try:
        return capacity(keys.rate, keys.queue or DEFAULT_QUEUE, keys.aqm)
    except ValueError as error:
        raise FaultyKeysError([(("aqm",), str(error))]) from None


def _delay(keys: LinkKeys) -> DelaySpec:
    delay = keys.delay or ConstantDelaySpec(0.0)
    if keys.jitter_s and isinstance(delay, ConstantDelaySpec):
        return UniformDelaySpec(delay.mean_s, keys.jitter_s)
    return delay
