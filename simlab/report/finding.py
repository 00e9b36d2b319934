"""What a study found, in a sentence."""

import math
from collections.abc import Sequence

from simlab.report.tables import share, worse
from simlab.study.comparison import Comparison
from simlab.study.comparison_words import findings
from simlab.study.proportions import wilson_interval
from simlab.study.rows import Row
from simlab.study.summary import Cell, summarise
from simlab.study.words import count, listed


def finding(
    cells: Sequence[Cell],
    sessions: Sequence[Row],
    outages: Sequence[Row],
    comparisons: Sequence[Comparison] = (),
) -> str:
    """Say in a sentence which policy fared best and which worst, and whether that can be told apart.

    Where there is one policy, the same of the profiles, or of the first key that varies.

    Parameters
    ----------
    cells
        Of the study, from ``summarise``.
    sessions, outages
        What they were made of.
    comparisons
        Of the policies: what they cannot tell apart is not told apart here. Without any, the intervals count.
    """
    if not sessions:
        return "No session could be run."
    by = _asked(list(cells[0].labels))
    about = next((name for name in by if len({cell.labels[name] for cell in cells}) > 1), "policy")
    cells = sorted(grouped(cells, sessions, outages, [about]), key=worse)
    if not any(cell.curve.outages for cell in cells) and all(cell.success == 1.0 for cell in cells):
        in_none = "There was no outage in 1 session."
        return in_none if len(sessions) == 1 else f"In none of {len(sessions)} sessions was there an outage."
    best, worst = cells[0], cells[-1]
    if len(cells) == 1:
        return f"{_with(about, best)}, {_how(best)}."
    told = _compared(about, best, worst) + _together(about, by, sessions)
    lowered = f"{told[0].lower()}{told[1:]}"
    names = {str(cell.labels[about]) for cell in (best, worst)}
    between = [one for one in comparisons if {one.first, one.second} == names]
    if contrary := _contrary(str(best.labels[about]), between):
        return f"{contrary}; but {lowered}."
    differ = any(one.verdict != "can't be told" for one in between) if between else _apart(best, worst)
    return f"{told}." if differ else f"{len(sessions)} sessions cannot tell them apart: {lowered}."


def _contrary(best: str, between: Sequence[Comparison]) -> str:
    """Say what comparisons tell that is not in favour of the best; nothing where all that they tell is."""
    ways = {"better": "worse", "worse": "better"}
    telling = [one for one in between if one.verdict != "can't be told"]
    if all((one.verdict if one.first == best else ways.get(one.verdict)) == "better" for one in telling):
        return ""
    if len(between) == 1:
        return findings(between)[0]
    return "; ".join(
        f"on {', '.join(map(str, one.labels.values()))} {findings([one])[0]}" for one in telling
    ).replace("on ", "On ", 1)


def _together(about: str, by: Sequence[str], sessions: Sequence[Row]) -> str:
    """Say which columns are not told apart, though they vary."""
    varied = [name for name in by if name != about and len({row[name] for row in sessions}) > 1]
    if not varied:
        return ""
    taken = ["all profiles" if name == "profile" else f"all values of {name}" for name in varied]
    return f", {listed(taken)} taken together"


def grouped(
    cells: Sequence[Cell], sessions: Sequence[Row], outages: Sequence[Row], by: Sequence[str]
) -> Sequence[Cell]:
    """Return the cells of other groups; the same where those are the same, since they take time."""
    if len({tuple(cell.labels[name] for name in by) for cell in cells}) == len(cells):
        return cells
    return summarise(sessions, outages, by)


def _asked(by: Sequence[str]) -> list[str]:
    return ["policy", "profile", *(name for name in by if name not in ("policy", "profile"))]


def _with(about: str, cell: Cell) -> str:
    value = cell.labels[about]
    return {"policy": f"With {value}", "profile": f"On {value}"}.get(about, f"With {about} = {value}")


def _how(cell: Cell) -> str:
    was = "was" if cell.sessions == 1 else "were"
    saved = f"{share(cell.success)} of {count(cell.sessions, 'call')} {was} saved"
    if cell.never_came_about:
        return f"{saved}: {cell.never_came_about} never came about"
    if not cell.curve.outages:
        return f"{saved}, without any outage"
    for percent, value_s in ((95, cell.p95_s), (50, cell.median_s)):
        if math.isfinite(value_s):
            return (
                f"{saved}, and {_estimated(cell)}{percent} % of the outages were over within {value_s:.1f} s"
            )
    return f"{saved}, and fewer than half of the outages were over"


def _compared(about: str, best: Cell, worst: Cell) -> str:
    against = _with(about, worst)
    against = against[0].lower() + against[1:]
    parts = []
    if best.success != worst.success:
        parts.append(
            f"{share(best.success)} of the calls were saved, against {share(worst.success)} {against}"
        )
    parts += _times(best, worst, against)
    if not parts:
        parts.append(f"{share(best.success)} of the calls were saved, as {against}")
    return f"{_with(about, best)}, {', and '.join(parts)}"


def _times(best: Cell, worst: Cell, against: str) -> list[str]:
    if not worst.curve.outages:
        return []  # its calls never came about
    if not best.curve.outages:
        return [
            f"there was no outage in {count(best.sessions, 'session')}, against {_outages(worst)} {against}"
        ]
    for percent, ours_s, theirs_s in (
        (95, best.p95_s, worst.p95_s),
        (50, best.median_s, worst.median_s),
    ):
        over = f"{_estimated(best)}{percent} % of the outages were over within {ours_s:.1f} s"
        if math.isfinite(ours_s) and math.isfinite(theirs_s):
            return [f"{over}, against {theirs_s:.1f} s {against}"]
        if math.isfinite(ours_s) and math.isinf(theirs_s):
            return [f"{over}, which they never were {against}"]
    return ["fewer than half of the outages were over"]


def _estimated(cell: Cell) -> str:
    """Say that a share of all outages was not counted where some were still open at the end."""
    return "" if cell.curve.recovered == cell.curve.outages else "an estimated "


def _outages(cell: Cell) -> str:
    return f"{count(cell.curve.outages, 'outage')} in {count(cell.sessions, 'session')}"


def _apart(one: Cell, other: Cell) -> bool:
    """Tell whether an interval of one has nothing in common with the other's.

    Where only the other has outages, the intervals are those of the share of sessions that have one.
    """
    if other.curve.outages and not one.curve.outages:
        some = min(other.curve.outages, other.sessions)
        return wilson_interval(0, one.sessions)[1] < wilson_interval(some, other.sessions)[0]
    pairs = [
        (one.success_interval, other.success_interval),
        (one.p95_interval_s, other.p95_interval_s),
        (one.median_interval_s, other.median_interval_s),
    ]
    return any(high < other_low or other_high < low for (low, high), (other_low, other_high) in pairs)
