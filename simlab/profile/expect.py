"""The ``[expect]`` table: what a session has to achieve."""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import PlainSerializer, PlainValidator, ValidationInfo, WithJsonSchema

from simlab.profile.fields import Table
from simlab.profile.units import parse_chance, parse_duration_s

OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}

_FORM = re.compile(r"\s*(<=|>=|==|!=|<|>)\s*(.*\S)\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Expectation:
    """What is expected of one metric.

    Parameters
    ----------
    metric
        Its name: ``"recovery_p95"``.
    operator
        One of ``OPERATORS``.
    bound
        What it is compared with: seconds for times, 0 to 1 for shares, or a count.
    text
        The whole of it as a sentence: ``"recovery_p95 <= 12s"``.
    """

    metric: str
    operator: str
    bound: float
    text: str


def _count(text: object) -> float:
    if not isinstance(text, str) or not re.fullmatch("[0-9]{1,9}", text):
        raise ValueError('want a whole number after the operator, such as "== 0"')
    return float(text)


def _share(text: object) -> float:
    if isinstance(text, str) and re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,30})?", text):
        return parse_chance(float(text))
    return parse_chance(text)


def _reader(read: Callable[[object], float]) -> Callable[[object, ValidationInfo], Expectation]:
    def parse(value: object, info: ValidationInfo) -> Expectation:
        match = _FORM.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            raise ValueError(f"want an operator ({', '.join(OPERATORS)}) and a value")
        bound, metric = read(match[2]), str(info.field_name)
        return Expectation(metric, match[1], bound, f"{metric} {match[1]} {match[2]}")

    return parse


def _toml(expectation: Expectation) -> str:
    return expectation.text.partition(" ")[2]


_SCHEMA = WithJsonSchema({"type": "string", "pattern": "^ *(<=|>=|==|!=|<|>) *.+$"})


def _kind(read: Callable[[object], float]) -> Any:
    return Annotated[str, PlainValidator(_reader(read)), PlainSerializer(_toml), _SCHEMA]


if TYPE_CHECKING:
    Count = Expectation
    Share = Expectation
    Time = Expectation
else:
    Count = _kind(_count)
    Share = _kind(_share)
    Time = _kind(parse_duration_s)


class Expect(Table):
    """Bounds on metrics; what is not named is not expected."""

    success_rate: Share | None = None
    recovery_p95: Time | None = None
    violations: Count | None = None
    usable_fraction: Share | None = None
    connect_s: Time | None = None
    outages: Count | None = None
    attempts: Count | None = None

    def all(self) -> tuple[Expectation, ...]:
        """Return the expectations that there are."""
        values = (getattr(self, name) for name in type(self).model_fields)
        return tuple(value for value in values if value is not None)
