"""What a cell of a night is compared with: the same cell of the nights before."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simlab.batch.parts import Part
from simlab.batch.settings import difference
from simlab.study.nights import Sample

Record = dict[str, Any]
FIXED = ("sweep", "profile", "policy")


@dataclass(frozen=True)
class Before:
    """The baseline of a cell.

    Parameters
    ----------
    sample
        Its sessions; None where there are none.
    changed
        What was other then, and what becomes of the comparison, as a sentence without its end.
    """

    sample: Sample | None
    changed: str = ""


def baseline_of(records: Sequence[Record], part: Part, nights: int) -> Before:
    """Return the sessions of the good nights of a cell, and what has changed since.

    A night that was worse is none, nor is one before the latest that was accepted, nor one of another
    network. Of the sessions of one seed the first counts: with the same seeds every night, the first night is
    the baseline for good, so that nothing creeps in.

    Parameters
    ----------
    nights
        How many nights to take at most, the latest that have new seeds.
    """
    named = [one for one in records if labels_of(one) == dict(part.labels)]
    good = [one for one in named if not one["worse"] and _is_of_network(one, part)]
    accepted = [number for number, one in enumerate(good) if one["accepted"]]
    new = _new(good[accepted[-1] if accepted else 0 :])[-nights:]
    sample = _sample([row for _, rows in new for row in rows])
    if sample is None:
        return Before(None, _why_none(records, named, part))
    return Before(sample, _policy_changed([one for one, _ in new], part))


def labels_of(record: Mapping[str, Any]) -> dict[str, str]:
    """Return what tells the cell of a record from others."""
    return {**{name: record[name] for name in FIXED}, **record["varied"]}


def missing(records: Sequence[Record], parts: Iterable[Part]) -> list[dict[str, str]]:
    """Return the labels of the cells that the night before had, and that none of these is."""
    last = max((one["night"] for one in records), default=0)
    labels = [dict(part.labels) for part in parts]
    before = [labels_of(one) for one in records if one["night"] == last]
    return [one for one in before if one not in labels]


def _is_of_network(record: Record, part: Part) -> bool:
    # Records of older versions have the hash alone.
    settings = record.get("settings", part.settings)
    return bool(record["network"] == part.network and settings == part.settings)


def _new(records: Iterable[Record]) -> list[tuple[Record, list[tuple[int, dict[str, float]]]]]:
    """Return the records that have seeds of their own, with the values of these."""
    seen: set[int] = set()
    new = []
    for one in records:
        rows = [
            (seed, {name: values[at] for name, values in one["values"].items()})
            for at, seed in enumerate(one["seeds"])
            if seed not in seen
        ]
        seen.update(one["seeds"])
        new += [(one, rows)] if rows else []
    return new


def _sample(rows: Sequence[tuple[int, Mapping[str, float]]]) -> Sample | None:
    if not rows:
        return None
    names = list(rows[0][1])
    values = {name: tuple(row[name] for _, row in rows) for name in names}
    return Sample(tuple(seed for seed, _ in rows), values)


def _why_none(records: Sequence[Record], named: Sequence[Record], part: Part) -> str:
    if not records or (named and _is_of_network(named[-1], part)):
        return ""
    begins = "not compared, a new baseline begins with this night"
    if not named:
        return f"no night before had it: {begins}"
    what = difference(named[-1].get("settings", part.settings), part.settings)
    return f"the profile has changed since night {named[-1]['night']}{in_brackets(what)}: {begins}"


def _policy_changed(records: Sequence[Record], part: Part) -> str:
    for one in reversed(records):
        then = one.get("terms", {})
        # What an older version did not have is no change.
        what = difference(then, {key: value for key, value in part.terms.items() if key in then})
        if what:
            return f"the policy has changed since night {one['night']} ({what}): compared all the same"
    return ""


def in_brackets(what: str) -> str:
    """Return what has changed, where that is known, to stand behind what is said of it."""
    return f" ({what})" if what else ""
