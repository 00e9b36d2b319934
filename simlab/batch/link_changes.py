"""What the links of a scenario do over time, for the account and the picture of its session."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from simlab.profile.scenario import Scenario
from simlab.profile.units import parse_duration_s
from simlab.study.link_changes import LinkChange

_TIMES = ("at", "ramp", "direction")


def link_changes(scenario: Scenario) -> tuple[LinkChange, ...]:
    """Return the changes that the profile's links make, in order of time."""
    link = scenario.profile.to_toml().get("link", {})
    every_s = parse_duration_s(link["repeat"]) if "repeat" in link else None
    found: list[LinkChange] = []
    for change in (_change(table, every_s) for table in link.get("change", ())):
        # Where up and down have other settings, a change of both is written as one of each.
        if found and replace(found[-1], direction="both") == replace(change, direction="both"):
            change = replace(found.pop(), direction="both")
        found.append(change)
    return tuple(found)


def _change(table: Mapping[str, Any], every_s: float | None) -> LinkChange:
    what = ", ".join(f"{key} {_text(value)}" for key, value in table.items() if key not in _TIMES)
    at_s, ramp_s = parse_duration_s(table["at"]), parse_duration_s(table.get("ramp", "0s"))
    return LinkChange(at_s, ramp_s, what, table.get("direction", "both"), every_s)


def _text(value: Any) -> str:
    if not isinstance(value, Mapping):
        return str(value)
    return " ".join(
        [str(value.get("model", "")), *(f"{k} {v}" for k, v in value.items() if k != "model")]
    ).strip()
