"""What ``duplicate``, ``corrupt``, ``reorder``, ``mtu``, ``spike``, ``pause`` and ``slot`` may be."""

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Discriminator, Field, Tag

from simlab.core.impair import (
    BitErrorSpec,
    CorruptSpec,
    DuplicateSpec,
    MtuSpec,
    PeriodicPauseSpec,
    ReorderSpec,
    SelectedSpec,
    SlotSpec,
    SpikeSpec,
)
from simlab.profile.fields import Chance, Duration, PositiveDuration, Size, Table
from simlab.profile.only import ModelTable, only_toml
from simlab.profile.units import chance_text, duration_text, size_text


class DuplicateTable(ModelTable):
    """Copies of packets."""

    chance: Chance

    def core(self) -> DuplicateSpec:
        """Return it in the core's terms."""
        return DuplicateSpec(self.chance)


class CorruptTable(ModelTable):
    """Flipped bits: one in a packet by ``chance``, or any by ``bit_chance``."""

    chance: Chance | None = None
    bit_chance: Chance | None = None

    def core(self) -> CorruptSpec | BitErrorSpec:
        """Return it in the core's terms."""
        if self.chance is not None and self.bit_chance is None:
            return CorruptSpec(self.chance)
        if self.bit_chance is not None and self.chance is None:
            return BitErrorSpec(self.bit_chance)
        raise ValueError("want either chance or bit_chance")


class ReorderTable(Table):
    """Packets that skip the delay."""

    chance: Chance
    gap: int = Field(default=1, ge=1, le=1_000_000)

    def spec(self) -> ReorderSpec:
        """Return it in the core's terms."""
        return ReorderSpec(self.chance, self.gap)


class MtuTable(ModelTable):
    """A black hole for large datagrams."""

    mtu_bytes: Size = Field(alias="size")

    def core(self) -> MtuSpec:
        """Return it in the core's terms."""
        return MtuSpec(self.mtu_bytes)


class _Periodic(ModelTable):
    every_s: PositiveDuration = Field(alias="every")
    for_s: PositiveDuration = Field(alias="for")
    at_s: Duration = Field(default=0.0, alias="at")

    def check_lengths(self) -> None:
        """Refuse what never ends."""
        if self.for_s >= self.every_s:
            raise ValueError("want for to be less than every")


class SpikeTable(_Periodic):
    """Delay that rises again and again."""

    extra_s: Duration = Field(alias="extra")
    reorder: bool = False

    def core(self) -> SpikeSpec:
        """Return it in the core's terms."""
        self.check_lengths()
        return SpikeSpec(self.every_s, self.for_s, self.extra_s, self.at_s, self.reorder)


class PauseTable(_Periodic):
    """Packets are held, and let go in a burst, again and again."""

    def core(self) -> PeriodicPauseSpec:
        """Return it in the core's terms."""
        self.check_lengths()
        return PeriodicPauseSpec(self.every_s, self.for_s, self.at_s)


class SlotTable(ModelTable):
    """Slots in which packets leave together."""

    min_s: Duration = Field(alias="min")
    max_s: Duration | None = Field(default=None, alias="max")
    packets: int | None = Field(default=None, ge=1, le=1_000_000_000)
    size_bytes: Size | None = Field(default=None, alias="bytes")

    def core(self) -> SlotSpec:
        """Return it in the core's terms."""
        max_s = self.min_s if self.max_s is None else self.max_s
        if max_s < self.min_s:
            raise ValueError("want max to be min or more")
        return SlotSpec(self.min_s, max_s, self.packets, self.size_bytes)


def _shape(value: Any) -> str:
    return "#table" if isinstance(value, dict) else "#text"


def _reorder(chance: float) -> ReorderSpec:
    return ReorderSpec(chance)


if TYPE_CHECKING:
    DuplicateValue = DuplicateSpec | SelectedSpec
    CorruptValue = CorruptSpec | BitErrorSpec | SelectedSpec
    ReorderValue = ReorderSpec
    MtuValue = MtuSpec | SelectedSpec
    SpikeValue = SpikeSpec | SelectedSpec
    PauseValue = PeriodicPauseSpec | SelectedSpec
    SlotValue = SlotSpec | SelectedSpec
else:

    def _either(scalar: Any, make: Any, table: type[Table]) -> Any:
        return Annotated[
            Annotated[scalar, AfterValidator(make), Tag("#text")]
            | Annotated[table, AfterValidator(table.spec), Tag("#table")],
            Discriminator(_shape),
        ]

    DuplicateValue = _either(Chance, DuplicateSpec, DuplicateTable)
    CorruptValue = _either(Chance, CorruptSpec, CorruptTable)
    ReorderValue = _either(Chance, _reorder, ReorderTable)
    MtuValue = _either(Size, MtuSpec, MtuTable)
    SpikeValue = Annotated[SpikeTable, AfterValidator(SpikeTable.spec)]
    PauseValue = Annotated[PauseTable, AfterValidator(PauseTable.spec)]
    SlotValue = Annotated[SlotTable, AfterValidator(SlotTable.spec)]

DAMAGE_TABLES: dict[str, type[Table]] = {
    "duplicate": DuplicateTable,
    "corrupt": CorruptTable,
    "reorder": ReorderTable,
    "mtu": MtuTable,
    "spike": SpikeTable,
    "pause": PauseTable,
    "slot": SlotTable,
}


def _periodic_toml(spec: Any) -> dict[str, Any]:
    every, lasts = duration_text(spec.every_s), duration_text(spec.for_s)
    return {"every": every, "for": lasts, "at": duration_text(spec.first_s)}


def _slot_toml(spec: SlotSpec) -> dict[str, Any]:
    table: dict[str, Any] = {"min": duration_text(spec.min_s), "max": duration_text(spec.max_s)}
    if spec.packets is not None:
        table["packets"] = spec.packets
    if spec.size_bytes is not None:
        table["bytes"] = size_text(spec.size_bytes)
    return table


_WRITERS: dict[type, Any] = {
    DuplicateSpec: lambda s: {"chance": chance_text(s.duplicate_chance)},
    CorruptSpec: lambda s: {"chance": chance_text(s.corrupt_chance)},
    BitErrorSpec: lambda s: {"bit_chance": chance_text(s.bit_chance)},
    ReorderSpec: lambda s: {"chance": chance_text(s.reorder_chance), "gap": s.gap_packets},
    MtuSpec: lambda s: {"size": size_text(s.mtu_bytes)},
    SpikeSpec: lambda s: {**_periodic_toml(s), "extra": duration_text(s.extra_s), "reorder": s.reorder},
    PeriodicPauseSpec: _periodic_toml,
    SlotSpec: _slot_toml,
}


def damage_toml(spec: Any) -> Any:
    """Write one of these settings as the profile would have it."""
    if isinstance(spec, SelectedSpec):
        return {**_WRITERS[type(spec.spec)](spec.spec), "only": only_toml(spec.selection)}
    if isinstance(spec, DuplicateSpec):
        return chance_text(spec.duplicate_chance)
    if isinstance(spec, CorruptSpec):
        return chance_text(spec.corrupt_chance)
    if isinstance(spec, MtuSpec):
        return size_text(spec.mtu_bytes)
    return _WRITERS[type(spec)](spec)
