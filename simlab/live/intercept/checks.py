"""Whether a command is right, and what it says."""

from collections.abc import Mapping
from typing import Any

from simlab.profile.check import shown
from simlab.profile.faults import SignallingFault
from simlab.profile.faults_nat import RebindFault
from simlab.profile.live import LIVE_KINDS
from simlab.profile.model import Profile

KINDS = frozenset({*LIVE_KINDS, "signalling", "rebind"})
"""The faults of a profile that can be done to somebody else's client and server."""


def unfit(profile: Profile) -> list[str]:
    """Return what a profile wants that cannot be done to somebody else's client and server."""
    keys = [
        f'fault[{index}].kind is "{fault.kind}", which an intercept cannot do to client and server'
        for index, fault in enumerate(profile.faults)
        if fault.kind not in KINDS
    ]
    keys += [
        f'fault[{index}].what is "address", want "port": an intercept has one address at each side'
        for index, fault in enumerate(profile.faults)
        if isinstance(fault, RebindFault) and fault.what == "address"
    ]
    if profile.actions:
        keys.append("action cannot be done: the client is not simlab's")
    keys += [
        f'fault[{index}].how is "half-open", which an intercept cannot do'
        for index, fault in enumerate(profile.faults)
        if isinstance(fault, SignallingFault) and fault.how.kind == "half-open"
    ]
    if profile.signalling.path is not None:
        keys.append('signalling.path is "link", and an intercept only delays the signalling')
    if profile.nat is not None and profile.nat.one_to_one:
        keys.append("nat.one_to_one is true, which cannot be: a client may have several addresses")
    return [f"{profile.name}: {key}" for key in keys]


def wrong_settings(settings: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with keys that are to be set while the intercept runs, before they are read."""
    wrong = [
        f"set: {key} is {shown(value)}, want text, a number, or null for what the profile has"
        for key, value in settings.items()
        if isinstance(value, bool) or not isinstance(value, str | int | float | None)
    ]
    wrong += [
        f"set: {key} cannot be set, want a key of [link] or [signalling]" for key in settings if not _may(key)
    ]
    return wrong + ([] if settings else ['set: want settings, such as {"link.up.loss": "5%"}'])


def _may(key: object) -> bool:
    return isinstance(key, str) and key.partition(".")[0] in ("link", "signalling")


def toml_of(value: object) -> str:
    """Return a value as it is written after ``--set KEY=``."""
    return f'"{value}"' if isinstance(value, str) and '"' not in value else str(value)
