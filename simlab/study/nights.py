"""A night of many sessions: what was expected, what is worse than it was, and what can't be told."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from simlab.core.rng import stream
from simlab.study.alarms import draws_for, holm, p_worse, p_worse_paired
from simlab.study.expect import Expectation
from simlab.study.expected import Evidence, evidence
from simlab.study.rows import Row
from simlab.study.words import count, number_text

MEASURES: Mapping[str, tuple[str, str, int]] = {
    "success_rate": ("success rate", " %", -1),
    "down_time": ("outage per session", " s", 1),
    "usable_fraction": ("usable fraction", " %", -1),
    "attempts": ("attempts per session", "", 1),
    "violations": ("violations per session", "", 1),
}
"""Of each measure its name, its unit, and 1 where higher is worse, -1 where lower is."""

Verdict = Literal["met", "failed", "can't be told", "same", "worse", "better", "no baseline"]


@dataclass(frozen=True)
class Sample:
    """The numbers of the sessions of a cell that comparisons need.

    Parameters
    ----------
    seeds
        Of each session.
    values
        Of each measure, a value for each session.
    """

    seeds: tuple[int, ...]
    values: Mapping[str, tuple[float, ...]]


def sample_of(sessions: Iterable[Row], outages: Iterable[Row]) -> Sample:
    """Return the numbers of the sessions of a cell, in their order.

    ``down_time`` is the seconds of all outages of a session together; one that was not over counts to the
    end of the session, so its mean is a restricted mean, and needs no model of what came after. A client that
    was never ready was down all the time.
    """
    rows = list(sessions)
    down_s: dict[int, float] = {}
    for row in outages:
        down_s[row["session"]] = down_s.get(row["session"], 0.0) + row["waited_s"]
    down_s |= {row["session"]: row["duration_s"] for row in rows if row["connect_bot_ready_s"] is None}
    values = {
        "success_rate": tuple(float(row["succeeded"]) for row in rows),
        "down_time": tuple(round(down_s.get(row["session"], 0.0), 6) for row in rows),
        "usable_fraction": tuple(float(row["usable_fraction"]) for row in rows),
        "attempts": tuple(float(row["attempts_ice_restarts"] + row["attempts_recreations"]) for row in rows),
        "violations": tuple(float(row["violations"]) for row in rows),
    }
    return Sample(tuple(row["seed"] for row in rows), values)


@dataclass(frozen=True)
class Group:
    """The sessions of one cell of a night, and what they are held against.

    Parameters
    ----------
    labels
        Sweep, profile, policy and the keys that vary.
    before
        The baseline; None where there is none.
    expectations
        Each with the confidence that a verdict needs.
    changed
        What was other in the baseline, and what becomes of the comparison.
    """

    labels: Mapping[str, Any]
    sessions: Sequence[Row]
    outages: Sequence[Row]
    sample: Sample
    before: Sample | None
    expectations: Sequence[tuple[Expectation, float]]
    changed: str = ""


@dataclass(frozen=True)
class Rules:
    """How a night is judged.

    Parameters
    ----------
    alpha
        The chance of any false alarm.
    measures
        What is compared with the baseline.
    tolerance
        What a measure may be worse by.
    """

    alpha: float
    measures: Sequence[str]
    tolerance: Mapping[str, float]


@dataclass(frozen=True)
class Check:
    """What became of one expectation or comparison of a cell.

    Parameters
    ----------
    measure
        A metric of ``[expect]`` for an expectation, a key of ``MEASURES`` for a comparison.
    p
        The p-value of the hypothesis that nothing is wrong; None where nothing was tested.
    told
        A sentence.
    """

    labels: Mapping[str, Any]
    kind: Literal["expectation", "comparison"]
    measure: str
    what: str
    verdict: Verdict
    p: float | None
    told: str

    @property
    def alarms(self) -> bool:
        """Whether the data speak against it."""
        return self.verdict in ("failed", "worse")


def tests_of(group: Group, rules: Rules) -> int:
    """Return how many tests a cell takes part with, whether or not all can be made."""
    return len(group.expectations) + len(rules.measures)


def judge(groups: Sequence[Group], rules: Rules, tests: int | None = None) -> list[Check]:
    """Judge the cells of a sweep together: any false alarm comes with a chance of ``rules.alpha`` at most.

    Parameters
    ----------
    tests
        How many tests share alpha, where that is more than those of these groups.
    """
    made = sum(tests_of(group, rules) for group in groups)
    wanted = max(made, tests or 0)
    most = draws_for(wanted, rules.alpha)
    weighed = [(group, *_weighed(group, rules, most)) for group in groups]
    p_values = [p for _, found, compared in weighed for p in _p_values(found, compared)]
    rejected = iter(holm(p_values + [1.0] * (wanted - made), rules.alpha))
    checks: list[Check] = []
    for group, found, compared in weighed:
        for (expectation, confidence), one in zip(group.expectations, found, strict=True):
            checks.append(_expected(group, expectation, confidence, one, next(rejected)))
        for measure, two in zip(rules.measures, compared, strict=True):
            checks.append(_compared(group, measure, two, next(rejected), rules.alpha / wanted))
    return checks


@dataclass(frozen=True)
class Comparison:
    """A measure tonight and before.

    Parameters
    ----------
    pairs
        How many sessions have the same seed in both; 0 where two groups of different seeds were compared.
    """

    tonight: float
    before: float
    pairs: int
    number_before: int
    worse: float
    better: float


def _weighed(group: Group, rules: Rules, most: int) -> tuple[list[Evidence], list[Comparison | None]]:
    found = [evidence(one, group.sessions, group.outages) for one, _ in group.expectations]
    return found, [compare(group, name, rules.tolerance.get(name, 0.0), most) for name in rules.measures]


def _p_values(found: Sequence[Evidence], compared: Sequence[Comparison | None]) -> list[float]:
    return [one.against for one in found] + [1.0 if two is None else two.worse for two in compared]


def compare(group: Group, measure: str, tolerated: float, most: int) -> Comparison | None:
    """Compare a measure with the baseline, seed by seed where the seeds are the same; None without one."""
    before, now = group.before, group.sample
    if before is None or not before.seeds or not now.seeds:
        return None
    worse_sign = MEASURES[measure][2]
    draws = stream(0, "nightly", *(str(value) for value in group.labels.values()), measure)
    old = dict(zip(before.seeds, before.values[measure], strict=True))
    new = dict(zip(now.seeds, now.values[measure], strict=True))
    pairs = [(new[seed], old[seed]) for seed in new if seed in old]
    if pairs:
        tonight, earlier = (np.array(side) for side in zip(*pairs, strict=True))
        more = worse_sign * (tonight - earlier)
        chances = [p_worse_paired(sign * more - tolerated, draws, most) for sign in (1, -1)]
    else:
        tonight, earlier = np.array(now.values[measure]), np.array(before.values[measure])
        sides = ((worse_sign * tonight, worse_sign * earlier), (-worse_sign * tonight, -worse_sign * earlier))
        chances = [p_worse(one, other, draws, most, tolerated) for one, other in sides]
    return Comparison(
        float(tonight.mean()), float(earlier.mean()), len(pairs), len(earlier), chances[0], chances[1]
    )


def _expected(
    group: Group, expectation: Expectation, confidence: float, one: Evidence, rejected: bool
) -> Check:
    verdict: Verdict = "can't be told"
    if rejected and one.against <= 1 - confidence:
        verdict = "failed"
    elif one.speaks_for <= 1 - confidence:
        verdict = "met"
    unit = _UNITS.get(expectation.metric, "")
    told = f"{expectation.text}: {verdict} ({_number(one.measured, unit)} in {len(group.sessions)} sessions)"
    return Check(
        group.labels, "expectation", expectation.metric, expectation.text, verdict, one.against, told
    )


def _compared(group: Group, measure: str, two: Comparison | None, rejected: bool, level: float) -> Check:
    name, unit, _ = MEASURES[measure]
    if two is None:
        told = f"{name}: no baseline" + (f", {group.changed}" if group.changed else "")
        return Check(group.labels, "comparison", measure, name, "no baseline", None, told)
    verdict: Verdict = "worse" if rejected else "better" if two.better <= level else "same"
    numbers = f"{len(group.sample.seeds)} sessions against {two.number_before}"
    sides = count(two.pairs, "seed") if two.pairs else numbers
    told = (
        f"{name}: {_verb(verdict)} {_number(two.tonight, unit)} against {_number(two.before, unit)} "
        f"({sides}, p = {two.worse:.2g})"
    )
    return Check(group.labels, "comparison", measure, name, verdict, two.worse, told)


def _verb(verdict: Verdict) -> str:
    return {"same": "not worse,"}.get(verdict, f"{verdict},")


_UNITS = {"success_rate": " %", "usable_fraction": " %", "recovery_p95": " s", "connect_s": " s"}
"""Of what is expected; the others are counts."""


def _number(value: float, unit: str) -> str:
    if math.isnan(value):
        return "nothing"
    shown = 100 * value if unit == " %" else value
    return f"{number_text(shown)}{unit}" if math.isfinite(value) else "never"
