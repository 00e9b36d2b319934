"""What ``rate``, ``queue`` and ``aqm`` may be."""

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)

from simlab.core.impair import CodelSpec, RateSpec, SelectedSpec, TokenBucketSpec, TraceSpec
from simlab.profile.fields import PositiveDuration, Rate, Size, Table, listed, model
from simlab.profile.files import file_text, opportunities_of
from simlab.profile.only import Only, only_toml
from simlab.profile.units import duration_text, parse_duration_s, parse_size_bytes, rate_text, size_text

CapacitySpec = RateSpec | TokenBucketSpec | TraceSpec | CodelSpec | SelectedSpec
"""A bottleneck with its queue."""

_WANT_QUEUE = 'want a size ("64KiB"), a number of packets ("100packets") or a time ("300ms")'


@dataclass(frozen=True, slots=True)
class Queue:
    """What may wait in front of a bottleneck; all but one are None."""

    size_bytes: int | None = None
    packets: int | None = None
    wait_s: float | None = None

    def before(self, rate_bytes_per_s: float) -> RateSpec:
        """Return a bottleneck with this queue in front of it."""
        return RateSpec(rate_bytes_per_s, self.size_bytes, self.packets, self.wait_s)


DEFAULT_QUEUE = Queue(size_bytes=64 * 1024)
"""The queue in front of a rate, where the profile does not say."""


def parse_queue(value: object) -> Queue:
    """Read ``"64KiB"``, ``"100packets"``, ``"300ms"`` or 0.

    Raises
    ------
    ValueError
        If it is none of these.
    """
    text = value.strip() if isinstance(value, str) else ""
    match = re.fullmatch("([0-9]{1,9}) ?packets?", text)
    if match:
        return Queue(packets=int(match[1]))
    if re.search(r"[0-9] ?(us|ms|s|min|h)$", text):
        return Queue(wait_s=parse_duration_s(text))
    if isinstance(value, str) and not re.search("(B|kB|MB|KiB|MiB)$", text):
        raise ValueError(_WANT_QUEUE)
    return Queue(size_bytes=parse_size_bytes(value))


class _RateTable(Table):
    only: Only | None = None


class TokenBucketTable(_RateTable):
    """Tokens at a rate, up to a burst: shapes what exceeds it, or polices (drops) it."""

    model: Literal["token-bucket"]
    rate_bytes_per_s: Rate = Field(alias="rate")
    burst_bytes: Size = Field(alias="burst")
    police: bool = False


class TraceTable(_RateTable):
    """A recorded trace in Mahimahi's format: a list, or a file."""

    model: Literal["trace"]
    opportunities_ms: Annotated[tuple[int, ...], BeforeValidator(listed), Field(max_length=2_000_000)] = (
        Field(default=(), alias="ms")
    )
    file: str | None = None

    @model_validator(mode="after")
    def _read(self, info: ValidationInfo) -> "TraceTable":
        table = self
        if (self.file is None) == (not self.opportunities_ms):
            raise ValueError("want either ms or file")
        if self.file is not None:
            times = opportunities_of(file_text(self.file, info))
            table = self.model_copy(update={"opportunities_ms": times, "file": None})
        TraceSpec(table.opportunities_ms, RateSpec(math.inf))  # says what is wrong with the times
        return table


class CodelTable(Table):
    """CoDel in front of the rate."""

    model: Literal["codel"]
    target_s: PositiveDuration = Field(default=0.005, alias="target")
    interval_s: PositiveDuration = Field(default=0.1, alias="interval")


def _aqm(value: Any) -> Any:
    return {"model": "codel"} if value == "codel" else value


RATE_TABLES: dict[str, type[Table]] = {"#token-bucket": TokenBucketTable, "#trace": TraceTable}

if TYPE_CHECKING:
    QueueValue = Queue
    RateValue = float | TokenBucketTable | TraceTable
    AqmValue = CodelTable
else:
    QueueValue = Annotated[
        object,
        BeforeValidator(parse_queue),
        WithJsonSchema(
            {
                "anyOf": [
                    {"type": "string", "pattern": "^[0-9.]+ ?(B|kB|MB|KiB|MiB|packets?|us|ms|s|min|h)$"},
                    {"const": 0},
                ]
            }
        ),
    ]
    RateValue = Annotated[
        Annotated[Rate, Tag("#text")]
        | Annotated[TokenBucketTable, Tag("#token-bucket")]
        | Annotated[TraceTable, Tag("#trace")],
        Discriminator(model),
    ]
    AqmValue = Annotated[CodelTable, BeforeValidator(_aqm)]


def capacity(rate: RateValue, queue: Queue, aqm: CodelTable | None) -> CapacitySpec:
    """Put a rate, its queue and what manages it together.

    Raises
    ------
    ValueError
        If a managed queue stands in front of anything but a plain rate.
    """
    if isinstance(rate, float):
        spec = queue.before(rate)
        return spec if aqm is None else CodelSpec(spec, aqm.target_s, aqm.interval_s)
    if aqm is not None:
        raise ValueError("want a plain rate beside it")
    whole: TraceSpec | TokenBucketSpec
    if isinstance(rate, TraceTable):
        whole = TraceSpec(rate.opportunities_ms, queue.before(math.inf))
    else:
        waits = None if rate.police else queue.before(rate.rate_bytes_per_s)
        whole = TokenBucketSpec(rate.rate_bytes_per_s, rate.burst_bytes, waits)
    selection = None if rate.only is None else rate.only.selection
    return whole if selection is None else SelectedSpec(whole, selection)


def capacity_toml(spec: CapacitySpec) -> dict[str, Any]:
    """Write a bottleneck as the keys ``rate``, ``queue`` and ``aqm`` of a link."""
    if isinstance(spec, SelectedSpec):
        inner: Any = spec.spec
        tables = capacity_toml(inner)
        return {**tables, "rate": {**tables["rate"], "only": only_toml(spec.selection)}}
    if isinstance(spec, RateSpec):
        return {"rate": rate_text(spec.rate_bytes_per_s), "queue": _queue_text(spec)}
    if isinstance(spec, CodelSpec):
        target, interval = duration_text(spec.target_s), duration_text(spec.interval_s)
        aqm = {"model": "codel", "target": target, "interval": interval}
        return {**capacity_toml(spec.rate), "aqm": aqm}
    if isinstance(spec, TraceSpec):
        trace = {"model": "trace", "ms": list(spec.opportunities_ms)}
        return {"rate": trace, "queue": _queue_text(spec.queue)}
    bucket = {
        "model": "token-bucket",
        "rate": rate_text(spec.rate_bytes_per_s),
        "burst": size_text(spec.burst_bytes),
        "police": spec.queue is None,
    }
    return {"rate": bucket} if spec.queue is None else {"rate": bucket, "queue": _queue_text(spec.queue)}


def _queue_text(spec: RateSpec) -> str:
    if spec.queue_packets is not None:
        return f"{spec.queue_packets}packets"
    return duration_text(spec.queue_s) if spec.queue_s is not None else size_text(spec.queue_bytes or 0)
