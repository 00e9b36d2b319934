"""``--set KEY=VALUE``: dotted keys laid over a profile before it is checked."""

import re
import tomllib
from collections.abc import Mapping
from typing import Any

from simlab.profile.faulty import Path
from simlab.profile.nearest import nearest, quoted

_STEP = re.compile(r"([A-Za-z0-9_-]+)((?:\[[0-9]{1,6}\])*)")
_BARE = re.compile("[A-Za-z0-9_-]{1,60}")
_BLANK = object()
_QUOTES = "\"' "


def parse_key(key: str) -> Path:
    """Split ``"fault[0].for"`` into ``("fault", 0, "for")``.

    Raises
    ------
    ValueError
        If it is no dotted key.
    """
    path: list[str | int] = []
    for step in key.split("."):
        match = _STEP.fullmatch(step)
        if match is None:
            raise ValueError('want a dotted key, such as "link.up.delay" or "fault[0].for"')
        path += [match[1], *(int(number) for number in re.findall("[0-9]+", match[2]))]
    return tuple(path)


def parse_value(text: str) -> Any:
    """Read a value as TOML if it is a TOML value, else take the text itself.

    Raises
    ------
    ValueError
        If the text is not Unicode.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("want UTF-8") from None
    try:
        table = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text
    return table["value"] if table.keys() == {"value"} else text


def how_to_write(text: str, told: str) -> str:
    """Return what a sentence about a value lacks, if the value is wrong by the way in which it is written."""
    if text.lstrip()[:1] in ("[", "{"):
        no_toml = parse_value(text) is text
        return '; in brackets a value is TOML, where words have quotes: ["audio"]' if no_toml else ""
    return f", such as [{quoted(text.strip(_QUOTES))}]" if told.endswith("want a list") else ""


def apply(tables: dict[str, Any], overrides: Mapping[str, str]) -> tuple[dict[Path, str], list[str]]:
    """Lay the overrides over the tables, in place.

    Returns
    -------
    The paths that came from an override, each with that override's key; and a sentence for each override that
    could not be laid.
    """
    origins: dict[Path, str] = {}
    faults: list[str] = []
    for key, text in overrides.items():
        try:
            path = parse_key(key)
            origins[_lay(tables, path, parse_value(text))] = key
        except ValueError as error:
            faults.append(f"--set {key}: {error}")
    return origins, faults


def renamed(fault: str, names: Mapping[str, str]) -> str:
    """Return a sentence about an option (``--set link.loss is …``) with the name that it has in ``names``."""
    for option, name in names.items():
        if fault.startswith((f"{option} ", f"{option}: ")):
            return name + fault.removeprefix(option)
    return fault


def _lay(tables: dict[str, Any], path: Path, value: Any) -> Path:
    """Return the shortest path that this override brought into being."""
    here: Any = tables
    made: Path | None = None
    for depth, (step, following) in enumerate(zip(path, (*path[1:], _BLANK), strict=True), 1):
        _check_step(here, path[: depth - 1], step)
        if following is _BLANK:
            here[step] = value
        elif isinstance(step, str) and step not in here:
            if isinstance(following, int):
                raise ValueError(f"there is no {dotted(path[: depth + 1])}, {_other(step, here)}")
            here[step] = {}
            made = made or path[:depth]
        here = here[step]
    return made or path


def _other(step: str, here: Mapping[str, Any]) -> str:
    near = nearest(step, [key for key, value in here.items() if isinstance(value, list)])
    return "the profile has none" if near in (None, step) else f'did you mean "{near}"?'


def _check_step(here: Any, above: Path, step: str | int) -> None:
    # A wrong value here is a user's mistake, and no error of a type.
    if isinstance(step, str) and isinstance(here, list) and here:
        raise ValueError(f"{dotted(above)} is a list, want one of it, such as {dotted((*above, 0, step))}")
    if isinstance(step, str):
        if not isinstance(here, dict):
            raise ValueError(f"{dotted(above)} is not a table, want a value for the whole of it")  # noqa: TRY004
    elif not isinstance(here, list):
        raise ValueError(f"{dotted(above)} is not a list")  # noqa: TRY004
    elif step >= len(here):
        raise ValueError(f"there is no {dotted(above)}[{step}], the profile has {len(here)}, counted from 0")


def dotted(path: Path) -> str:
    """Write a path as a profile's reader would: ``fault[0].for``."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            word = step if _BARE.fullmatch(step) else quoted(step)
            text += f".{word}" if text else word
    return text
