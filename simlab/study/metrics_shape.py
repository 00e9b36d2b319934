"""What sentences and pictures read out of metrics.json, and of which type it must be."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, Field, ValidationError
from pydantic_core import ErrorDetails

Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Count = Annotated[int, Field(strict=True)]
Text = Annotated[str, Field(strict=True)]
Flag = Annotated[bool, Field(strict=True)]
ByCause = dict[str, Count]
T = TypeVar("T")


class _Connect(BaseModel):
    offer_s: Number | None
    ice_s: Number | None
    dtls_s: Number | None
    channel_s: Number | None
    bot_ready_s: Number | None


class _Outage(BaseModel):
    began_s: Number
    ended_s: Number | None
    cause: Count | None
    detected_s: Number | None
    first_attempt_s: Number | None
    attempts: Count
    recovered_s: Number | None
    after_heal_s: Number | None
    outcome: Text


class _Media(BaseModel):
    sent: Count
    received: Count
    longest_gap_s: Number
    alive_at_end: Flag


class _Messages(BaseModel):
    sent: Count
    delivered: Count
    lost: Count
    duplicated: Count
    late: Count


class _Link(BaseModel):
    offered: Count
    delivered: Count
    dropped: ByCause
    added: ByCause = {}
    corrupted: Count = 0


class _Ways(BaseModel, Generic[T]):
    up: T
    down: T


class _Attempts(BaseModel):
    ice_restarts: Count
    recreations: Count
    offers: Count
    offers_failed: Count
    unneeded: Count


class _Violation(BaseModel):
    invariant: Text
    t_s: Number
    detail: Text


class _Expectation(BaseModel):
    expect: Text
    held: Flag | None


class _Metrics(BaseModel):
    duration_s: Number
    final_state: Text | None
    usable_fraction: Number
    connect: _Connect
    outages: list[_Outage]
    media: _Ways[_Media]
    video: _Ways[_Media]
    messages: _Ways[_Messages]
    attempts: _Attempts
    links: _Ways[_Link]
    violations: list[_Violation]
    expectations: list[_Expectation]


_WANTED = {
    "float_type": "a number",
    "finite_number": "a finite number",
    "int_type": "a whole number",
    "string_type": "a text",
    "bool_type": "true or false",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "list_type": "a list",
}


def metrics_faults(found: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with numbers that were read again, for anything that is to be told of them."""
    try:
        _Metrics.model_validate(found)
    except ValidationError as error:
        return list(_told(error.errors(include_url=False)))
    return []


def _told(faults: list[ErrorDetails]) -> Iterator[str]:
    for fault in faults:
        key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in fault["loc"])[1:]
        if fault["type"] == "missing":
            yield f"has no {key}"
        else:
            yield f"{key} is {fault['input']!r:.60}, want {_WANTED.get(fault['type'], fault['msg'])}"
