"""Two sides compared, session by session: what is better, what is worse, and what can't be told."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, Literal

from simlab.study.measures import DECIDING, Measured, measured
from simlab.study.rows import Row
from simlab.study.sides import Key, Side
from simlab.study.signs import holm

Verdict = Literal["better", "worse", "mixed", "can't be told"]

LEVEL = 0.05
POWER = 0.8


@dataclass(frozen=True, repr=False)
class Comparison:
    """One side against another, in one part of a study.

    Parameters
    ----------
    labels
        Which part: the profile, say, by column.
    first, second
        What the sides are called. All differences are the first's value minus the second's.
    paired
        Whether each session of one side was set against that of the same seed on the other.
    sessions
        How many sessions of each side went in.
    seeds
        How many seeds there are: sessions of one seed are not independent of each other.
    measures
        By name: those of ``DECIDING``, which a session has, and ``mean_outage_s`` and ``recovery_curve``,
        which only outages have, and which do not decide, since the sides need not have the same outages.
    """

    labels: Mapping[str, Any]
    first: str
    second: str
    paired: bool
    sessions: tuple[int, int]
    seeds: int
    measures: Mapping[str, Measured]

    @property
    def verdict(self) -> Verdict:
        """What the first is, against the second, after the correction for many comparisons.

        Better (worse) if it is in one of the deciding measures, and not the reverse in another; then it is
        mixed.
        """
        return _together([self.measures[name].verdict for name in DECIDING])

    @property
    def seeds_needed(self) -> int | None:
        """How many seeds would tell both apart in 80 % of the studies, if they differ as much as seen.

        That of the measure that needs the fewest, at the level that is left after the correction. None if
        they do not differ, or for sides that are not paired.
        """
        found = [self.measures[name].seeds_needed for name in DECIDING]
        return min((number for number in found if number is not None), default=None)

    def __repr__(self) -> str:
        from simlab.study.comparison_words import findings

        return f"<{': '.join([*map(str, self.labels.values()), findings([self])[0]])}>"


def _together(verdicts: Sequence[str]) -> Verdict:
    if "better" in verdicts and "worse" in verdicts:
        return "mixed"
    if "better" in verdicts:
        return "better"
    return "worse" if "worse" in verdicts else "can't be told"


def compare_groups(
    sessions: Sequence[Row], outages: Sequence[Row], by: Sequence[str], between: str = "policy"
) -> list[Comparison]:
    """Compare the policies of a study, each with each that comes after it, profile by profile.

    A session is paired with that of the same seed, and of the same values of what varies. Seeds count as
    independent, the values of what varies do not.

    Parameters
    ----------
    sessions, outages
        As ``study.rows`` makes them.
    by
        The columns that tell the cells of the study apart, such as profile, policy and the keys that vary.
    between
        The column that is compared.

    Returns
    -------
    list of Comparison
        Corrected for all of them together.
    """
    within = [name for name in by if name == "profile" and name != between]
    key = ["seed", *(name for name in by if name not in (*within, between, "seed"))]
    groups = _grouped(sessions, outages, within, between)
    found = [
        compared(dict(zip(within, labels, strict=True)), (one, sides[one]), (other, sides[other]), key)
        for labels, sides in groups.items()
        for one, other in combinations(sides, 2)
    ]
    return corrected(found)


def _grouped(
    sessions: Sequence[Row], outages: Sequence[Row], within: Sequence[str], between: str
) -> dict[Key, dict[str, Side]]:
    found: dict[Key, dict[str, tuple[list[Row], list[Row]]]] = {}
    for place, rows in enumerate((sessions, outages)):
        for row in rows:
            group = found.setdefault(tuple(row[name] for name in within), {})
            group.setdefault(str(row[between]), ([], []))[place].append(row)
    return {key: {name: Side(*rows) for name, rows in group.items()} for key, group in found.items()}


def compared(
    labels: Mapping[str, Any], first: tuple[str, Side], second: tuple[str, Side], key: Sequence[str]
) -> Comparison:
    """Compare two sides, before any correction.

    Parameters
    ----------
    first, second
        The name of each side, and its rows.
    key
        The columns that sessions are paired by. They are paired if at least half of the smaller side has a
        counterpart, and what has none is left out; else the sides are taken for independent.
    """
    (name, one), (other_name, other) = first, second
    matched = one.keys(key) & other.keys(key)
    paired = bool(matched) and 2 * len(matched) >= min(len(one.keys(key)), len(other.keys(key)))
    if paired:
        one, other = one.only(key, matched), other.only(key, matched)
    measures = measured(one, other, key, paired=paired)
    seeds = len(one.seeds & other.seeds) if paired else min(len(one.seeds), len(other.seeds))
    count = (len(one.sessions), len(other.sessions))
    return Comparison(labels, name, other_name, paired, count, seeds, measures)


def corrected(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """Correct comparisons for how many there are, by Holm's method over all measures of all of them."""
    flat = [(number, name) for number, one in enumerate(comparisons) for name in one.measures]
    # Where nothing differs there is no test, so it takes no level from the others (Tarone 1990).
    tested = [place for place in flat if _of(comparisons, place).differs]
    found = dict(zip(tested, holm([_of(comparisons, place).p for place in tested]).tolist(), strict=True))
    alone = LEVEL / max(1, len(tested))
    return [
        replace(
            one,
            measures={
                name: measure.decided(found.get((number, name), 1.0), LEVEL, alone, POWER)
                for name, measure in one.measures.items()
            },
        )
        for number, one in enumerate(comparisons)
    ]


def _of(comparisons: Sequence[Comparison], place: tuple[int, str]) -> Measured:
    return comparisons[place[0]].measures[place[1]]


def comparison_json(one: Comparison) -> dict[str, Any]:
    """Return a comparison as summary.json has it: what is infinite or unknown is null."""
    return {
        **one.labels,
        "first": one.first,
        "second": one.second,
        "verdict": one.verdict,
        "paired": one.paired,
        "sessions": list(one.sessions),
        "seeds": one.seeds,
        "seeds_needed": one.seeds_needed,
        "measures": {name: _measure_json(measure) for name, measure in one.measures.items()},
    }


def _measure_json(one: Measured) -> dict[str, Any]:
    return {
        "first": _or_none(one.first),
        "second": _or_none(one.second),
        "difference": _or_none(one.difference),
        "interval": [_or_none(end) for end in one.interval],
        "effect": _or_none(one.effect),
        "p": one.p,
        "p_corrected": one.p_corrected,
        "verdict": one.verdict,
        "seeds_needed": one.seeds_needed,
    }


def _or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None
