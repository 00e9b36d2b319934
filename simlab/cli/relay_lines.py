"""What ``simlab relay`` says: a line a second, and a summary."""

from collections.abc import Iterator, Mapping
from typing import Any

from simlab.study.words import count

_WAYS = ("up", "down")
_COUNTED = ("offered", "delivered", "dropped", "kernel_dropped")
_WORDS = {
    "mapped": "{client} is known to the target as {outside}",
    "unmapped": "{client} was idle and is forgotten ({packets} up, {down} down)",
    "fault_begin": "{fault} begins",
    "fault_end": "{fault} ends",
    "set": "{settings}",
    "load": "profile {profile}, seed {seed}, begins",
    "rebind": "{clients} from now on",
    "pause": "packets are held, {directions}",
    "resume": "packets leave again, {directions}",
    "trouble": "trouble ({where}): {why}{often}",
    "slow": "the system refuses a higher priority, so packets may be late when it is busy",
}


class Lines:
    """The lines for events, one after the other: of a second in which nothing came nothing is said."""

    def __init__(self) -> None:
        self._last: list[Any] = [0, 0, {}, 0] * len(_WAYS)

    def __call__(self, event: Mapping[str, Any]) -> str | None:
        """Return the line for an event; None for one that nobody needs to read."""
        if event["kind"] != "stats":
            return line_of(event)
        last, self._last = self._last, [event[way][key] for way in _WAYS for key in _COUNTED]
        return None if last == self._last else line_of(event)


def line_of(event: Mapping[str, Any]) -> str | None:
    """Return the line for an event; None for one that nobody needs to read."""
    if event["kind"] == "stats":
        return f"{event['t_s']:9.1f} s  {_ways(event)}"
    words = _WORDS.get(event["kind"])
    often = f", {event['times']} times" if event.get("times", 1) > 1 else ""
    told = {**event, "directions": " and ".join(event.get("directions", ())), "often": often}
    if event["kind"] == "set":
        told["settings"] = _set(event["settings"])
    if event["kind"] == "rebind":
        one = event["clients"] == 1
        told["clients"] = f"{count(event['clients'], 'client')} {'is' if one else 'are'} known by other ports"
    if event["kind"] == "unmapped":
        told["packets"] = count(event["up"], "packet")
    return None if words is None else f"{event['t_s']:9.1f} s  {words.format(**told)}"


def _set(settings: Mapping[str, str | None]) -> str:
    return ", ".join(
        f"{key} is taken away" if value is None else f"{key} is {value}" for key, value in settings.items()
    )


def _ways(event: Mapping[str, Any]) -> str:
    return ", ".join(_way(way, event[way]) for way in _WAYS)


def _way(way: str, row: Mapping[str, Any]) -> str:
    lost = sum(row["dropped"].values()) + row["kernel_dropped"]
    text = f"{way} {row['delivered']} of {row['offered']}"
    text += f" ({lost} dropped)" if lost else ""
    return f"{text}, {row['delay_p50_s'] * 1000:.1f} ms" if "delay_p50_s" in row else text


def summary_lines(last: Mapping[str, Any]) -> Iterator[str]:
    """Yield what it was all together."""
    for way in _WAYS:
        row = last[way]
        causes = {**row["dropped"], "kernel": row["kernel_dropped"]}
        drops = ", ".join(f"{number} {cause}" for cause, number in causes.items() if number)
        text = f"{way}: {count(row['offered'], 'packet')} came, {row['delivered']} left"
        text += f", {row['under_way']} were under way" if row["under_way"] else ""
        text += f"; dropped: {drops}" if drops else "; none dropped"
        if "error_p50_s" in row:
            text += f"; late by {row['error_p50_s'] * 1000:.2f} ms (median), "
            text += f"{row['error_p99_s'] * 1000:.2f} ms (99th percentile)"
        yield text + "."
    if last.get("capture_lost"):
        yield f"The capture lacks {count(last['capture_lost'], 'packet')}: its writer did not keep up."
