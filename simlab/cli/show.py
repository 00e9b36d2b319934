"""Print runs for people."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import click
from rich.console import Console, ConsoleOptions, RenderableType
from rich.padding import Padding
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from simlab.batch.result import Run
from simlab.cli import show_clients
from simlab.cli.tables import seconds, table_of
from simlab.core.printable import printable
from simlab.core.timeline import Event
from simlab.study.words import count, number_text, share_text

_WIDEST = 110


class _Printable(Console):
    """A console whose terminal obeys nothing that a text says: what rich adds is all that it does."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        """Escape control characters as soon as a text is in pieces."""
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else printable(text), style, control)


def echo(*parts: RenderableType) -> None:
    """Print on stdout, as wide as a terminal is; where it is none, lines are as long as they are."""
    shown = _Printable(file=sys.stdout, highlight=False)
    shown.width = min(shown.width, _WIDEST) if shown.is_terminal else 10_000
    with shown.capture() as captured:
        for part in parts:
            shown.print(part)
    click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))


def say_notes(notes: Iterable[str]) -> None:
    """Print on stderr what is to be known of what the user asked for."""
    for note in notes:
        click.echo(f"Note: {printable(note)}", err=True)


def _indented(part: RenderableType) -> Padding:
    return Padding(part, (0, 0, 0, 2), expand=False)


def run(finished: Run) -> None:
    """Print one session: its account, its numbers, where it is and how long it took."""
    metrics = finished.metrics
    inside: list[RenderableType] = [Text(line, style=_style(line)) for line in finished.account()]
    inside += [_expectation(one) for one in metrics["expectations"]]
    if "storm" in metrics:
        inside += [Text(), *show_clients.worst(metrics)]
    elif metrics["outages"]:
        inside += [Text(), _outages(metrics)]
    inside += [Text(), _numbers(metrics)]
    echo(
        Text(str(finished.scenario), style="bold"),
        *map(_indented, inside),
        "",
        Text(f"{finished.folder}", style="cyan"),
        took(finished.timeline.duration_s, metrics["wall_s"]) + ".",
        "",
    )


def took(session_s: float, wall_s: float) -> str:
    """Say how long a session took: ``"120 s of session in 2.1 s, 57 x faster than life"``."""
    text = f"{number_text(session_s)} s of session in {wall_s:.1f} s"
    faster = session_s / wall_s if wall_s > 0 else 0.0
    return f"{text}, {faster:.0f} x faster than life" if faster >= 1.5 else text


def _style(sentence: str) -> str:
    return "bold red" if sentence.startswith(("Violated", "The session failed")) else ""


def _expectation(one: Mapping[str, Any]) -> Text:
    measured = "never" if one["measured"] is None else number_text(one["measured"])
    if one["held"]:
        return Text(f"Expected {one['expect']}: held ({measured}).", style="green")
    return Text(f"Expected {one['expect']}: did not hold ({measured}).", style="bold red")


def _outages(metrics: Mapping[str, Any]) -> Table:
    table = table_of(
        "outage", "began", "fault", "noticed after", "first attempt", "recovered", "after heal", "outcome"
    )
    for number, outage in enumerate(metrics["outages"], 1):
        times = (outage[key] for key in ("detected_s", "first_attempt_s", "recovered_s", "after_heal_s"))
        cause = "-" if outage["cause"] is None else str(outage["cause"])
        outcome = outage["outcome"].replace("_", " ")
        table.add_row(str(number), seconds(outage["began_s"]), cause, *map(seconds, times), outcome)
    return table


def _numbers(metrics: Mapping[str, Any]) -> Table:
    table = table_of("", "up", "down")
    ways = ("up", "down")
    messages, media, video, links = (metrics[name] for name in ("messages", "media", "video", "links"))
    table.add_row(
        "messages delivered", *(f"{messages[w]['delivered']} of {messages[w]['sent']}" for w in ways)
    )
    if any(media[way]["sent"] for way in ways):
        table.add_row("media heard", *(_heard(media[way]) for way in ways))
    if any(video[way]["sent"] for way in ways):
        table.add_row("video seen", *(_heard(video[way]) for way in ways))
    table.add_row("packets delivered", *(f"{links[w]['delivered']} of {links[w]['offered']}" for w in ways))
    table.add_row("packets dropped", *(_by_cause(links[way]["dropped"]) for way in ways))
    if any(links[way]["added"] for way in ways):
        table.add_row("packets added", *(_by_cause(links[way]["added"]) for way in ways))
    if any(links[way]["corrupted"] for way in ways):
        table.add_row("packets corrupted", *(str(links[way]["corrupted"]) for way in ways))
    if beyond := metrics["beyond_links"]["dropped"]:
        table.add_row("dropped beyond the links", "", _by_cause(beyond))
    return table


def _heard(media: Mapping[str, Any]) -> str:
    end = "alive at the end" if media["alive_at_end"] else "dead at the end"
    return f"{end}, longest gap {media['longest_gap_s']:.1f} s"


def _by_cause(causes: Mapping[str, int]) -> str:
    return ", ".join(f"{cause} {n}" for cause, n in causes.items()) or "none"


def summary(runs: Sequence[Run], wanted: int) -> None:
    """Print a row for each session."""
    table = table_of(
        "profile",
        "policy",
        "seed",
        "ready",
        "outages",
        "recovered",
        "longest",
        "usable",
        "violations",
        "result",
    )
    for finished in runs:
        table.add_row(*_row(finished))
    echo(Text(f"{len(runs)} of {count(wanted, 'session')}", style="bold"), _indented(table))


def _row(finished: Run) -> Iterable[str]:
    metrics, scenario = finished.metrics, finished.scenario
    waits_s = [one["recovered_s"] for one in metrics["outages"] if one["recovered_s"] is not None]
    yield from (scenario.profile.name, scenario.policy_told, str(scenario.seed))
    yield seconds(metrics["connect"]["bot_ready_s"])
    yield from (str(len(metrics["outages"])), str(len(waits_s)), seconds(max(waits_s, default=None)))
    yield share_text(metrics["usable_fraction"])
    yield str(len(metrics["violations"]))
    yield _result(finished.failed, len(finished.unmet))


def _result(failed: Event | None, unmet: int) -> str:
    if failed is not None:
        return f"failed ({failed['stage']})"
    return f"{unmet} not as expected" if unmet else "done"
