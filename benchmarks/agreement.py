"""Does a session take as long under the virtual clock as in real time, but for what is computed?

Two peers connect over links with loss, again and again: under the virtual clock, in real time, and under the
virtual clock without its dither. The time until the data channel is open is compared by the tests of
Kolmogorov and Smirnov and of Mann and Whitney. Run it with ``make agreement``, or
``python -m benchmarks.agreement [FILE.json] [SESSIONS]``; it exits with 1 if the clocks differ. Whether the
virtual clock is biased without its dither is printed as well. Nothing else may run beside it.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table
from scipy import stats

from benchmarks.opening import LIMIT_S, real_s, scenario, virtual_s
from simlab.study.signs import holm
from simlab.study.unpaired import cliffs_delta, rank_p

LEVEL = 0.01
LOSSES = (0.1, 0.3)
DELAY_S = 0.02
SESSIONS = 600
GAP_S = 0.12
VIRTUAL_TIMES = 2
# What is computed takes no time under the virtual clock. When the channel opens is a matter of round trips
# and of timers, which lie further apart than this; what is computed in between takes less.
RESOLUTION_S = 0.1
CLOCKS = "virtual, real"
UNDITHERED = "virtual without dither, real"

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Compared:
    """Two samples of the same cell: how far they are apart, and whether by more than chance."""

    loss_chance: float
    what: str
    counts: tuple[int, int]
    medians_s: tuple[float, float]
    within_half_s: tuple[float, float]
    ks_d: float
    ks_p: float
    cliffs_delta: float
    rank_p: float


def rounded(times_s: npt.ArrayLike) -> Floats:
    """Return times rounded down to the resolution of the comparison; infinite ones stay so."""
    return np.floor(np.asarray(times_s, dtype=float) / RESOLUTION_S) * RESOLUTION_S


def compared(loss_chance: float, what: str, first_s: npt.ArrayLike, second_s: npt.ArrayLike) -> Compared:
    """Compare two samples of times, after rounding them."""
    one, other = rounded(first_s), rounded(second_s)
    found = stats.ks_2samp(one, other)
    return Compared(
        loss_chance,
        what,
        (len(one), len(other)),
        (float(np.median(first_s)), float(np.median(second_s))),
        (float(np.mean(one < 0.5)), float(np.mean(other < 0.5))),
        float(found.statistic),
        float(found.pvalue),
        cliffs_delta(one, other),
        rank_p(one, other),
    )


def differ(rows: Sequence[Compared]) -> bool:
    """Tell whether any of these rows differs by more than chance, by Holm's method over all their tests."""
    return bool((holm([p for row in rows for p in (row.ks_p, row.rank_p)]) < LEVEL).any())


def virtual_sample(
    loss_chance: float, seeds: range, dither: bool = True, limit_s: float = LIMIT_S
) -> list[float]:
    """Return the times of sessions under the virtual clock, one for each seed."""
    return [virtual_s(scenario(loss_chance, DELAY_S, seed), dither, limit_s) for seed in seeds]


def real_samples(
    losses: Sequence[float], seeds: range, gap_s: float = GAP_S, limit_s: float = LIMIT_S
) -> tuple[Mapping[float, list[float]], list[float]]:
    """Return the times of sessions in real time, and how late each of their packets was.

    Sessions of all cells take turns, so that whatever else the machine does befalls all alike.
    """
    late_s: list[float] = []
    several = [scenario(loss, DELAY_S, seed) for seed in seeds for loss in losses]
    times_s = real_s(several, gap_s, late_s.append, limit_s)
    return {loss: times_s[at :: len(losses)] for at, loss in enumerate(losses)}, late_s


def rows_of(sessions: int, virtual_times: int = VIRTUAL_TIMES) -> tuple[list[Compared], list[float]]:
    """Measure all cells; no seed is used twice."""
    many = sessions * virtual_times
    real, late_s = real_samples(LOSSES, range(2 * many, 2 * many + sessions))
    rows = []
    for loss in LOSSES:
        with_it = virtual_sample(loss, range(many))
        without = virtual_sample(loss, range(many, 2 * many), dither=False)
        rows.append(compared(loss, CLOCKS, with_it, real[loss]))
        rows.append(compared(loss, UNDITHERED, without, real[loss]))
    return rows, late_s


def _table(rows: Sequence[Compared]) -> Table:
    heads = ("loss", "compared", "sessions", "median", "within 0.5 s", "KS D", "p", "Cliff's delta", "p")
    table = Table(*heads, title=f"Time to an open data channel, {DELAY_S * 1000:g} ms each way", box=None)
    for row in rows:
        pairs = [f"{one:.3g}, {other:.3g}" for one, other in (row.medians_s, row.within_half_s)]
        counts = f"{row.counts[0]}, {row.counts[1]}"
        effects = [f"{one:.3f}" for one in (row.ks_d, row.ks_p, row.cliffs_delta, row.rank_p)]
        table.add_row(f"{row.loss_chance:.0%}", row.what, counts, *pairs, *effects)
    return table


def agree(rows: Sequence[Compared]) -> bool:
    """Tell whether no difference between the clocks was found."""
    return not differ([row for row in rows if row.what == CLOCKS])


def findings(rows: Sequence[Compared]) -> tuple[str, str]:
    """Say in words what was found of the clocks, and of the virtual one without its dither."""
    biased = differ([row for row in rows if row.what == UNDITHERED])
    return (
        f"The clocks {'agree: no difference' if agree(rows) else 'differ'} at the {LEVEL:.0%} level.",
        f"Without the dither {'there is a bias' if biased else 'no bias was found'} at the {LEVEL:.0%} level"
        f"{'' if biased else ', though one was expected: docs/agreement.md'}.",
    )


def main(file: str | None = None, sessions: int = SESSIONS) -> int:
    """Measure, print and write, and return 1 if the clocks differ."""
    console = Console()
    with console.status("measuring in real time, then in virtual time ..."):
        rows, late_s = rows_of(sessions)
    console.print(_table(rows))
    late = dict(zip(("median", "p99", "max"), np.quantile(late_s, [0.5, 0.99, 1]).tolist(), strict=True))
    console.print(
        "In real time, packets were late by", ", ".join(f"{v:.4f} s ({k})" for k, v in late.items())
    )
    for sentence in findings(rows):
        console.print(sentence)
    if file is not None:
        found = {"rows": [asdict(row) for row in rows], "late_s": late, "agree": agree(rows)}
        Path(file).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return int(not agree(rows))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2], *map(int, sys.argv[2:])))
