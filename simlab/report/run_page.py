"""A session as a page."""

from collections.abc import Mapping, Sequence
from typing import Any

from simlab.report.page import render
from simlab.report.tables import NONE, Group, Row, Table, Value
from simlab.report.values import Page, Picture, Replay
from simlab.study.words import share_text

_TIMES = ("began_s", "detected_s", "first_attempt_s", "recovered_s", "after_heal_s")


def run_page(name: str, replay: Replay, metrics: Mapping[str, Any]) -> str:
    """Return a session as an HTML page that needs nothing else: the same text for the same session."""
    facts = [(key.capitalize(), str(metrics[key])) for key in ("profile", "policy", "seed", "clock")]
    usable = f"{share_text(metrics['usable_fraction'])} of {metrics['duration_s']:g} s".replace("%", " %")
    return render(
        Page(
            title=name,
            finding=f"{replay.headline}.",
            facts=[*facts, ("Usable", usable), ("Violations", str(len(metrics["violations"])))],
            command=replay.command,
            pictures=[Picture(replay.svg, "Timeline")],
            tables=[_outages(metrics["outages"])] if metrics["outages"] else [],
            told=replay.account,
        )
    )


def _outages(outages: Sequence[Mapping[str, Any]]) -> Table:
    return Table(
        "Outages",
        ["outage"],
        [
            "began",
            "noticed after",
            "first attempt",
            "recovered",
            "after heal",
            "attempts",
            "fault",
            "outcome",
        ],
        [Group("", [_outage(number, outage) for number, outage in enumerate(outages, 1)])],
        "Began: since the session began; the other times: since the outage did. After heal: since the "
        "network was good again. Fault: its number in the profile.",
    )


def _outage(number: int, outage: Mapping[str, Any]) -> Row:
    times = [NONE if (value := outage[name]) is None else f"{value:.1f} s" for name in _TIMES]
    cause = NONE if outage["cause"] is None else str(outage["cause"])
    outcome = outage["outcome"].replace("_", " ")
    return Row([str(number)], [Value(text) for text in (*times, str(outage["attempts"]), cause, outcome)])
