"""What commands are given, checked: every fault is listed, and nothing happens where there is one."""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from simlab.core.errors import InvalidInputError
from simlab.core.packet import Direction
from simlab.profile.check import shown
from simlab.profile.faults import Fault
from simlab.profile.live import LIVE_KINDS
from simlab.profile.load import checked
from simlab.profile.nearest import nearest, one_of, quoted
from simlab.profile.units import duration_text, parse_duration_s

_DIRECTIONS = ["both", *(direction.value for direction in Direction)]
_LONGEST = "24h"
_IN_A_PROFILE = f"within the duration of {duration_text(parse_duration_s(_LONGEST))}"
"""What a profile says where the end of a fault is later than that."""


class Faults(list[str]):
    """Faults of a command, as they are found."""

    def __init__(self, command: str, given: Mapping[str, Any], keys: Collection[str]) -> None:
        super().__init__()
        self._command = command
        for key in given:
            if key not in keys:
                near = nearest(key, keys)
                self.found(f"{key} is unknown{f', did you mean {quoted(near)}?' if near else ''}")

    def found(self, sentence: str) -> None:
        """Add a fault."""
        self.append(f"{self._command}: {sentence}")

    def check(self) -> None:
        """Raise ``InvalidInputError`` if there is any."""
        if self:
            raise InvalidInputError(self)


def for_s_of(given: Mapping[str, Any], faults: Faults) -> float:
    """Return how long something is to last; infinity where that is left open."""
    value = given.get("for")
    if value is None:
        return math.inf
    try:
        for_s = parse_duration_s(value)
        if for_s <= 0:
            raise ValueError("want more than 0")  # noqa: TRY301 - it is told as any other
    except ValueError as error:
        faults.found(f"for is {shown(value)}, {error}")
        return math.inf
    return for_s


def directions_of(given: Mapping[str, Any], faults: Faults) -> tuple[Direction, ...]:
    """Return the directions that are meant: both, unless one is named."""
    value = given.get("direction", "both")
    if value not in _DIRECTIONS:
        faults.found(f"direction is {shown(value)}, {one_of(str(value), _DIRECTIONS)}")
    return (Direction(value),) if value in ("up", "down") else tuple(Direction)


def text_of(given: Mapping[str, Any], key: str, faults: Faults, default: str | None = None) -> str:
    """Return a text; one without a default has to be there."""
    value = given.get(key, default)
    if not isinstance(value, str):
        faults.found(
            f"{key} is missing" if value is None else f"{key} is {shown(value)}, want text in quotes"
        )
        return ""
    return value


def _of_command(fault: str, given: Mapping[str, Any]) -> str:
    """Return what is wrong with the only fault of a profile as what is wrong with a command."""
    told = fault.replace("fault[0].", "").replace("fault[0]", str(given["kind"]))
    if _IN_A_PROFILE not in told:
        return told
    begins = told.partition(_IN_A_PROFILE)[0]
    if _is_endless(given):  # the end that is too late is not the user's
        command = told.partition(": ")[0]
        return f"{command}: at is {shown(given['at'])}, want a time within {_LONGEST} from now"
    or_else = "want an end" in begins and given["kind"] != "pause"
    return f"{begins}within {_LONGEST} from now" + "; without for it lasts until clear" * or_else


def _is_endless(given: Mapping[str, Any]) -> bool:
    return given.get("for") is None and given["kind"] != "pause"


def fault_of(
    command: str, given: Mapping[str, Any], now_s: float, kinds: Sequence[str] = LIVE_KINDS
) -> Fault:
    """Return a fault that begins now, or ``at`` so much later, and is checked as one of a profile.

    Parameters
    ----------
    given
        The keys of a ``[[fault]]``. Without ``for`` it lasts until it is cleared.
    now_s
        Seconds since the scenario began.
    kinds
        Those that can be.

    Raises
    ------
    InvalidInputError
        If anything is wrong.
    """
    kind = given.get("kind")
    if kind not in kinds:
        want = one_of(kind if isinstance(kind, str) else "", list(kinds))
        raise InvalidInputError([f"{command}: kind is {shown(kind)}, {want}"])
    endless = _is_endless(given)
    table = {"at": "0s", **given} | ({"for": "1s"} if endless else {})
    try:
        profile = checked({"duration": _LONGEST, "fault": [table]}, command)
    except InvalidInputError as error:
        raise InvalidInputError([_of_command(one, given) for one in error.faults]) from None
    (fault,) = profile.faults
    times: dict[str, Any] = {"at_s": now_s + fault.at_s} | ({"for_s": math.inf} if endless else {})
    return fault.model_copy(update=times)
