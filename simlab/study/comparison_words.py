"""Comparisons in plain sentences."""

import math
from collections.abc import Sequence
from dataclasses import replace

from simlab.study.cells_compared import CellCompared
from simlab.study.comparison import Comparison
from simlab.study.measures import DECIDING, Measured
from simlab.study.words import count, listed, share_text

NAMES = {
    "success_rate": "calls saved",
    "usable_fraction": "usable time",
    "longest_outage_s": "longest outage",
    "mean_outage_s": "mean outage",
    "recovery_curve": "recovery curve",
}
_TURNED = {"better": "worse", "worse": "better"}
_MOST_TOLD = 3


def findings(comparisons: Sequence[Comparison]) -> list[str]:
    """Say what can be told, one sentence for each part of the study and each side that is better than others.

    Where nothing can be told, it is said how many seeds would be needed.
    """
    told: list[str] = []
    for part in dict.fromkeys(_part(one) for one in comparisons):
        inside = [one for one in comparisons if _part(one) == part]
        where = f"{part}: " if part and len({_part(one) for one in comparisons}) > 1 else ""
        told += [f"{where}{sentence}" for sentence in _sentences(inside)]
    return told


def _part(one: Comparison) -> str:
    return ", ".join(str(value) for value in one.labels.values())


def _sentences(inside: Sequence[Comparison]) -> list[str]:
    beaten: dict[str, list[str]] = {}
    for one in inside:
        if one.verdict in _TURNED:
            winner, loser = (one.first, one.second)[:: 1 if one.verdict == "better" else -1]
            beaten.setdefault(winner, []).append(loser)
    told = [
        f"{name} is better than {listed(beaten[name])}"
        for name in sorted(beaten, key=lambda n: -len(beaten[n]))
    ]
    if len(inside) == 1 and told:
        told = [f"{told[0]}: {reason(inside[0])}"]
    told += [
        f"{one.first} and {one.second} are each better in something: {reason(one)}"
        for one in inside
        if one.verdict == "mixed"
    ]
    open_ones = [one for one in inside if one.verdict == "can't be told"]
    told += [_open(one) for one in open_ones[:_MOST_TOLD]]
    if len(open_ones) > _MOST_TOLD:
        told.append(f"{count(len(open_ones) - _MOST_TOLD, 'more pair')} can't be told apart")
    return told


def _open(one: Comparison) -> str:
    apart = f"{one.first} and {one.second} can't be told apart with {count(one.seeds, 'seed')}"
    if one.seeds_needed is None:
        return f"{apart}: no difference was seen" if one.paired else apart
    return f"{apart}: about {one.seeds_needed:,} would be needed"


def reason(one: Comparison) -> str:
    """Say what the verdict rests on, the better side's value first: ``"calls saved 100 % against 0 %"``."""
    telling = [m for name in DECIDING if (m := one.measures[name]).verdict != "can't be told"]
    told = [turned(measure) for measure in telling] if one.verdict == "worse" else telling
    return listed([values_text(measure) for measure in told]) if told else "nothing can be told"


def values_text(one: Measured) -> str:
    """Return both values of a measure: ``"longest outage 8.1 s against 17.5 s"``."""
    return f"{NAMES[one.name]} {value_text(one.name, one.first)} against {value_text(one.name, one.second)}"


def value_text(name: str, value: float) -> str:
    """Return a value with its unit."""
    if name in ("success_rate", "usable_fraction"):
        return share_text(value).replace("%", " %")
    if name == "recovery_curve":
        return f"{value:.1f}"
    return "never over" if math.isinf(value) else f"{value:.1f} s"


def difference_text(one: Measured) -> str:
    """Return a difference and its interval: ``"+12.0 points (+3.1 to +20.9)"``, ``"-1.1 s (-2.0 to 0.0)"``.

    Where one side's outages are never over and the other's are, it is just infinite.
    """
    if math.isinf(one.difference) and set(one.interval) == {one.difference}:
        return _signed(one.difference)
    if one.name in ("success_rate", "usable_fraction"):
        scale, unit = 100.0, " points"
    else:
        scale, unit = 1.0, " s"
    low, high = (_signed(scale * end) for end in one.interval)
    middle = _signed(scale * one.difference)
    return f"{middle}{'' if math.isinf(one.difference) else unit} ({low} to {high})"


def _signed(value: float) -> str:
    if math.isinf(value):
        return "+∞" if value > 0 else "-∞"
    return f"{0.0 if abs(value) < 0.05 else value:+.1f}".replace("+0.0", "0.0")


def turned(one: Measured) -> Measured:
    """Return a measure with its sides exchanged, such as after minus before."""
    low, high = one.interval
    return replace(
        one, first=one.second, second=one.first, difference=-one.difference, interval=(-high, -low)
    )


def change_finding(cells: Sequence[CellCompared]) -> str:
    """Say in a sentence what became of the cells of two studies."""
    told = []
    for verdict in ("worse", "better", "mixed"):
        names = [name for name, one in zip(cell_names(cells), cells, strict=True) if one.verdict == verdict]
        if names:
            more = f" and {len(names) - _MOST_TOLD} more" if len(names) > _MOST_TOLD else ""
            shown = ", ".join(names[:_MOST_TOLD]) if more else listed(names)
            told.append(f"{'both better and worse' if verdict == 'mixed' else verdict}: {shown}{more}")
    rest = sum(one.verdict == "can't be told" for one in cells)
    if rest:
        told.append(f"{rest} of {len(cells)} can't be told" if told else "no difference can be told")
    text = "; ".join(told)
    return f"{text[:1].upper()}{text[1:]}."


def cell_names(cells: Sequence[CellCompared]) -> list[str]:
    """Return what cells are called: what tells them apart, or everything where there is one only."""
    labels = [one.comparison.labels for one in cells]
    telling = [key for key in labels[0] if len({str(each[key]) for each in labels}) > 1] if labels else []
    return [" ".join(str(each[key]) for key in telling or each) for each in labels]
