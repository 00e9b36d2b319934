"""The ``[link]`` table: what each direction of the network does to packets."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Field

from simlab.core.impair import ConstantDelaySpec, DelaySpec, LossSpec, RateSpec, UniformDelaySpec
from simlab.core.packet import Direction
from simlab.profile.faulty import FaultyKeysError, Path
from simlab.profile.fields import Chance, Duration, Rate, Size, Table
from simlab.profile.tables import DelayValue, LossValue, delay_toml, loss_toml
from simlab.profile.units import chance_text, rate_text, size_text

QUEUE_BYTES = 64 * 1024
"""The queue in front of a rate, where the profile does not say."""


class LinkKeys(Table):
    """What may be said of one direction, or in ``[link]`` of both."""

    delay: DelayValue | None = None
    jitter_s: Duration | None = Field(default=None, alias="jitter")
    loss: LossValue | None = None
    rate_bytes_per_s: Rate | None = Field(default=None, alias="rate")
    queue_bytes: Size | None = Field(default=None, alias="queue")
    duplicate_chance: Chance | None = Field(default=None, alias="duplicate")
    corrupt_chance: Chance | None = Field(default=None, alias="corrupt")


class LinkTable(LinkKeys):
    """``[link]``, with ``[link.up]`` and ``[link.down]`` over it."""

    up: LinkKeys = LinkKeys()
    down: LinkKeys = LinkKeys()


@dataclass(frozen=True, slots=True)
class DirectionSettings:
    """What one direction does to packets, with nothing left open."""

    delay: DelaySpec
    loss: LossSpec | None
    rate: RateSpec | None
    duplicate_chance: float
    corrupt_chance: float

    def to_toml(self) -> dict[str, Any]:
        """Return the keys of ``[link]`` that say the same."""
        table = {"delay": delay_toml(self.delay)}
        if self.loss is not None:
            table["loss"] = loss_toml(self.loss)
        if self.rate is not None:
            table["rate"] = rate_text(self.rate.rate_bytes_per_s)
            table["queue"] = size_text(self.rate.queue_bytes)
        table["duplicate"] = chance_text(self.duplicate_chance)
        table["corrupt"] = chance_text(self.corrupt_chance)
        return table


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """Both directions of the network."""

    up: DirectionSettings
    down: DirectionSettings

    def of(self, direction: Direction) -> DirectionSettings:
        """Return one direction."""
        return self.up if direction is Direction.UP else self.down

    def to_toml(self) -> dict[str, Any]:
        """Return the ``[link]`` table that says the same."""
        if self.up == self.down:
            return self.up.to_toml()
        return {"up": self.up.to_toml(), "down": self.down.to_toml()}


def settle(table: LinkTable) -> LinkSettings:
    """Lay each direction's keys over the common ones.

    A direction's own delay table settles its jitter too, so the common jitter does not apply to it.

    Raises
    ------
    FaultyKeysError
        If there is a jitter beside a delay table that has its own, or a queue without a rate.
    """
    faults = [*_jitter_faults(table), *_queue_faults(table)]
    if faults:
        raise FaultyKeysError(faults)
    return LinkSettings(_over(table, table.up), _over(table, table.down))


def _jitter_faults(table: LinkTable) -> list[tuple[Path, str]]:
    faults: list[tuple[Path, str]] = []
    for path, keys in (((), table), (("up",), table.up), (("down",), table.down)):
        delay = keys.delay or table.delay
        if keys.jitter_s is not None and not isinstance(delay, ConstantDelaySpec | None):
            faults.append(
                ((*path, "jitter"), "want no jitter beside a delay table that says how delay varies")
            )
    return faults


def _queue_faults(table: LinkTable) -> list[tuple[Path, str]]:
    want = "want a rate beside it"
    own = {"up": table.up, "down": table.down}
    idle = {n: k for n, k in own.items() if k.rate_bytes_per_s is None and table.rate_bytes_per_s is None}
    faults: list[tuple[Path, str]] = [
        ((n, "queue"), want) for n, k in idle.items() if k.queue_bytes is not None
    ]
    if table.queue_bytes is not None and len(idle) == len(own):
        faults.append((("queue",), want))
    return faults


def _over(common: LinkKeys, own: LinkKeys) -> DirectionSettings:
    def pick(name: str, default: Any) -> Any:
        value = getattr(own, name)
        value = getattr(common, name) if value is None else value
        return default if value is None else value

    rate_bytes_per_s = pick("rate_bytes_per_s", None)
    return DirectionSettings(
        delay=_delay(common, own),
        loss=pick("loss", None),
        rate=None
        if rate_bytes_per_s is None
        else RateSpec(rate_bytes_per_s, pick("queue_bytes", QUEUE_BYTES)),
        duplicate_chance=pick("duplicate_chance", 0.0),
        corrupt_chance=pick("corrupt_chance", 0.0),
    )


def _delay(common: LinkKeys, own: LinkKeys) -> DelaySpec:
    delay = own.delay or common.delay or ConstantDelaySpec(0.0)
    jitter_s = common.jitter_s if own.jitter_s is None else own.jitter_s
    if jitter_s and isinstance(delay, ConstantDelaySpec):
        return UniformDelaySpec(delay.mean_s, jitter_s)
    return delay


if TYPE_CHECKING:
    LinkValue = LinkSettings
else:
    LinkValue = Annotated[LinkTable, AfterValidator(settle)]
