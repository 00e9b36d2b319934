"""The finding of a session, in one line."""

from collections.abc import Mapping, Sequence
from typing import Any

from simlab.core.timeline import Timeline
from simlab.study import reading
from simlab.study.crowd import by_client
from simlab.study.outages import UNWANTED
from simlab.study.reading import Channel
from simlab.study.storm_words import storm_headline
from simlab.study.words import count, listed, never_ready

_SHORT = {
    "ready-but-dead": "ready but dead from {:.0f} s",
    "connect-undecided": "connect() undecided",
}
# Told from when on the channel was silent, as its lane in the picture shows it, and not from the recovery on.
_SILENT = {
    "microphone-dead-after-recovery": ("microphone", Channel("media", "up")),
    "bot-voice-dead-after-recovery": ("bot's voice", Channel("media", "down")),
    "camera-dead-after-recovery": ("camera", Channel("video", "up")),
    "bot-video-dead-after-recovery": ("bot's video", Channel("video", "down")),
}


def headline(timeline: Timeline, metrics: Mapping[str, Any]) -> str:
    """Say the finding in one line: ``"2 of 3 outages recovered; microphone silent from 35 s on"``."""
    if "storm" in metrics:
        return "; ".join([storm_headline(metrics), *_violated(timeline, metrics)])
    if metrics["connect"]["bot_ready_s"] is None:
        return "; ".join([never_ready(timeline), *_violated(timeline, metrics)])
    found = metrics["outages"]
    finding = _outages_text(found) if found else f"No outage in {metrics['duration_s']:g} s"
    gave_up = next(timeline.select("policy", "give_up"), None)
    gave_up_text = [f"gave up at {gave_up.t_s:.1f} s"] if gave_up else []
    return "; ".join([finding, *gave_up_text, *_violated(timeline, metrics)])


def _outages_text(found: Sequence[Mapping[str, Any]]) -> str:
    waits_s = [outage["recovered_s"] for outage in found if outage["recovered_s"] is not None]
    text = f"{len(waits_s)} of {count(len(found), 'outage')} recovered"
    if len(waits_s) < len(found):
        unwanted = sum(outage["outcome"] == UNWANTED for outage in found)
        return f"{text}, {unwanted} ended by the user" if unwanted else text
    return f"{text}, {'the longest after' if len(waits_s) > 1 else 'after'} {max(waits_s):.1f} s"


def _violated(timeline: Timeline, metrics: Mapping[str, Any]) -> list[str]:
    """Name each violated invariant once, with the time of its first violation."""
    first: dict[str, Mapping[str, Any]] = {}
    for violation in metrics["violations"]:
        first.setdefault(violation["invariant"], violation)
    silent: dict[str, list[str]] = {}
    for name, violation in first.items():
        if name in _SILENT:
            what, channel = _SILENT[name]
            silent.setdefault(_since(timeline, channel, violation), []).append(what)
    return [
        *(
            _SHORT[name].format(one["t_s"]) if name in _SHORT else name
            for name, one in first.items()
            if name not in _SILENT
        ),
        *(f"{listed(whats)} silent {when}" for when, whats in silent.items()),
    ]


def _short(name: str, at_s: float) -> str:
    return _SHORT[name].format(at_s) if name in _SHORT else name


def _since(timeline: Timeline, channel: Channel, violation: Mapping[str, Any]) -> str:
    number = violation.get("client_id")
    of_client = timeline if number is None else by_client(timeline)[number]
    silence = next(gap for gap in reading.gaps(of_client, channel) if gap.holds(violation["t_s"]))
    to = "on" if silence.is_open else f"to {silence.ended_s:.0f} s"
    return f"from {silence.began_s:.0f} s {to}"
