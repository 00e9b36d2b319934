"""A schedule of libwebrtc's simulated network, as JSON or as text of its protocol buffer.

The messages are ``NetworkConfigSchedule`` and its items, in libwebrtc's
``api/test/network_emulation/network_config_schedule.proto``.
"""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from simlab.profile.importers.libwebrtc_text import AT, CAPACITY, FIELDS, Schedule, parse
from simlab.profile.importers.text import Imported, at_line
from simlab.profile.units import duration_text

_STANDS_STILL = "1bit/s"


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
    now = dict(FIELDS) | items[0].fields
    base = keys = _keys(now, items[0].line, rated)
    changes = []
    for item in items[1:]:
        now |= item.fields
        later = _keys(now, item.line, rated)
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


def _ms(value: float) -> str:
    return duration_text(value / 1000)


def _keys(now: Mapping[str, float | bool], line: int, rated: bool) -> dict[str, Any]:
    mean, deviation = _ms(now["queue_delay_ms"]), now["delay_standard_deviation_ms"]
    keys: dict[str, Any] = {"delay": mean}
    if deviation:
        reorder = bool(now["allow_reordering"])
        keys["delay"] = {"model": "normal", "mean": mean, "deviation": _ms(deviation), "reorder": reorder}
    loss, burst = f"{now['loss_percent']:g}%", now["avg_burst_loss_length"]
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
        packets = now["queue_length_packets"]
        keys["queue"] = f"{packets:g}packets" if packets else "100MB"
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
        yield "A queue_length_packets of 0 is an endless queue there, and one of 100 MB here."
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
