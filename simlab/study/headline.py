"""The finding of a session, in one line."""

from collections.abc import Mapping, Sequence
from typing import Any

from simlab.core.timeline import Timeline
from simlab.study.storm_words import storm_headline
from simlab.study.words import count, never_ready

_SHORT = {
    "ready-but-dead": "ready but dead from {:.0f} s",
    "microphone-dead-after-recovery": "microphone dead after {:.0f} s",
    "bot-voice-dead-after-recovery": "bot's voice dead after {:.0f} s",
    "connect-undecided": "connect() undecided",
}


def headline(timeline: Timeline, metrics: Mapping[str, Any]) -> str:
    """Say the finding in one line: ``"2 of 3 outages recovered; microphone dead after 47 s"``."""
    if "storm" in metrics:
        return "; ".join([storm_headline(metrics), *_violated(metrics)])
    if metrics["connect"]["bot_ready_s"] is None:
        return "; ".join([never_ready(timeline), *_violated(metrics)])
    found = metrics["outages"]
    finding = _outages_text(found) if found else f"No outage in {metrics['duration_s']:g} s"
    gave_up = next(timeline.select("policy", "give_up"), None)
    gave_up_text = [f"gave up at {gave_up.t_s:.1f} s"] if gave_up else []
    return "; ".join([finding, *gave_up_text, *_violated(metrics)])


def _outages_text(found: Sequence[Mapping[str, Any]]) -> str:
    waits_s = [outage["recovered_s"] for outage in found if outage["recovered_s"] is not None]
    text = f"{len(waits_s)} of {count(len(found), 'outage')} recovered"
    if len(waits_s) < len(found):
        return text
    return f"{text}, {'the longest after' if len(waits_s) > 1 else 'after'} {max(waits_s):.1f} s"


def _violated(metrics: Mapping[str, Any]) -> list[str]:
    """Name each violated invariant once, with the time of its first violation."""
    first_s: dict[str, float] = {}
    for violation in metrics["violations"]:
        first_s.setdefault(violation["invariant"], violation["t_s"])
    return [_SHORT.get(name, name).format(t_s) for name, t_s in first_s.items()]
