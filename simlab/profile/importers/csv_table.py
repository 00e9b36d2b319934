"""A table of time, rate, delay and loss, with the units in its header."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from simlab.profile.importers.text import Imported, at_line
from simlab.profile.nearest import quoted

_UNITS = {
    "time": {"s": "s", "ms": "ms"},
    "delay": {"s": "s", "ms": "ms", "us": "us"},
    "rtt": {"s": "s", "ms": "ms", "us": "us"},
    "rate": {
        **dict.fromkeys(("bit/s", "bps"), "bit/s"),
        **dict.fromkeys(("kbit/s", "kbps"), "kbit/s"),
        **dict.fromkeys(("mbit/s", "mbps"), "Mbit/s"),
        **dict.fromkeys(("gbit/s", "gbps"), "Gbit/s"),
    },
    "loss": {"percent": "%", "%": "%", "chance": "", "share": ""},
}
_WANT_HEADER = (
    "want a header with a unit in each column: time_s or time_ms, and any of rate_kbit/s (bit/s, Mbit/s), "
    "delay_ms (s, us; one way), rtt_ms (there and back), loss_percent (or loss_chance)"
)


@dataclass(frozen=True)
class _Column:
    what: str
    unit: str

    def number(self, cell: str) -> Decimal:
        """Read a cell.

        Raises
        ------
        ValueError
            If it is no number of 0 or more.
        """
        try:
            number = Decimal(cell)
        except InvalidOperation:
            number = Decimal("nan")
        if not number.is_finite() or number < 0 or abs(number.adjusted()) > 20:
            raise ValueError(f"{self.what} is {quoted(cell)}, want a number of 0 or more")
        return number

    def text(self, cell: str) -> str:
        """Write a cell as the value of a profile.

        Raises
        ------
        ValueError
            If it is no number of 0 or more.
        """
        number = self.number(cell)
        if self.what == "rtt":
            number /= 2
        if self.what == "loss" and not self.unit:
            number *= 100
        return f"{number:f}{self.unit or '%'}"


def read(text: str) -> Imported:
    """Read a table: the first row from the beginning on, the others as changes.

    Raises
    ------
    ValueError
        If it is none; the message says in which line.
    """
    rows = _rows(text)
    number, header = next(rows, (1, []))
    columns = _columns(number, header)
    settings = list(_settings(rows, columns))
    if not settings:
        raise at_line(number + 1, "want at least one row of numbers")
    first_s, base = settings[0]
    changes, now = [], dict(base)
    for at_s, keys in settings[1:]:
        differing = {key: value for key, value in keys.items() if now.get(key) != value}
        now |= differing
        if differing:
            changes.append({"at": f"{at_s - first_s:f}s", **differing})
    halved = any(column.what == "rtt" for column in columns)
    return Imported(
        description=f"{len(settings)} rows of a table over {settings[-1][0] - first_s:f} s",
        source="A table of numbers over time." + (" Round trips are halved for each way." if halved else ""),
        source_kind="rtt" if halved else "oneway",
        duration_s=_duration_s([at_s for at_s, _ in settings]),
        link=base,
        changes=tuple(changes),
        notes=_notes(first_s, halved, any(column.what == "rate" for column in columns)),
    )


def _notes(first_s: Decimal, halved: bool, rated: bool) -> tuple[str, ...]:
    notes = ["Each row holds until the next one; a change with a ramp would go there gradually."]
    if first_s:
        notes.append(f"The first row is of {first_s:f} s, which is 0 here.")
    if halved:
        notes.append("Round trips are halved: half of each is the delay of each way.")
    if rated:
        notes.append("The table says nothing of a queue; 64 KiB stand in front of the rate.")
    return tuple(notes)


def _duration_s(times_s: list[Decimal]) -> float:
    last = float(times_s[-1] - times_s[0])
    lasts_s = float(times_s[-1] - times_s[-2]) if len(times_s) > 1 else 0.0
    return max(last + lasts_s, 10.0)


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(text.splitlines(), skipinitialspace=True)
    try:
        for row in reader:
            if any(cell.strip() for cell in row) and not row[0].startswith("#"):
                yield reader.line_num, [cell.strip() for cell in row]
    except csv.Error as error:
        raise at_line(reader.line_num, str(error)) from None


def _columns(number: int, header: list[str]) -> list[_Column]:
    columns = [_column(number, name) for name in header]
    names = [column.what for column in columns]
    if "time" not in names or len(names) < 2:
        raise at_line(number, _WANT_HEADER)
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise at_line(number, f"want one column of {twice[0]}")
    if {"delay", "rtt"} <= set(names):
        raise at_line(number, "want either delay or rtt")
    return columns


def _column(number: int, name: str) -> _Column:
    match = re.fullmatch(r"(time|rate|delay|rtt|loss)[ _]*[\[(]?([a-z%/_]*)[\])]?", name.lower())
    units: dict[str, str] = _UNITS[match[1]] if match else {}
    unit = match[2].replace("_s", "/s") if match else ""
    if match is None or unit not in units:
        raise at_line(number, f"the column {quoted(name)} is unknown; {_WANT_HEADER}")
    return _Column(match[1], units[unit])


_KEYS: dict[str, str] = {"rate": "rate", "delay": "delay", "rtt": "delay", "loss": "loss"}


def _settings(
    rows: Iterator[tuple[int, list[str]]], columns: list[_Column]
) -> Iterator[tuple[Decimal, dict[str, str]]]:
    before_s: Decimal | None = None
    for number, cells in rows:
        if len(cells) != len(columns):
            raise at_line(number, f"want {len(columns)} values, not {len(cells)}")
        at_s, keys = _row(number, list(zip(columns, cells, strict=True)))
        if before_s is not None and at_s <= before_s:
            raise at_line(number, "want a time after that of the row above it")
        before_s = at_s
        yield at_s, keys


def _row(number: int, cells: list[tuple[_Column, str]]) -> tuple[Decimal, dict[str, str]]:
    at_s, keys = Decimal(0), {}
    for column, cell in cells:
        try:
            if column.what == "time":
                at_s = column.number(cell) / (1000 if column.unit == "ms" else 1)
            elif cell:  # an empty one leaves it as it was
                keys[_KEYS[column.what]] = column.text(cell)
        except ValueError as error:
            raise at_line(number, str(error)) from None
    return at_s, keys
