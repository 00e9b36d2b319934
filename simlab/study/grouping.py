"""Which sessions of a study share a curve in its pictures."""

from collections.abc import Sequence

from simlab.study.rows import Row
from simlab.study.words import count, listed

_MOST_CURVES = 12
_NOUNS = {"profile": ("profile", "profiles"), "policy": ("policy", "policies")}


def drawn_by(sessions: Sequence[Row], by: Sequence[str]) -> list[str]:
    """Return the columns that tell curves apart: all of ``by``, or fewer where those would be too many.

    Parameters
    ----------
    by
        What tells the cells of the study apart: profile, policy and the keys that vary.
    """
    for columns in (list(by), ["profile", "policy"]):
        if len({tuple(row[column] for column in columns) for row in sessions}) <= _MOST_CURVES:
            return columns
    return ["policy"] if _number(sessions, "policy") > 1 else ["profile"]


def together(sessions: Sequence[Row], by: Sequence[str], drawn: Sequence[str]) -> str:
    """Say what curves that ``drawn`` tells apart have in them: ``"12 profiles together"``, or nothing."""
    merged = {column: _number(sessions, column) for column in by if column not in drawn}
    told = [_words(column, number) for column, number in merged.items() if number > 1]
    return f"{listed(told)} together" if told else ""


def _number(sessions: Sequence[Row], column: str) -> int:
    return len({row[column] for row in sessions})


def _words(column: str, number: int) -> str:
    if column in _NOUNS:
        return f"{number} {_NOUNS[column][number > 1]}"
    return f"{count(number, 'value')} of {column}"
