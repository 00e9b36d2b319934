"""Profiles that are a step simpler than another: with less in them, or shorter.

They are tables, as ``sparse`` returns them. What is measured stays: the peers, their behaviour, the policy.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from simlab.profile.model import Profile
from simlab.profile.sparse import Tables
from simlab.profile.units import duration_text, parse_duration_s

_STAYS = frozenset({"name", "duration", "client", "server", "policy", "clock"})
_PEERS = frozenset({"client", "server", "media"})
_EVENTS = ("fault", "action")
_NEEDED = frozenset({"kind", "do", "at", "for"})
_DEFAULT = Profile()
_SHARES = (0.0, 0.25, 0.5, 0.75, 0.9)
_LEAST_S = 0.1


def size(tables: Tables) -> tuple[float, ...]:
    """Measure a profile: of two, the one is simpler whose first number that differs is less.

    Returns
    -------
    tuple
        How many faults and actions, media and keys there are; seconds of session and of faults; the letters
        that it takes to say when, and the seconds until then.
    """
    faults, actions = (tables.get(key, []) for key in _EVENTS)
    media = tables.get("peers", {}).get("media", _DEFAULT.peers.media)
    times = [text for one in (*faults, *actions) for key in ("at", "for") if (text := one.get(key))]
    counted = {**_without(tables, "duration"), "peers": _without(tables.get("peers", {}), "media")}
    return (
        len(faults) + len(actions),
        len(media),
        _keys(counted),
        _duration_s(tables),
        sum(parse_duration_s(one["for"]) for one in faults if "for" in one),
        sum(map(len, times)),
        sum(parse_duration_s(one["at"]) for one in (*faults, *actions)),
    )


def _keys(value: Any) -> int:
    if isinstance(value, Mapping):
        return 1 + sum(map(_keys, value.values()))
    if isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        return sum(map(_keys, value))
    return 1


def _duration_s(tables: Tables) -> float:
    return parse_duration_s(tables["duration"]) if "duration" in tables else _DEFAULT.duration_s


def with_fewer_events(tables: Tables) -> Iterator[Tables]:
    """Yield it without some of its faults or actions: all, halves, quarters, and so on to single ones."""
    for key in _EVENTS:
        events = tables.get(key, [])
        length = len(events)
        while length:
            for first in range(0, len(events), length):
                yield _with(tables, key, events[:first] + events[first + length :])
            length //= 2


def _with(tables: Tables, key: str, value: Any) -> Tables:
    """Return it with another value of a key, or without the key if nothing is left of it."""
    changed = {**tables, key: value}
    if value in ({}, []) and key != "media":
        del changed[key]
    return changed


def shorter(tables: Tables) -> Iterator[Tables]:
    """Yield it with a shorter session, with shorter faults, or with times that are earlier or rounder."""
    events = [one for key in _EVENTS for one in tables.get(key, [])]
    over_s = max((parse_duration_s(one["at"]) + _for_s(one) for one in events), default=1.0)
    for share in _SHARES:
        until_s = math.ceil(over_s + share * (_duration_s(tables) - over_s))
        yield {**tables, "duration": duration_text(max(1, until_s))}
    for key in _EVENTS:
        for number, one in enumerate(tables.get(key, [])):
            yield from (_with_event(tables, key, number, {**one, **times}) for times in _other_times(one))


def _for_s(event: Tables) -> float:
    return parse_duration_s(event["for"]) if "for" in event else 0.0


def _with_event(tables: Tables, key: str, number: int, event: Tables) -> Tables:
    events = tables[key]
    return {**tables, key: [*events[:number], event, *events[number + 1 :]]}


def _other_times(event: Tables) -> Iterator[Tables]:
    if "for" in event:
        for_s = _for_s(event)
        lengths_s = (*(_round(for_s * share) for share in _SHARES[1:]), _round(for_s))
        yield from ({"for": duration_text(max(_LEAST_S, length_s))} for length_s in lengths_s)
    at_s = parse_duration_s(event["at"])
    begins_s = (*(_round(at_s * share) for share in _SHARES), 5 * round(at_s / 5), _round(at_s))
    yield from ({"at": duration_text(begin_s)} for begin_s in begins_s)


def _round(time_s: float) -> float:
    return round(time_s, 0 if time_s >= 1 else 1)


def with_fewer_keys(tables: Tables) -> Iterator[Tables]:
    """Yield it without one of its keys or tables, and with messages alone."""
    yield _with_peers(tables, {**tables.get("peers", {}), "media": []})
    for key, value in tables.items():
        if key == "peers":
            inner = {name: item for name, item in value.items() if name not in _PEERS}
            yield from (_with_peers(tables, _without(value, name)) for name in inner)
        elif key in _EVENTS:
            for number, one in enumerate(value):
                spare = [name for name in one if name not in _NEEDED]
                yield from (_with_event(tables, key, number, _without(one, name)) for name in spare)
        elif key not in _STAYS:
            yield _without(tables, key)
            yield from (_with(tables, key, less) for less in _less(value))


def _with_peers(tables: Tables, peers: Tables) -> Tables:
    return _with(tables, "peers", peers)


def _without(table: Tables, key: str) -> Tables:
    return {name: value for name, value in table.items() if name != key}


def _less(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield _without(value, key)
            yield from ({**value, key: less} for less in _less(item))


STEPS: tuple[Callable[[Tables], Iterator[Tables]], ...] = (with_fewer_events, shorter, with_fewer_keys)
"""The kinds of steps, those that save the most work after them first."""
