"""The two ways to write a schedule of libwebrtc: JSON, and the text format of protocol buffers."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from simlab.profile.importers.text import at_line
from simlab.profile.nearest import one_of, quoted

AT, BURST, CAPACITY, REPEAT = (
    "time_since_first_sent_packet_ms",
    "avg_burst_loss_length",
    "link_capacity_kbps",
    "repeat_schedule_after_last_ms",
)
FIELDS: Mapping[str, float | bool] = {
    AT: 0,
    "queue_length_packets": 0,
    "queue_delay_ms": 0,
    "delay_standard_deviation_ms": 0,
    CAPACITY: -1,
    "loss_percent": 0,
    "allow_reordering": False,
    BURST: -1,
    "packet_overhead": 0,
}
"""The fields of an item, and what they are where no item has said."""


@dataclass(frozen=True)
class Item:
    """The fields of an item, and in which line it begins."""

    line: int
    fields: dict[str, float | bool]

    @property
    def at_ms(self) -> float:
        """When it begins to hold."""
        return self.fields.get(AT, 0)


@dataclass(frozen=True)
class Schedule:
    """Items in order, and how long after the last one they start over; None for never."""

    items: list[Item]
    repeat_ms: float | None


def parse(text: str) -> Schedule:
    """Read a schedule.

    Raises
    ------
    ValueError
        If it is none; the message says in which line.
    """
    return _of_json(text) if text.lstrip()[:1] in ("{", "[") else _of_text(text)


def _of_json(text: str) -> Schedule:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise at_line(error.lineno, error.msg.lower()) from None
    except RecursionError:
        raise at_line(1, "lists are nested too deep") from None
    if isinstance(value, list):
        value = {"item": value}
    value = {_snake_case(name): inside for name, inside in value.items()}
    unknown = value.keys() - {"item", REPEAT}
    if unknown:
        raise at_line(1, f"{quoted(min(unknown))} is unknown, want item and {REPEAT}")
    items = value.get("item", [])
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise at_line(1, "want a list of items, each with its fields")
    starts = [text.count("\n", 0, match.start()) + 1 for match in re.finditer(r"\{", text)]
    first = len(starts) - len(items)  # items have no braces inside
    lines = starts[first:] if first in (0, 1) else [1] * len(items)
    repeat = value.get(REPEAT)
    return Schedule(
        [
            _item(line, {_snake_case(name): inside for name, inside in item.items()})
            for line, item in zip(lines, items, strict=True)
        ],
        None if repeat is None else _number(1, REPEAT, repeat),
    )


def _snake_case(name: str) -> str:
    """Return the name of a field, which JSON of a protocol buffer has as ``linkCapacityKbps``."""
    return re.sub(r"(?<=[a-z])[A-Z]", lambda match: "_" + match[0].lower(), name)


def _item(line: int, fields: Mapping[str, Any]) -> Item:
    return Item(line, {name: _value(line, name, value) for name, value in fields.items()})


def _value(line: int, name: str, value: Any) -> float | bool:
    if name not in FIELDS:
        raise at_line(line, f"{quoted(name)} is unknown, {one_of(name, list(FIELDS))}")
    if name == "allow_reordering":
        if not isinstance(value, bool):
            raise at_line(line, f"{name} is {value}, want true or false")
        return value
    return _number(line, name, value)


def _number(line: int, name: str, value: Any) -> float:
    # JSON of a protocol buffer has 64-bit numbers as text.
    text = str(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else ""
    if not re.fullmatch(r"-?[0-9]{1,12}(\.[0-9]{1,12})?", text):
        raise at_line(line, f"{name} is {quoted(str(value))}, want a number")
    number = float(text)
    if name == BURST:
        if number < 1 and number != -1:
            raise at_line(line, f"{name} is {text}, want 1 or more, or -1 for losses without bursts")
    elif number < 0:
        raise at_line(line, f"{name} is {text}, want 0 or more")
    return number


_TOKEN = re.compile(r"\s*(?:#[^\n]*\n\s*)*([A-Za-z_]\w*|-?[0-9.]+|[{}<>:,;]|$|.)")


def _of_text(text: str) -> Schedule:
    """Read the text format of protocol buffers: ``item { link_capacity_kbps: 500 } …``."""
    tokens = list(_tokens(text))
    items: list[Item] = []
    repeat_ms: float | None = None
    while tokens:
        line, word = tokens.pop(0)
        if word == REPEAT:
            _expect(tokens, line, ":")
            repeat_ms = _number(line, word, _expect(tokens, line, None))
        elif word in ("item", "items"):
            if tokens and tokens[0][1] == ":":
                tokens.pop(0)
            end = "}"
            if tokens and tokens[0][1] == "<":  # the older way to write a message
                tokens[0], end = (tokens[0][0], "{"), ">"
            _expect(tokens, line, "{")
            items.append(_item(line, dict(_fields(tokens, line, end))))
        else:
            raise at_line(line, f"{quoted(word)} is unknown, want item {{ … }} or {REPEAT}: …")
    return Schedule(items, repeat_ms)


def _tokens(text: str) -> Iterator[tuple[int, str]]:
    line, at = 1, 0
    while match := _TOKEN.match(text, at):
        line += text.count("\n", at, match.start(1))
        at = match.end()
        if not match[1]:
            return
        if match[1] not in (",", ";"):
            yield line, match[1]


def _expect(tokens: list[tuple[int, str]], line: int, want: str | None) -> str:
    if not tokens or (want is not None and tokens[0][1] != want):
        found = quoted(tokens[0][1]) if tokens else "the end"
        raise at_line(tokens[0][0] if tokens else line, f"want {quoted(want or 'a value')}, not {found}")
    return tokens.pop(0)[1]


def _fields(tokens: list[tuple[int, str]], line: int, end: str) -> Iterator[tuple[str, Any]]:
    while tokens and tokens[0][1] != end:
        at, name = tokens.pop(0)
        _expect(tokens, at, ":")
        word = _expect(tokens, at, None)
        value = {"true": True, "false": False}.get(word, word)
        yield name, _value(at, name, value)
    _expect(tokens, line, end)
