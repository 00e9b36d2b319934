"""Comparisons of a study as a table."""

from collections.abc import Sequence

from simlab.report.tables import NONE, Group, Row, Table, Value
from simlab.study.comparison import Comparison
from simlab.study.comparison_words import NAMES, difference_text
from simlab.study.measures import DECIDING

MOST_ROWS = 60
_VERDICTS = {"can't be told": "can't be told from", "mixed": "better and worse than"}
_NOTE = (
    "Numbers: the value of the first minus that of the second, with 95 % intervals, on the same seeds. "
    "Verdicts hold at 5 % for all comparisons of the study together. Would tell: about how many seeds would "
    "tell both apart in four of five studies, if they differ as much as was seen."
)


def comparisons_table(comparisons: Sequence[Comparison]) -> Table:
    """Return a row for each comparison, part by part of the study, those that tell something first."""
    groups: dict[str, list[Comparison]] = {}
    for one in comparisons:
        groups.setdefault(", ".join(str(value) for value in one.labels.values()), []).append(one)
    left = MOST_ROWS
    shown: list[Group] = []
    for name, group in groups.items():
        ordered = sorted(group, key=lambda one: one.verdict == "can't be told")[:left]
        left -= len(ordered)
        shown += [Group(name, [_row(one) for one in ordered])] if ordered else []
    return Table(
        "Policies compared",
        ["first", "verdict", "second"],
        [*(NAMES[name] for name in DECIDING), "seeds", "would tell"],
        shown,
        f"{_NOTE} {_more(comparisons)}".rstrip(),
    )


def _more(comparisons: Sequence[Comparison]) -> str:
    more = len(comparisons) - MOST_ROWS
    return f"{more} more {'is' if more == 1 else 'are'} in summary.json." if more > 0 else ""


def _row(one: Comparison) -> Row:
    told = [Value(difference_text(one.measures[name])) for name in DECIDING]
    needed = NONE if one.seeds_needed is None else f"{one.seeds_needed:,}"
    verdict = _VERDICTS.get(one.verdict, f"{one.verdict} than")
    return Row([one.first, verdict, one.second], [*told, Value(str(one.seeds)), Value(needed)])
