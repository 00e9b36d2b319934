"""Print comparisons for people."""

import math
from collections.abc import Sequence

from rich.console import RenderableType
from rich.text import Text

from simlab.batch.compare import Compared
from simlab.cli.tables import table_of
from simlab.study.comparison import Comparison
from simlab.study.comparison_words import NAMES, change_finding, difference_text, findings, turned
from simlab.study.measures import DECIDING
from simlab.study.words import count, set_text

_STYLES = {"better": "green", "worse": "red", "mixed": "yellow", "can't be told": "dim"}
_WORDS = {
    "better": "is better than",
    "worse": "is worse than",
    "mixed": "is both, against",
    "can't be told": "can't be told from",
}
_MOST_ROWS = 30


def comparisons(found: Sequence[Comparison]) -> list[RenderableType]:
    """Return a table of comparisons, and the sentences that say the finding."""
    if not found:
        return []
    telling = [name for name in found[0].labels if len({str(one.labels[name]) for one in found}) > 1]
    table = table_of(*telling, "", "", "", *(NAMES[name] for name in DECIDING), "seeds", "would tell")
    for one in found[:_MOST_ROWS]:
        table.add_row(
            *(str(one.labels[name]) for name in telling),
            one.first,
            Text(_WORDS[one.verdict], style=_STYLES[one.verdict]),
            one.second,
            *(difference_text(one.measures[name]) for name in DECIDING),
            str(one.seeds),
            "-" if one.seeds_needed is None else f"{one.seeds_needed:,}",
        )
    more = len(found) - _MOST_ROWS
    rest: list[RenderableType] = (
        [Text(f"{more} more {'is' if more == 1 else 'are'} in summary.json", style="dim")] if more > 0 else []
    )
    paired = "paired by seed, " if all(one.paired for one in found) else ""
    note = f"first minus second, {paired}with 95 % intervals; verdicts at 5 % for all comparisons together"
    sentences = [Text(f"{sentence}.", style="bold") for sentence in findings(found)]
    return [table, *rest, Text(note, style="dim"), "", *sentences]


def changes(found: Compared) -> list[RenderableType]:
    """Return a table of what became of each cell of two studies, and the sentences that say the finding."""
    by = list(found.cells[0].comparison.labels)
    telling = [name for name in by if len({str(one.comparison.labels[name]) for one in found.cells}) > 1]
    telling = telling or by
    table = table_of(*telling, "", *(NAMES[name] for name in DECIDING), "95 % within", "sessions", "")
    for one in found.cells:
        broken = one.regressions(found.tolerance)
        table.add_row(
            *(str(one.comparison.labels[name]) for name in telling),
            Text(one.verdict, style=_STYLES[one.verdict]),
            *(difference_text(turned(one.comparison.measures[name])) for name in DECIDING),
            f"{_seconds(one.before.p95_s)} -> {_seconds(one.after.p95_s)}",
            _counts(one.comparison),
            Text(f"regression: {', '.join(broken)}" if broken else "", style="bold red"),
        )
    note = "after minus before, with 95 % intervals; verdicts at 5 % for all comparisons together"
    left = [
        Text(f"Only {when} there was: {', '.join(names)}.", style="dim")
        for when, names in (("before", found.only_before), ("after", found.only_after))
        if names
    ]
    return [
        table,
        Text(note, style="dim"),
        *left,
        *_set(found),
        "",
        Text(change_finding(found.cells), style="bold"),
    ]


def _set(found: Compared) -> list[RenderableType]:
    """Say which keys were set in the sessions of each study."""
    before, after = set_text(found.set_before), set_text(found.set_after)
    if before == after:
        return [Text(f"Set in both: {before}", style="dim")] if before else []
    return [Text(f"Set before: {before or 'nothing'}; after: {after or 'nothing'}", style="bold")]


def _counts(one: Comparison) -> str:
    before, after = one.sessions
    return count(before, "pair") if one.paired else f"{before}, {after}"


def _seconds(value_s: float) -> str:
    if math.isnan(value_s):
        return "-"
    return "never" if math.isinf(value_s) else f"{value_s:.1f} s"
