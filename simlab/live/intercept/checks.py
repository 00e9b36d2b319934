"""Whether a command is right, and what it says."""

from collections.abc import Container
from typing import Any

from pydantic import ValidationError

from simlab.core.errors import InvalidInputError
from simlab.core.packet import classes_named
from simlab.profile.faults import SignallingFault, parse_how
from simlab.profile.model import Profile
from simlab.profile.units import duration_text, parse_duration_s

Command = dict[str, Any]
KINDS = frozenset(
    [
        "blackout",
        "block",
        "pause",
        "signalling",
        "rebind",
        "consent-blocked",
        "checks-blocked",
        "responses-blocked",
        "bad-integrity",
    ]
)
"""The faults of a profile that can be done to somebody else's client and server."""

_DIRECTIONS = ("both", "up", "down")
_LONGEST_S = 86_400.0


def unfit(profile: Profile) -> list[str]:
    """Return what a profile wants that cannot be done to somebody else's client and server."""
    faults = [
        f'{profile.name}: fault[{index}].kind is "{fault.kind}", which an intercept cannot do'
        for index, fault in enumerate(profile.faults)
        if fault.kind not in KINDS
    ]
    faults += [
        f'{profile.name}: fault[{index}].how is "half-open", which an intercept cannot do'
        for index, fault in enumerate(profile.faults)
        if isinstance(fault, SignallingFault) and fault.how.kind == "half-open"
    ]
    if profile.signalling.path is not None:
        faults.append(
            f'{profile.name}: signalling.path is "link", and an intercept only delays the signalling'
        )
    if profile.nat is not None:
        faults.append(f"{profile.name}: [nat] is nothing that an intercept can be")
    return faults


def only(command: Command, *keys: str) -> None:
    """Refuse a command with keys that it cannot have.

    Raises
    ------
    InvalidInputError
        Naming each.
    """
    unknown = [key for key in command if key not in keys]
    if unknown:
        raise InvalidInputError([f"{key}: there is no such key here" for key in unknown])


def may_set(key: object) -> bool:
    """Tell whether a key of the profile may be set while the intercept runs."""
    return isinstance(key, str) and key.partition(".")[0] in ("link", "signalling")


def toml_of(value: object) -> str:
    """Return a value as it is written after ``--set KEY=``."""
    return f'"{value}"' if isinstance(value, str) and '"' not in value else str(value)


def classes_of(command: Command) -> list[str]:
    """Return the packet classes that a command is about: STUN, if it does not say.

    Raises
    ------
    InvalidInputError
        If there are no such classes.
    """
    match = command.get("match", ["stun"])
    names = [match] if isinstance(match, str) else match
    if not isinstance(names, list) or not names:
        raise InvalidInputError(['match: want packet classes, such as ["stun"]'])
    try:
        classes_named(map(str, names))
    except ValueError as error:
        raise InvalidInputError([f"match: {error}"]) from None
    return names


def aimed(command: Command, clients: Container[int], *more: str) -> tuple[int, str, float]:
    """Return whom, which direction and how many seconds a command is about.

    Raises
    ------
    InvalidInputError
        With each thing that is wrong.
    """
    only(command, "for", "direction", "client", *more)
    faults: list[str] = []
    for_s, client = 0.0, 0
    try:
        for_s = parse_duration_s(command.get("for"))
        faults += [] if 0 < for_s <= _LONGEST_S else ["for: want more than 0 s and at most a day"]
    except ValueError as error:
        faults.append(f"for: {error}")
    direction = command.get("direction", "both")
    if direction not in _DIRECTIONS:
        faults.append(f"direction: want one of {', '.join(_DIRECTIONS)}")
    try:
        client = client_of(command, clients)
    except InvalidInputError as error:
        faults += error.faults
    if faults:
        raise InvalidInputError(faults)
    return client, direction, for_s


def client_of(command: Command, clients: Container[int]) -> int:
    """Return the number of the client that a command is about; 0 for all.

    Raises
    ------
    InvalidInputError
        If there is no such client.
    """
    client = command.get("client", 0)
    if client in (0, None):
        return 0
    if not isinstance(client, int) or client not in clients:
        raise InvalidInputError([f"client: there is no client {client}"])
    return client


def signalling_fault(command: Command, now_s: float) -> tuple[SignallingFault, dict[str, Any]]:
    """Return the fault that a command wants from now on, and its keys as a profile has them.

    Raises
    ------
    InvalidInputError
        If it is no fault of the signalling.
    """
    only(command, "how", "for", "method")
    keys: dict[str, Any] = {key: command[key] for key in ("how", "method") if key in command}
    faults: list[str] = []
    try:
        if parse_how(command.get("how")).kind == "half-open":
            faults.append("how: an intercept cannot do half-open")
    except ValueError as error:
        faults.append(f"how: {error}")
    try:
        for_s = parse_duration_s(command.get("for"))
        faults += [] if 0 < for_s <= _LONGEST_S else ["for: want more than 0 s and at most a day"]
    except ValueError as error:
        faults.append(f"for: {error}")
    if command.get("method", "POST") not in ("POST", "PATCH"):
        faults.append("method: want POST or PATCH")
    if faults:
        raise InvalidInputError(faults)
    times = {"at": duration_text(round(now_s, 6)), "for": command["for"]}
    try:
        return SignallingFault.model_validate({"kind": "signalling", **times, **keys}), keys
    except ValidationError as error:
        raise InvalidInputError([one["msg"] for one in error.errors()]) from None
