"""From what pydantic found wrong to sentences that name the key, the value and what is wanted."""

import re
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from simlab.profile.actions import Action
from simlab.profile.behaviour import ClientBehaviour, ServerBehaviour
from simlab.profile.bot import BotKeys
from simlab.profile.damage import DAMAGE_TABLES
from simlab.profile.delays import DELAY_TABLES
from simlab.profile.expect import Expect
from simlab.profile.faults import KINDS
from simlab.profile.faults_nat import NatTable
from simlab.profile.faulty import FaultyKeysError, Path
from simlab.profile.fields import Table
from simlab.profile.ice import IceTable, Told
from simlab.profile.link import ChangeTable, LinkKeys, LinkTable
from simlab.profile.losses import LOSS_TABLES
from simlab.profile.model import Client, Peers, Profile, Server, Signalling
from simlab.profile.nearest import nearest, one_of, quoted
from simlab.profile.only import Only
from simlab.profile.overrides import dotted
from simlab.profile.policy import PolicyKeys
from simlab.profile.rates import RATE_TABLES, CodelTable
from simlab.profile.spread import Spread
from simlab.profile.suite_tables import Baseline, Suite, Sweep, SweepExpect, Tolerance
from simlab.profile.weather import Weather

# Which table is where; those told apart by a tag are found by the tag alone.
TABLES: dict[str, type[Table]] = {
    "": Profile,
    "peers": Peers,
    "client": Client,
    "client.behaviour": ClientBehaviour,
    "server": Server,
    "server.behaviour": ServerBehaviour,
    "bot": BotKeys,
    "policy": PolicyKeys,
    "link": LinkTable,
    "link.up": LinkKeys,
    "link.down": LinkKeys,
    "nat": NatTable,
    "signalling": Signalling,
    "ice": IceTable,
    "ice.told": Told,
    "expect": Expect,
    **{f"#{kind}": table for kind, table in KINDS.items()},
    "link.change": ChangeTable,
    "only": Only,
    "aqm": CodelTable,
    **LOSS_TABLES,
    **DELAY_TABLES,
    **RATE_TABLES,
    **DAMAGE_TABLES,
    "action": Action,
    "weather": Weather,
    "every": Spread,
    "for": Spread,
    "suite": Suite,
    "sweep": Sweep,
    "sweep.expect": SweepExpect,
    "baseline": Baseline,
    "tolerance": Tolerance,
}

_WANTS = {
    "too_short": "want at least one",
    "string_type": "want text in quotes",
    "int_type": "want a whole number",
    "float_type": "want a number",
    "bool_type": "want true or false",
    "tuple_type": "want a list",
    "model_type": "want a table",
    "dict_type": "want a table",
    "string_too_short": "want at least one letter",
    "string_pattern_mismatch": "want at most 64 letters, digits, dots, dashes and underscores",
}


def sentences(
    error: ValidationError, tables: dict[str, Any], root: type[Table] = Profile
) -> list[tuple[Path, str]]:
    """Return what is wrong: for each fault its path in the profile, and a sentence that begins with the key.

    Parameters
    ----------
    error
        From checking ``tables``.
    tables
        The parsed TOML.
    root
        Which table it is as a whole.
    """
    return [pair for details in error.errors() for pair in _told(details, tables, root)]


def _told(details: ErrorDetails, tables: dict[str, Any], root: type[Table]) -> list[tuple[Path, str]]:
    path = path_in(tables, details["loc"])
    cause = details.get("ctx", {}).get("error")
    if isinstance(cause, FaultyKeysError):
        return [_value_fault(tables, path + below, want) for below, want in cause.faults]
    if details["type"] == "missing":
        return [(path, f"{dotted(path)} is missing")]
    if details["type"] == "extra_forbidden":
        return [(path, _unknown(details["loc"], path, root))]
    if details["type"].startswith("union_tag"):
        return [_untagged(details, path)]
    return [_value_fault(tables, path, _want(details, path))]


def path_in(tables: dict[str, Any], loc: Path) -> Path:
    """Leave out of an error's place what pydantic adds: tags, and steps below a single value."""
    here: Any = tables
    path: list[str | int] = []
    for step in loc:
        if not isinstance(here, dict | list):
            break
        is_key = isinstance(here, dict) and step in here
        if isinstance(step, str) and step.startswith("#") and not is_key:
            continue
        path.append(step)
        here = _value_at(here, (step,))
    return tuple(path)


def _value_at(here: Any, path: Path) -> Any:
    for step in path:
        if isinstance(here, dict):
            here = here.get(step)
        elif isinstance(here, list) and isinstance(step, int):
            here = here[step]
        else:
            return None
    return here


def _unknown(loc: Path, path: Path, root: type[Table]) -> str:
    near = nearest(str(loc[-1]), (_table_at(loc[:-1]) if loc[:-1] else root).keys())
    return f"{dotted(path)} is unknown" + (f', did you mean "{near}"?' if near else "")


def _table_at(loc: Path) -> type[Table]:
    """Return the table in which an error is: by its tag, its own name, or its whole path."""
    steps = [step for step in loc if isinstance(step, str) and step != "#table"]
    whole, last = dotted(tuple(steps)), steps[-1] if steps else ""
    return TABLES[whole] if whole in TABLES else TABLES[last]


def _untagged(details: ErrorDetails, path: Path) -> tuple[Path, str]:
    value = details["input"]
    if not isinstance(value, dict):
        return path, f"{dotted(path)} is {shown(value)}, want a table"
    path = (*path, "kind" if path[0] == "fault" else "model")
    if path[-1] not in value:
        return path, f"{dotted(path)} is missing"
    known = re.findall("'#([^']*)'", details["ctx"]["expected_tags"])
    word = value[path[-1]]
    want = one_of(word if isinstance(word, str) else "", [tag for tag in known if tag != "text"])
    return path, f"{dotted(path)} is {shown(word)}, {want}"


def _want(details: ErrorDetails, path: Path) -> str:
    context = details.get("ctx", {})
    match details["type"]:
        case "value_error":
            return str(context["error"])
        case "literal_error":
            word = details["input"]
            return one_of(word if isinstance(word, str) else "", re.findall("'([^']*)'", context["expected"]))
        case "greater_than_equal":
            return f"want {int(context['ge'])} or more"
        case "less_than_equal":
            return f"want {int(context['le'])} or less"
        case "too_long":
            return f"want {context['max_length']} or fewer"
    return _WANTS.get(details["type"], details["msg"])


def _value_fault(tables: dict[str, Any], path: Path, want: str) -> tuple[Path, str]:
    value, key = _value_at(tables, path), dotted(path)
    parent = _value_at(tables, path[:-1])
    if path and isinstance(parent, dict) and path[-1] not in parent:
        return path, f"{key} is missing, {want}"
    return path, f"{key}: {want}" if isinstance(value, dict | list) else f"{key} is {shown(value)}, {want}"


def shown(value: Any) -> str:
    """Write a value of a profile for a message: short, on one line."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and abs(value) >= 10**20:
        return "a huge number"  # Python refuses to write out very long integers
    return str(value)
