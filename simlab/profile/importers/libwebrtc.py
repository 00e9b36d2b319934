"""A schedule of libwebrtc's simulated network, as JSON or as text of its protocol buffer.

The messages are ``NetworkConfigSchedule`` and its items, in libwebrtc's
``api/test/network_emulation/network_config_schedule.proto``.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from simlab.profile.importers.libwebrtc_text import AT, BURST, CAPACITY, FIELDS, Schedule, parse
from simlab.profile.importers.text import Imported, at_line
from simlab.profile.units import duration_text

_STANDS_STILL = "1bit/s"
_MOST_WAITING = 10_000
"""Of packets in a queue without a length: ``NetworkQueue::kMaxPacketCapacity``."""


def read(text: str) -> Imported:
    """Read a schedule: the first item from the beginning on, the others as changes.

    Raises
    ------
    ValueError
        If it is none; the message says in which line.
    """
    schedule = parse(text)
    items = schedule.items
    if not items:
        raise at_line(1, "want at least one item")
    for before, item in pairwise(items):
        if item.at_ms <= before.at_ms:
            raise at_line(item.line, f"want a {AT} after that of the item before it")
    rated = any(CAPACITY in item.fields for item in items)
    settings = list(_settings(schedule))
    drawn = _drawn(settings)
    base = keys = _keys(settings[0], items[0].line, rated, drawn)
    changes = []
    for item, now in zip(items[1:], settings[1:], strict=True):
        later = _keys(now, item.line, rated, drawn)
        differing = {key: value for key, value in later.items() if keys.get(key) != value}
        keys = later
        if differing:
            changes.append({"at": _ms(item.at_ms), **differing})
    return Imported(
        description=f"A schedule of libwebrtc's simulated network, {len(items)} item{'s' * (len(items) > 1)}",
        source="A NetworkConfigSchedule of libwebrtc. Its queue_delay_ms is one way.",
        duration_s=_duration_s(schedule),
        link=base,
        changes=tuple(changes),
        repeat_s=_repeat_s(schedule) if changes else None,
        notes=tuple(_notes(schedule, rated)),
    )


def _settings(schedule: Schedule) -> Iterator[dict[str, float | bool]]:
    """Yield what holds from each item on: what an item does not set stays as it was."""
    now = dict(FIELDS)
    for item in schedule.items:
        now |= item.fields
        yield dict(now)


def _drawn(settings: Sequence[Mapping[str, float | bool]]) -> bool:
    """Say whether the delay has to be a normal one, be it without a deviation.

    Only such a one is told whether packets may overtake, which they also do where a delay becomes less.
    """
    spread = any(now["delay_standard_deviation_ms"] for now in settings)
    return spread or len({now["queue_delay_ms"] for now in settings}) > 1


def _ms(value: float) -> str:
    return duration_text(value / 1000)


def _keys(now: Mapping[str, float | bool], line: int, rated: bool, drawn: bool) -> dict[str, Any]:
    mean, deviation = _ms(now["queue_delay_ms"]), now["delay_standard_deviation_ms"]
    keys: dict[str, Any] = {"delay": mean}
    if drawn:
        reorder = bool(now["allow_reordering"])
        keys["delay"] = {"model": "normal", "mean": mean, "deviation": _ms(deviation), "reorder": reorder}
    loss, burst = f"{now['loss_percent']:g}%", now[BURST]
    if now["loss_percent"] > 100:
        raise at_line(line, f"loss_percent is {now['loss_percent']:g}, want 100 or less")
    keys["loss"] = loss
    if burst > 0 and now["loss_percent"]:
        keys["loss"] = {
            "model": "gilbert-elliott",
            "loss": loss,
            "burst": float(burst),
            "compat": "libwebrtc",
        }
    if rated:
        capacity = now[CAPACITY]
        if capacity < 0:
            keys["rate"] = "1000Gbit/s"
        else:
            keys["rate"] = f"{capacity:g}kbit/s" if capacity else _STANDS_STILL
        # The packet that is being sent counts there, and not here.
        waiting = now["queue_length_packets"] - 1 if now["queue_length_packets"] else _MOST_WAITING
        keys["queue"] = f"{waiting:g}packets"
    return keys


def _repeat_s(schedule: Schedule) -> float | None:
    if schedule.repeat_ms is None:
        return None
    return (schedule.items[-1].at_ms + schedule.repeat_ms) / 1000


def _duration_s(schedule: Schedule) -> float:
    last_s = schedule.items[-1].at_ms / 1000
    rest_s = 10.0 if schedule.repeat_ms is None else schedule.repeat_ms / 1000
    return max(last_s + rest_s, 30.0)


def _notes(schedule: Schedule, rated: bool) -> Iterator[str]:
    yield "The times count from the beginning of the session; libwebrtc's from the first packet."
    yield "libwebrtc's loss lies behind the bottleneck, and so it does here."
    if rated:
        yield (
            "queue_length_packets counts the packet that is being sent, and a queue here does not; 0 is "
            f"libwebrtc's limit of {_MOST_WAITING} that wait."
        )
    fields = [item.fields for item in schedule.items]
    if any(one.get("packet_overhead") for one in fields):
        yield "packet_overhead has no equivalent: each packet counts with the 28 bytes of UDP and IP."
    if any(one.get(CAPACITY) == 0 for one in fields):
        yield "A capacity of 0 is one of 1 bit/s here: nothing leaves, and packets wait, as they do there."
    if schedule.repeat_ms is not None and any(one.keys() - fields[0].keys() for one in fields[1:]):
        yield (
            "At each repetition everything is as in the first item; in libwebrtc, what the first item "
            "does not set stays as the last item has it."
        )
