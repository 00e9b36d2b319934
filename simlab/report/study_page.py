"""A study as a page."""

from collections.abc import Sequence
from functools import partial

from simlab.report.comparisons import comparisons_table
from simlab.report.finding import finding, grouped
from simlab.report.page import render
from simlab.report.svg import inline_svg
from simlab.report.tables import Table, cells_table
from simlab.report.values import Found, Page, Picture, Replay, Session
from simlab.report.worst import Worst
from simlab.study.recovery_plot import finding as drawn_finding
from simlab.study.recovery_plot import plot_recovery
from simlab.study.rows import Row
from simlab.study.summary import Cell, summarise
from simlab.study.words import set_text

_LABELS = ("session", "profile", "policy", "seed")


def study_page(found: Found) -> str:
    """Return a study as an HTML page that needs nothing else: the same text for the same study."""
    cells = summarise(found.sessions, found.outages, found.by)
    return render(
        Page(
            title=found.name,
            finding=finding(cells, found.sessions, found.outages, found.comparisons),
            facts=_facts(found),
            command=found.command,
            pictures=_pictures(found, cells),
            tables=_tables(found, cells),
            sessions=[_session(found, worst, replay) for worst, replay in found.worst],
            sessions_note=_which(found),
        )
    )


def _tables(found: Found, cells: Sequence[Cell]) -> list[Table]:
    tables = [cells_table(cells)] if cells else []
    return [*tables, comparisons_table(found.comparisons)] if found.comparisons else tables


def _facts(found: Found) -> list[tuple[str, str]]:
    rows = [*found.sessions, *found.failures]
    facts = {
        "Sessions": str(len(rows)),
        "Profiles": _named(rows, "profile"),
        "Policies": _named(rows, "policy"),
        "Seeds": str(len({row["seed"] for row in rows})),
        **{f"{name}": _named(rows, name) for name in found.by[2:]},
        "Set": set_text(found.overrides),
        "Note": "; ".join(found.notes),
        "Outages": str(len(found.outages)),
        "Violations": str(sum(row["violations"] for row in found.sessions)),
        "Could not be run": str(len(found.failures)) if found.failures else "",
        "Clock": " and ".join(sorted({row["clock"] for row in found.sessions})),
    }
    return [(name, value) for name, value in facts.items() if value]


def _named(rows: Sequence[Row], column: str) -> str:
    values = list(dict.fromkeys(str(row[column]) for row in rows))
    few = len(values) <= _MOST_NAMED
    return ", ".join(values) if few else f"{len(values)}, from {values[0]} to {values[-1]}"


_MOST_NAMED = 8


def _pictures(found: Found, cells: Sequence[Cell]) -> list[Picture]:
    """Draw how soon outages are over, a picture for each profile."""
    profiles: dict[str, list[Cell]] = {}
    for cell in grouped(cells, found.sessions, found.outages, ["profile", "policy"]):
        if cell.curve.outages:
            profiles.setdefault(cell.labels["profile"], []).append(cell)
    return [_recovery(number, *profile) for number, profile in enumerate(profiles.items(), 1)]


def _recovery(number: int, profile: str, cells: Sequence[Cell]) -> Picture:
    said = f"How soon outages of {profile} are over. {drawn_finding(cells)}".replace("\n", " ")
    return Picture(inline_svg(partial(plot_recovery, cells), f"recovery-{number}", said), profile)


def _session(found: Found, worst: Worst, replay: Replay) -> Session:
    row = worst.row
    names = [(name, str(row[name])) for name in (*_LABELS[1:], *found.by[2:])]
    return Session(row["session"], names, worst.what, replay)


def _which(found: Found) -> str:
    if not found.worst:
        return "No session had an outage, violated anything or failed."
    if not any(replay.svg for _, replay in found.worst):
        opened = "Each opens to the command that runs it again, and simlab report draws their timelines here."
    else:
        opened = "Each opens to what happened in it, and to the command that runs it again."
    return (
        f"{len(found.worst)} of {len(found.sessions) + len(found.failures)}, the worst first, of every "
        f"profile and policy in turn. {opened}"
    )
