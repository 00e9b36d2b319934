"""A night that is in the trend, but was killed before its studies had their names."""

from collections.abc import Sequence
from pathlib import Path

from simlab import store
from simlab.batch.baseline import Record
from simlab.batch.resume import NIGHT


def night_named(number: int, suite: str, commit: str | None) -> str:
    """Say which night a study is of: another number may mean other seeds, another commit other code."""
    return f"night {number} of {suite}" + (f" at {commit}" if commit else "")


def is_left(out: Path, suite: str, commit: str | None, last: Sequence[Record]) -> bool:
    """Tell whether the last night of a trend was killed between its records and the names of its studies.

    Then a study of it is there that is unfinished, though it has every session that was counted, and none
    beside it is finished. One that was cut short before, with another night of that number after it, is not.

    Parameters
    ----------
    last
        The records of that night; without any, there is none.

    Raises
    ------
    InvalidInputError
        If a study of it is damaged.
    """
    if not last:
        return False
    night = night_named(last[0]["night"], suite, commit)
    return any(
        _is_whole(out, f"{suite}-{sweep}", night, [one for one in last if one["sweep"] == sweep])
        for sweep in dict.fromkeys(one["sweep"] for one in last)
    )


def _is_whole(out: Path, name: str, night: str, counted: Sequence[Record]) -> bool:
    sessions = sum(len(one["seeds"]) + one.get("failures", 0) for one in counted)
    left = [
        folder
        for folder in store.unfinished_studies(out, f"-{name}")
        if _night_of(folder) == night and len(store.journal(folder)[0]) >= sessions
    ]
    return bool(left) and not finished(out, name, night)


def finished(out: Path, name: str, night: str) -> bool:
    """Tell whether a study of that name and night is finished."""
    # Of two folders of one name, the second has a number at its end.
    folders = (*out.glob(f"*-{name}"), *out.glob(f"*-{name}-[0-9]*"))
    return any(not store.is_unfinished(folder) and _night_of(folder) == night for folder in folders)


def _night_of(folder: Path) -> object:
    return store.load_study(folder, ()).matrix.get(NIGHT) if store.is_study(folder) else None
