"""Fault schedules drawn at random, for a hunt: one of them may break what must never break."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar, get_args

from simlab.core.rng import stream, uniforms
from simlab.profile.faults import KINDS, Fault, schedule_faults
from simlab.profile.faults_base import DirectionName, TimedFault
from simlab.profile.faults_inject import What
from simlab.profile.faults_servers import without_server
from simlab.profile.model import Profile
from simlab.profile.units import duration_text

T = TypeVar("T")

_TRIES = 20  # to find a place for a fault beside the others
_LAST_BEGIN = 0.75  # of the session, so that something may come after it
_LONGEST = 0.5
_SHORTEST_S = 0.1
_SOON_S = 15.0  # after another's end: then a recovery is under way

_WAYS = get_args(DirectionName)
_KEYS: Mapping[str, Mapping[str, Sequence[Any]]] = {
    "blackout": {"direction": _WAYS},
    "block": {"direction": _WAYS, "match": (["stun"], ["dtls"], ["rtp"], ["rtcp"], ["dtls.data"])},
    "pause": {"direction": _WAYS},
    "signalling": {
        "how": (
            *("status 503", "status 404", "refused", "reset", "hang", "half-open", "slow 3s"),
            *("lost-response", "duplicate", "truncated", "invalid-json"),
        )
    },
    "no-candidates": {"direction": _WAYS},
    "wrong-candidates": {"direction": _WAYS},
    "mdns-unresolvable": {"direction": _WAYS},
    "ufrag-stale": {"direction": _WAYS},
    "checks-blocked": {"direction": _WAYS},
    "responses-blocked": {"direction": _WAYS},
    "consent-blocked": {"direction": _WAYS},
    "bad-integrity": {"direction": _WAYS},
    "candidates-late": {"direction": _WAYS, "by": ("500ms", "2s", "5s", "15s")},
    "patch-lost": {"status": (200, 500)},
    "turn-server-down": {"forgets": (True, False)},
    "rebind": {"what": ("port", "address")},
    "inject": {"direction": _WAYS, "what": get_args(What), "count": (1, 10, 100)},
}

_ADDRESSES = {"rebind", "handover"}
_PROCESS = {"server-restart", "server-freeze", "server-exhausted", "client-freeze", "tab-closed"}
_PACKETS = {
    *("blackout", "block", "pause", "inject"),
    *("checks-blocked", "responses-blocked", "consent-blocked", "bad-integrity"),
}

HUNTED = tuple(kind for kind in KINDS if kind != "tab-closed")
"""The kinds that a hunt draws unless it is told which: to a tab that is closed, nobody comes back."""


def drawn_faults(profile: Profile, seed: int, kinds: Sequence[str], most: int) -> tuple[Fault, ...]:
    """Return a profile's faults, and beside them some that are drawn from the seed, in time order.

    What happens to packets, to addresses, to processes and to the signalling is as likely, each with as many
    kinds as it may have: most faults of the signalling do nothing while no offer is made.

    They begin in the first three quarters of the session, and last from 0.1 s to half of it, short ones as
    often as long ones (log-uniform). Every other one begins within 15 s of another's end, where a recovery
    may be under way.

    Parameters
    ----------
    kinds
        Keys of ``KINDS``.
    most
        How many at most; at least one, but where there is no room for any.
    """
    draw = _Draw(uniforms(stream(seed, "hunt")))
    faults, families = list(profile.faults), _families(kinds)
    for _ in range(draw.number(1, most)):
        tried = (
            _drawn(draw, draw.one_of(draw.one_of(families)), faults, profile.duration_s)
            for _ in range(_TRIES)
        )
        found = next((fault for fault in tried if _fits(fault, faults, profile)), None)
        faults += [] if found is None else [found]
    return tuple(sorted(faults, key=lambda fault: fault.at_s))


def _families(kinds: Sequence[str]) -> list[list[str]]:
    known = (_PACKETS, _ADDRESSES, _PROCESS)
    sorted_out = [[kind for kind in kinds if kind in family] for family in known]
    others = [kind for kind in kinds if not any(kind in family for family in known)]
    return [family for family in (*sorted_out, others) if family]


class _Draw:
    def __init__(self, draws: Iterator[float]) -> None:
        self._draws = draws

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * next(self._draws)

    def number(self, least: int, most: int) -> int:
        return least + int((most - least + 1) * next(self._draws))

    def one_of(self, values: Sequence[T]) -> T:
        return values[int(len(values) * next(self._draws))]


def _drawn(draw: _Draw, kind: str, others: Sequence[Fault], duration_s: float) -> Fault:
    at_s = draw.between(0.0, _LAST_BEGIN * duration_s)
    ends_s = [other.until_s for other in others if other.until_s < _LAST_BEGIN * duration_s]
    if draw.one_of((True, False)) and ends_s:
        at_s = draw.one_of(ends_s) + draw.between(0.0, _SOON_S)
    keys = {key: draw.one_of(values) for key, values in _KEYS.get(kind, {}).items()}
    table = {"kind": kind, "at": duration_text(round(at_s, 1)), **keys}
    if issubclass(KINDS[kind], TimedFault):
        longest_s = max(_LONGEST * duration_s, _SHORTEST_S)
        for_s = math.exp(draw.between(math.log(_SHORTEST_S), math.log(longest_s)))
        table["for"] = duration_text(round(for_s, 1))
    fault: Any = KINDS[kind].model_validate(table)
    return fault  # type: ignore[no-any-return]


def _fits(fault: Fault, others: Sequence[Fault], profile: Profile) -> bool:
    faults = [*others, fault]
    return not schedule_faults(faults, profile.duration_s) and not without_server(faults, profile.ice)
