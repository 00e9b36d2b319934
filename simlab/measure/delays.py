"""Delay: which share of the packets stays below a quantile that was asked for.

Where packets keep their order, one that would overtake waits, and its own delay is not seen. But before it
comes one knows how long it would have to wait at least; if that is less than the quantile, one sees on which
side of the quantile its own delay lies. So only these are counted, and each of them is below with exactly the
chance that was asked for.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from simlab.core.impair import (
    ConstantDelaySpec,
    CorrelatedDelaySpec,
    EmpiricalDelaySpec,
    NetemDelaySpec,
    ParetoNormalDelaySpec,
    ReorderSpec,
    Rfc8868DelaySpec,
)
from simlab.core.impair.netem_delay import table
from simlab.measure.counts import Chain, Stretch, along, independent
from simlab.measure.losses import apart
from simlab.measure.parts import Part, Seen, runs_of
from simlab.measure.rows import Fact, Finding, share_finding
from simlab.measure.taps import Passage
from simlab.profile.units import duration_text

_SHARES = (0.05, 0.5, 0.95)
_LEVELS = 4000
"""Midpoints of as many pieces stand for a distribution that is integrated over."""
_EXACT_S = 1e-9
"""What adding up floats may make wrong."""


@dataclass(frozen=True)
class _Quantile:
    at_s: float
    chance: float


def delay_findings(part: Part, reorder: ReorderSpec | None, passages: Sequence[Passage]) -> Iterator[Finding]:
    """Compare delays with what a setting asks for.

    Parameters
    ----------
    part
        What met the setting.
    reorder
        Whether some skip it.
    passages
        All packets at the stage, in the order in which they came.
    """
    if reorder is not None:
        yield _skipping(part, reorder)
    seen = [one for one in part.seen if reorder is None or one.passage.left_s != one.passage.due_s]
    if isinstance(part.spec, ConstantDelaySpec):
        yield _constant(part.spec, seen)
    elif isinstance(part.spec, NetemDelaySpec):
        yield _as_netem(part.spec, seen)
    else:
        yield from _quantile_findings(part.spec, seen, _floors(passages, reorder is not None, part.spec))


def _constant(spec: ConstantDelaySpec, seen: Sequence[Seen]) -> Fact:
    delays_s = [one.passage.left_s - one.passage.due_s for one in seen]
    low_s, high_s = min(delays_s, default=0.0), max(delays_s, default=0.0)
    held = not delays_s or (low_s > spec.mean_s - _EXACT_S and high_s < spec.mean_s + _EXACT_S)
    text = duration_text(round(low_s, 9))
    if high_s - low_s > _EXACT_S:
        text += f" - {duration_text(round(high_s, 9))}"
    return Fact("delay", duration_text(spec.mean_s), f"{text}, all {len(seen)}", held)


def _as_netem(spec: NetemDelaySpec, seen: Sequence[Seen]) -> Finding:
    """Compare how many stay below the mean: what of netem's numbers does, if they are independent."""
    requested = f"netem's {spec.distribution}"
    delays_s = [one.passage.left_s - one.passage.due_s for one in seen]
    if spec.correlation or not spec.jitter_s:
        realised = f"{duration_text(round(float(np.mean(delays_s)), 6))} on average"
        return Fact("delay", requested, realised, None)
    below = 0.5 if spec.distribution == "uniform" else float(np.mean(np.array(table(spec.distribution)) < 0))
    count = sum(delay_s < spec.mean_s - _EXACT_S for delay_s in delays_s)
    what = f"delay, below {duration_text(spec.mean_s)}"
    return share_finding(what, f"{below:.2%}", count, len(seen), independent([(below, len(seen))]))


def _skipping(part: Part, spec: ReorderSpec) -> Finding:
    """Compare how many skip the delay: a chain whose states are how many were delayed since the last."""
    gap, chance = spec.gap_packets, spec.reorder_chance
    moves = np.zeros((gap + 1, gap + 1))  # the last state is to have skipped
    for state in range(gap + 1):
        delayed = 0 if state == gap else state
        if delayed < gap - 1:
            moves[state, delayed + 1] = 1.0
        else:
            moves[state, gap], moves[state, gap - 1] = chance, 1 - chance
    start = np.zeros(gap + 1)
    start[0] = 1.0
    counts = np.zeros(gap + 1)
    counts[gap] = 1.0
    chain = Chain(moves, counts, start)
    seen, stretches = [], []
    for number, stretch in enumerate(part.stretches):
        once = list({one.number: one for one in stretch}.values())  # a copy skips with its packet
        fresh = part.first and number == 0
        runs = runs_of([one.number for one in once], 0 if fresh else once[0].number)
        stretches.append(Stretch(start if fresh else chain.settled(), runs))
        seen += once
    skipped = sum(one.passage.left_s == one.passage.due_s for one in seen)
    return share_finding(
        "reorder", f"{spec.skipping_fraction:.2%}", skipped, len(seen), along(chain, stretches)
    )


def _floors(passages: Sequence[Passage], skips: bool, spec: Any) -> dict[int, float]:
    """Return how long each packet would have to wait at least, by its identity."""
    inner = spec.spec if isinstance(spec, CorrelatedDelaySpec) else spec
    if inner.reorder:
        return {}
    floors, last_s = {}, -math.inf
    for passage in passages:
        floors[id(passage)] = last_s - passage.due_s
        if not (skips and passage.left_s == passage.due_s):
            last_s = passage.left_s + _sending_s(inner, passage)
    return floors


def _sending_s(spec: Any, passage: Passage) -> float:
    if isinstance(spec, Rfc8868DelaySpec) and spec.rate_bytes_per_s:
        return (len(passage.payload) + 28) / spec.rate_bytes_per_s
    return 0.0


def _quantile_findings(spec: Any, seen: Sequence[Seen], floors: dict[int, float]) -> Iterator[Finding]:
    correlation = spec.correlation if isinstance(spec, CorrelatedDelaySpec) else 0.0
    inner = spec.spec if isinstance(spec, CorrelatedDelaySpec) else spec
    if correlation:
        seen = apart(seen, correlation)
    for share in _SHARES:
        quantile = _quantile(inner, share)
        if quantile.at_s <= 0:  # below 0 all delays are 0
            continue
        limit_s = quantile.at_s + _EXACT_S
        told = [one.passage for one in seen if floors.get(id(one.passage), -math.inf) < limit_s]
        below = sum(passage.left_s - passage.due_s <= limit_s for passage in told)
        yield share_finding(
            f"delay, {share:.0%} up to {duration_text(round(quantile.at_s, 6))}",
            f"{quantile.chance:.2%}",
            below,
            len(told),
            independent([(quantile.chance, len(told))]),
        )


def _quantile(spec: Any, share: float) -> _Quantile:
    if isinstance(spec, ParetoNormalDelaySpec):
        return _Quantile(spec.mean_s + spec.deviation_s * _pareto_normal_quantile(share), share)
    at_s = spec.quantile_s(share)
    if isinstance(spec, EmpiricalDelaySpec):
        number = sum(sample_s <= at_s for sample_s in spec.samples_s)
        return _Quantile(at_s, number / len(spec.samples_s))
    return _Quantile(at_s, share)


@cache
def _pareto_normal_quantile(share: float) -> float:
    """Halve an interval until it is the quantile of (N + 3 P) / √10, which has no formula."""
    levels = (np.arange(_LEVELS) + 0.5) / _LEVELS
    # Pareto of shape 3 with mean 0 and deviation 1.
    pareto = 2 / math.sqrt(3) * (levels ** (-1 / 3) - 1.5)
    low, high = -10.0, 100.0
    for _ in range(50):
        middle = (low + high) / 2
        below = [0.5 * math.erfc(value / -math.sqrt(2)) for value in math.sqrt(10) * middle - 3 * pareto]
        low, high = (middle, high) if math.fsum(below) < share * _LEVELS else (low, middle)
    return low
