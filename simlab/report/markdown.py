"""A night as Markdown, short enough for a comment on a pull request."""

import math
from collections.abc import Iterable, Iterator, Sequence

from simlab.core.printable import printable
from simlab.study.night import Night, NightCell
from simlab.study.nights import Check
from simlab.study.summary import Cell as Summary
from simlab.study.words import share_text

_MOST_ROWS = 40
_MOST_REPLAYS = 3
_HEADINGS = (
    "",
    "cell",
    "sessions",
    "saved",
    "95 % within",
    "usable",
    "violations",
    "against the baseline",
)


def markdown(night: Night) -> str:
    """Return the finding, a table of the cells, those that failed first, and commands for what was worst."""
    ordered = sorted(night.cells, key=lambda cell: not _bad(night, cell))
    return "\n".join(
        [
            f"### {'🔴' if not night.passed or night.not_run else '🟢'} {_text(night.finding)}",
            "",
            *_alarms(night),
            *_changes(night),
            *_listed(night.trend_told, "📈 "),
            *_listed(night.notes),
            *_table(night, ordered[:_MOST_ROWS]),
            *_left_out(len(ordered)),
            *_replays(night, ordered),
            _foot(night),
            "",
        ]
    )


def _bad(night: Night, cell: NightCell) -> bool:
    open_ones = night.strict and any(check.verdict == "can't be told" for check in cell.checks)
    return bool(cell.alarms or cell.failures or open_ones)


def _alarms(night: Night) -> Iterator[str]:
    for cell, check in night.alarms:
        yield f"- **{_text(cell.name)}**: {_text(check.told)}"
    if night.alarms:
        yield ""


def _changes(night: Night) -> Iterator[str]:
    for cells, told in night.changes:
        yield f"- 🟡 **{_text(cells)}**: {_text(told)}"
    if night.changes:
        yield ""


def _listed(told: Sequence[str], mark: str = "") -> Iterator[str]:
    for one in told:
        yield f"- {mark}{_text(one)}"
    if told:
        yield ""


def _table(night: Night, cells: Sequence[NightCell]) -> Iterator[str]:
    yield f"| {' | '.join(_HEADINGS)} |"
    yield f"|{'---|' * len(_HEADINGS)}"
    for cell in cells:
        mark = "🔴" if _bad(night, cell) else "🟡" if cell.changed else "🟢"
        yield f"| {mark} | {_text(cell.name)} | {' | '.join(map(_text, numbers_of(cell)))} |"
    yield ""


def numbers_of(cell: NightCell) -> Iterable[str]:
    """Return what a row of a table has of a cell, from its sessions on."""
    told = against_baseline(cell.checks)
    if cell.summary is None:
        return [f"none of {len(cell.failures)}", "-", "-", "-", "-", told]
    one = cell.summary
    low, high = one.success_interval
    number = f"{one.sessions}" + (f", {len(cell.failures)} not run" if cell.failures else "")
    saved = f"{share_text(one.success, 0)} ({share_text(low, 0)} - {share_text(high, 0)})"
    stopped = f"{number}, stopped early" if cell.stopped else number
    return [stopped, saved, _within(one), share_text(one.usable_fraction), str(one.violations), told]


def _within(one: Summary) -> str:
    if math.isnan(one.p95_s):
        return "no outage"
    return f"{one.p95_s:.1f} s" if math.isfinite(one.p95_s) else "never"


def against_baseline(checks: Iterable[Check]) -> str:
    """Return in words what the comparisons with the baseline come to."""
    compared = [check for check in checks if check.kind == "comparison"]
    for verdict in ("worse", "better"):
        found = [check.what for check in compared if check.verdict == verdict]
        if found:
            return f"{verdict}: {', '.join(found)}"
    return compared[0].verdict if compared else "-"


def _left_out(number: int) -> list[str]:
    return [f"{number - _MOST_ROWS} more cells are in the study folders.", ""] if number > _MOST_ROWS else []


def _replays(night: Night, cells: Sequence[NightCell]) -> Iterator[str]:
    found = [
        printable(f"# {cell.name}: {told}\n{command}")
        for cell in cells
        if _bad(night, cell)
        for told, command in cell.replays[:_MOST_REPLAYS]
    ]
    if found:
        yield from ("The worst sessions again:", "", "```sh", *found, "```", "")


def _foot(night: Night) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in night.versions.items())
    commit = f"Commit {night.commit}. " if night.commit else ""
    chance = f"{night.alpha:.2%}".rstrip("0%").rstrip(".")
    promise = f"A night without any change fails with a chance of at most {chance} %."
    return f"<sub>{commit}{promise} {versions}.</sub>"


def _text(text: str) -> str:
    """Keep what a profile or a key is called from being read as Markdown."""
    text = printable(text)
    for letter in "\\|*_<`":
        text = text.replace(letter, f"\\{letter}")
    return text.replace("\n", " ")
