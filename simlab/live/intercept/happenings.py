"""What was done to the network, and when: as faults of a profile have it."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from simlab.core.packet import Direction
from simlab.profile.link import DirectionSettings
from simlab.profile.model import Profile
from simlab.profile.units import duration_text

NO_LIMIT = "10Gbit/s"
"""A rate that limits nothing that is sent over UDP by a browser."""

_NOTHING = {"rate": NO_LIMIT, "loss": "0%"}
Table = dict[str, Any]


@dataclass
class Happening:
    """A fault, by a profile or by hand.

    Parameters
    ----------
    at_s, until_s
        Seconds since the intercept began; the same for one that is over at once.
    client
        Whom it concerns; 0 for all.
    keys
        Its further keys, as a profile has them.
    of_profile
        Whether a profile has begun it.
    """

    index: int
    kind: str
    at_s: float
    until_s: float
    client: int = 0
    keys: Mapping[str, Any] = field(default_factory=dict)
    of_profile: bool = False

    def concerns(self, client: int) -> bool:
        """Tell whether a client meets it."""
        return self.client in (0, client)

    @property
    def group(self) -> tuple[str, str]:
        """What must not overlap in a profile, near enough."""
        return self.kind, str(sorted((key, str(value)) for key, value in self.keys.items()))


@dataclass(frozen=True)
class Settled:
    """A profile that was in force from ``from_s`` on, and whose own time began at ``began_s``."""

    from_s: float
    began_s: float
    profile: Profile


def fault_tables(happenings: Iterable[Happening], client: int, from_s: float, until_s: float) -> list[Table]:
    """Return the faults that a client met in a stretch of time, as tables of a profile that began with it."""
    tables: list[Table] = []
    free_s: dict[tuple[str, str], float] = {}
    last_s = _since(until_s, from_s)
    for one in sorted(happenings, key=lambda happening: happening.at_s):
        if not one.concerns(client) or one.at_s > until_s:
            continue
        at_s, end_s = _since(one.at_s, from_s), min(_since(one.until_s, from_s), last_s)
        if one.until_s == one.at_s:
            tables += [{"kind": one.kind, "at": _text(at_s), **one.keys}] if at_s >= 0 else []
            continue
        # Two presses of a button may overlap; two faults of a profile may not.
        at_s = max(at_s, free_s.get(one.group, 0.0))
        if at_s < end_s:
            free_s[one.group] = end_s
            tables.append({"kind": one.kind, "at": _text(at_s), **one.keys, "for": _text(end_s - at_s)})
    return tables


def _since(at_s: float, from_s: float) -> float:
    # Rounded before anything is compared: a fault may not end a microsecond after its session.
    # 0.0 is added because a profile takes no -0.
    return at_s if at_s == math.inf else round(at_s - from_s, 6) + 0.0


def link_tables(settled: Sequence[Settled], from_s: float, until_s: float) -> Table:
    """Return ``[link]`` with the settings at the beginning of a stretch of time, and their changes in it."""
    link: Table = {}
    changes: list[tuple[float, Table]] = []
    for direction in Direction:
        row = [step for step in _steps(settled, direction, until_s) if step[0] < until_s]
        past = [settings for at_s, _, settings in row if at_s <= from_s]
        before = (past[-1] if past else row[0][2]).to_toml()
        link[direction.value] = before
        for at_s, ramp_s, settings in row:
            if at_s <= from_s:
                continue
            after = settings.to_toml()
            keys = {key: value for key, value in after.items() if before.get(key) != value}
            gone = {key: value for key, value in _NOTHING.items() if key in before and key not in after}
            keys |= {key: value for key, value in gone.items() if before[key] != value}
            if keys:
                times = {"at": _text(at_s - from_s), "ramp": _text(ramp_s), "direction": direction.value}
                changes.append((at_s, {**times, **keys}))
            before = before | keys
    changes.sort(key=lambda change: change[0])
    return link | ({"change": [table for _, table in changes]} if changes else {})


def _steps(
    settled: Sequence[Settled], direction: Direction, until_s: float
) -> list[tuple[float, float, DirectionSettings]]:
    """Return the settings of a direction, each with the time from which they held, and their ramp."""
    found: list[tuple[float, float, DirectionSettings]] = []
    ends_s = [one.from_s for one in settled[1:]] + [until_s]
    for one, end_s in zip(settled, ends_s, strict=True):
        settings = one.profile.link.of(direction)
        repeat_s = one.profile.link.repeat_s
        rounds = int((end_s - one.began_s) // repeat_s) + 1 if repeat_s else 1
        row = [
            (one.began_s + number * (repeat_s or 0.0) + at_s, ramp_s, each)
            for number in range(rounds)
            for at_s, ramp_s, each in [
                (0.0, 0.0, settings),
                *((change.at_s, change.ramp_s, change.settings) for change in settings.changes),
            ]
        ]
        past = [step for step in row if step[0] <= one.from_s]
        found.append((one.from_s, 0.0, past[-1][2] if past else settings))
        found += [step for step in row if one.from_s < step[0] < end_s]
    return found


def _text(seconds: float) -> str:
    return duration_text(round(seconds, 6))
