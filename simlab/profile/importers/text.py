"""What an importer hands over, and how it is written as TOML."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from textwrap import wrap
from typing import Any, Literal

from simlab.profile.units import duration_text

Way = Literal["both", "up", "down"]
_WIDTH = 110


@dataclass(frozen=True)
class Imported:
    """A network in the words of a profile.

    Parameters
    ----------
    description, source, source_kind, evidence, duration_s
        As in a profile.
    link
        Keys of a ``[link]`` table.
    changes
        ``[[link.change]]`` tables, in order of time.
    repeat_s
        How often they start over; None for never.
    faults
        ``[[fault]]`` tables.
    notes
        What was converted, and what has no equivalent: a sentence each.
    """

    description: str
    source: str
    link: Mapping[str, Any]
    notes: tuple[str, ...]
    evidence: str = "assumption"
    source_kind: str = "oneway"
    duration_s: float = 60.0
    changes: tuple[Mapping[str, Any], ...] = ()
    repeat_s: float | None = None
    faults: tuple[Mapping[str, Any], ...] = field(default=())


def to_toml(imported: Imported, name: str, direction: Way) -> str:
    """Write it as a profile, with the notes as comments at the top."""
    both = direction == "both"
    way = {} if both else {"direction": direction}
    repeat = {} if imported.repeat_s is None else {"repeat": duration_text(imported.repeat_s)}
    lines = [
        *_comments([*imported.notes, *([_BOTH] if both else [])]),
        *_keys(
            {
                "name": name,
                "description": imported.description,
                "source": imported.source,
                "source_kind": imported.source_kind,
                "evidence": imported.evidence,
                "duration": duration_text(imported.duration_s),
            }
        ),
    ]
    if both:
        lines += ["", "[link]", *_keys({**repeat, **imported.link})]
    else:
        lines += ["", "[link]", *_keys(repeat)] if repeat else []
        lines += ["", f"[link.{direction}]", *_keys(imported.link)]
    for change in imported.changes:
        lines += ["", "[[link.change]]", *_keys({"at": change["at"], **way, **change})]
    for fault in imported.faults:
        lines += ["", "[[fault]]", *_keys({**fault, **way})]
    return "\n".join(lines) + "\n"


_BOTH = "It is in both directions here, each with luck of its own."


def _comments(notes: Iterable[str]) -> list[str]:
    return [
        line for note in notes for line in wrap(note, _WIDTH, initial_indent="# ", subsequent_indent="#   ")
    ]


def _keys(table: Mapping[str, Any]) -> list[str]:
    return [f"{key} = {value_text(value)}" for key, value in table.items()]


def value_text(value: Any) -> str:
    """Write a value as TOML, tables on one line and long lists on several.

    Raises
    ------
    TypeError
        If it is nothing that importers make.
    """
    if isinstance(value, Mapping):
        return f"{{ {', '.join(_keys(value))} }}"
    if isinstance(value, list | tuple):
        inside = ", ".join(value_text(item) for item in value)
        return f"[{inside}]" if len(inside) < _WIDTH else "[\n" + "\n".join(wrap(inside, _WIDTH)) + ",\n]"
    if isinstance(value, str | bool):
        # A JSON string is a TOML string, but for DEL, which TOML wants escaped.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, int | float):
        return repr(value)
    raise TypeError(f"no TOML for {value!r}")


def at_line(number: int, told: str) -> ValueError:
    """Return an error that says in which line something is wrong."""
    return ValueError(f"line {number}: {told}")
