"""Changes of the link's settings while it runs: keys laid over a profile, and checked with all of it."""

import copy
from collections.abc import Collection, Mapping
from typing import Any

from simlab.core.errors import InvalidInputError
from simlab.profile.link import LinkKeys
from simlab.profile.load import checked
from simlab.profile.nearest import nearest, quoted
from simlab.profile.overrides import parse_key, parse_value
from simlab.profile.scenario import Scenario

_SIDES = ("up", "down")
_FILE = "set"


def changed(scenario: Scenario, values: Mapping[str, Any]) -> Scenario:
    """Return a scenario with other settings of its link.

    A key that is set holds from now on: what the profile says of it for one direction, if it is set for both,
    and what ``[[link.change]]`` would make of it later, no longer counts.

    Parameters
    ----------
    values
        Dotted keys of ``[link]``, ``[link.up]`` and ``[link.down]``, and their values; a text is read as
        after ``--set``, and None takes a key away.

    Raises
    ------
    InvalidInputError
        If anything is wrong, with a sentence for each fault.
    """
    tables = _tables(scenario)
    faults = []
    for key, value in values.items():
        try:
            path = _path(key)
            _lay(tables["link"], path, parse_value(value) if isinstance(value, str) else value)
        except ValueError as error:
            faults.append(f"{_FILE}: {key} {error}")
    if any(value is None and key.endswith(".rate") for key, value in values.items()):
        _drop_idle(tables["link"], {key for key, value in values.items() if value is not None})
    try:
        profile = checked(tables, _FILE)
    except InvalidInputError as error:
        raise InvalidInputError([*faults, *error.faults]) from None
    if faults:
        raise InvalidInputError(faults)
    return Scenario(profile)


def _tables(scenario: Scenario) -> dict[str, Any]:
    """Return the scenario's tables, with jitter as a key of its own, so that it can be set alone."""
    tables = copy.deepcopy(scenario.profile.to_toml())
    link = tables["link"]
    for keys in (link, *(link.get(side, {}) for side in _SIDES), *link.get("change", ())):
        delay = keys.get("delay")
        if isinstance(delay, dict) and {**delay, **_PLAIN} == delay and len(delay) == 4:
            keys["delay"], keys["jitter"] = delay["mean"], delay["jitter"]
    return tables


_PLAIN = {"model": "uniform", "reorder": False}


def _path(key: str) -> tuple[str, ...]:
    path = parse_key(key)
    names = LinkKeys.keys()
    sided = len(path) == 3 and path[1] in _SIDES
    if path[0] != "link" or not (sided or len(path) == 2) or path[-1] in (*_SIDES, "change", "repeat"):
        want = 'want a key of [link], [link.up] or [link.down], such as "link.up.loss"'
        raise ValueError(f"cannot be set, {want}")
    if path[-1] not in names:
        near = nearest(str(path[-1]), names)
        raise ValueError(f"is unknown{f', did you mean {quoted(near)}?' if near else ''}")
    return tuple(map(str, path[1:]))


def _lay(link: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    side, name = path[0] if len(path) == 2 else "both", path[-1]
    own = link if side == "both" else link.setdefault(side, {})
    if value is None and side != "both" and name in link:  # of both directions: it stays in the other one
        other = "down" if side == "up" else "up"
        link.setdefault(other, {}).setdefault(name, link.pop(name))
    for keys in (link, *(link.get(other, {}) for other in _SIDES)) if side == "both" else (own,):
        keys.pop(name, None)
    link["change"] = [later for change in link.get("change", ()) for later in _without(change, side, name)]
    if value is not None:
        own[name] = value


def _drop_idle(link: dict[str, Any], given: Collection[str]) -> None:
    """Take away what stands in front of a rate that is gone, unless it is given anew."""
    if any("rate" in change for change in link.get("change", ())):
        return
    sides = {side: link.get(side, {}) for side in _SIDES}
    idle = {side: keys for side, keys in sides.items() if "rate" not in keys and "rate" not in link}
    for name in ("queue", "aqm"):
        for side, keys in idle.items():
            if f"link.{side}.{name}" not in given:
                keys.pop(name, None)
        if len(idle) == len(sides) and f"link.{name}" not in given:
            link.pop(name, None)


def _without(change: dict[str, Any], side: str, name: str) -> list[dict[str, Any]]:
    """Return a change without a key of one side, or of both."""
    of = change.get("direction", "both")
    if name not in change or (side != "both" and of not in ("both", side)):
        return [change]
    rest = {key: value for key, value in change.items() if key != name}
    if side == "both" or of == side:
        return [rest]
    times: dict[str, Any] = {key: change[key] for key in ("at", "ramp") if key in change}
    other = "down" if side == "up" else "up"
    return [rest, {**times, "direction": other, name: change[name]}]
