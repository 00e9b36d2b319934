"""What the fields of events hold. Asked of timelines that are read again, which somebody may have changed."""

import json
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any

_Check = Callable[[Any], bool]
_Field = tuple[_Check, str]


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and isfinite(value)


def _is_whole(value: Any) -> bool:
    return type(value) is int


def _is_text(value: Any) -> bool:
    return type(value) is str


def _are_counts(value: Any) -> bool:
    return type(value) is dict and all(type(count) is int for count in value.values())


def _or_null(check: _Check) -> _Check:
    return lambda value: value is None or check(value)


_TIME: _Field = (_is_number, "a number")
_TIME_OR_NULL: _Field = (_or_null(_is_number), "a number or null")
_WHOLE: _Field = (_is_whole, "a whole number")
_TEXT: _Field = (_is_text, "a text")
_TEXT_OR_NULL: _Field = (_or_null(_is_text), "a text or null")
_COUNTS: _Field = (_are_counts, "an object of whole numbers")

_OF_FAULTS: Mapping[str, _Field] = {"index": _WHOLE, "fault": _TEXT}
"""Beside them a fault has its own keys, whose names mean something else in other events."""

_FIELDS: Mapping[str, _Field] = {
    **dict.fromkeys(("action", "detail", "direction", "do", "invariant", "name", "outcome", "stage"), _TEXT),
    **dict.fromkeys(("state", "class", "setting", "what"), _TEXT),
    **dict.fromkeys(("cause", "pc_id"), _TEXT_OR_NULL),
    **dict.fromkeys(("client_id", "connection", "datagrams", "number", "seq", "size"), _WHOLE),
    **dict.fromkeys(("offered", "delivered", "corrupted", "kernel_dropped"), _WHOLE),
    **dict.fromkeys(("packets", "bytes", "dropped", "added"), _COUNTS),
    **dict.fromkeys(("gap_s", "from_s", "since_s"), _TIME),
    **dict.fromkeys(("delay_p50_s", "delay_p95_s", "delay_p99_s"), _TIME_OR_NULL),
    **dict.fromkeys(("error_p50_s", "error_p99_s"), _TIME_OR_NULL),
}


def check_fields(t_s: Any, source: Any, kind: Any, fields: Mapping[str, Any]) -> None:
    """Refuse an event with a field of another type than it has.

    Raises
    ------
    ValueError
        That names the field.
    """
    _check("t_s", t_s, _TIME)
    _check("source", source, _TEXT)
    _check("kind", kind, _TEXT)
    known = _OF_FAULTS if source == "fault" else _FIELDS
    for name, value in fields.items():
        if name in known:
            _check(name, value, known[name])


def _check(name: str, value: Any, field: _Field) -> None:
    holds, wanted = field
    if not holds(value):
        raise ValueError(f"{name} is {json.dumps(value)[:60]}, want {wanted}")
