"""Loss: how much, and in what bursts."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from statistics import NormalDist
from typing import Any

import numpy as np

from simlab.core.impair import (
    BernoulliSpec,
    CorrelatedLossSpec,
    FourStateSpec,
    GilbertElliottSpec,
    LibwebrtcLossSpec,
    NetemLossSpec,
    ScriptedLossSpec,
    TimedGilbertElliottSpec,
)
from simlab.measure.counts import Chain, Stretch, along, independent, over_time
from simlab.measure.parts import Part, Seen, runs_of
from simlab.measure.rows import Count, Fact, Finding, share_finding

_MOST_RUNS = 50
_MOST_BROKEN = 4000
"""Packets of a chain that are looked at where some never came to the stage: each gap costs time."""
_MOST_TIMED = 1500
_FORGOTTEN = 1e-4
"""Packets so far apart that their correlation is less than this are taken for independent."""


def loss_findings(part: Part) -> Iterator[Finding]:
    """Compare what was lost with what a setting asks for."""
    yield from _FINDINGS[type(part.spec)](part)


def _percent(chance: float) -> str:
    return f"{100 * chance:.4g}%"


def _lost(seen: Sequence[Seen]) -> int:
    return sum(one.passage.lost for one in seen)


def _independent(part: Part) -> Iterator[Finding]:
    seen, chance = list(part.seen), part.spec.loss_chance
    yield share_finding("loss", _percent(chance), _lost(seen), len(seen), independent([(chance, len(seen))]))


def _chain_findings(part: Part, chain: Chain, requested: float, stay: float | None) -> Iterator[Finding]:
    stretches: list[Stretch] = []
    seen: list[Seen] = []
    for number, stretch in enumerate(_shortened(part)):
        fresh = number == 0 and part.first
        runs = runs_of([one.number for one in stretch], 0 if fresh else stretch[0].number)
        stretches.append(Stretch(chain.start if fresh else chain.settled(), runs))
        seen += stretch
    yield share_finding("loss", _percent(requested), _lost(seen), len(seen), along(chain, stretches))
    if stay is not None and 0 < stay < 1:
        yield _burst_finding(part, stay)


def _shortened(part: Part) -> Iterator[Sequence[Seen]]:
    """Leave out what would take long to work out, and copies."""
    left = math.inf
    runs = sum(len(runs_of([one.number for one in stretch], 0)) for stretch in part.stretches if stretch)
    if runs > _MOST_RUNS:
        left = _MOST_BROKEN
    for stretch in part.stretches:
        chosen = stretch if left == math.inf else stretch[: int(left)]
        left -= len(chosen)
        if chosen:
            yield chosen


def _burst_finding(part: Part, stay: float) -> Count:
    """Compare the chance to be lost right after a lost packet, shown as the mean burst: 1 / (1 - chance)."""
    pairs = [
        one.passage.lost
        for stretch in part.stretches
        for before, one in pairwise(stretch)
        if before.passage.lost and one.number == before.number + 1
    ]
    number = len(pairs)

    def show(count: float) -> str:
        return "-" if count == number else f"{number / (number - count):.2f}"

    return Count(
        "loss, mean burst",
        f"{1 / (1 - stay):.2f}",
        sum(pairs),
        number,
        independent([(stay, number)]),
        show,
    )


def _gilbert_elliott(part: Part) -> Iterator[Finding]:
    spec: GilbertElliottSpec = part.spec
    p, r = spec.enter_bad_chance, spec.leave_bad_chance
    lost = np.array([1 - spec.pass_chance_good, 1 - spec.pass_chance_bad])
    chain = Chain(np.array([[1 - p, p], [r, 1 - r]]), lost, np.array([1.0, 0.0]))
    # After a loss the state is known to be bad only if nothing is lost in the good one.
    stay = (1 - r) * lost[1] if spec.pass_chance_good == 1 else None
    yield from _chain_findings(part, chain, spec.loss_chance, stay)


def _libwebrtc(part: Part) -> Iterator[Finding]:
    loss, burst = part.spec.loss_chance, part.spec.burst_packets
    begins = loss / (1 - loss) / burst
    moves = np.array([[1 - begins, begins], [1 / burst, 1 - 1 / burst]])
    chain = Chain(moves, np.array([0.0, 1.0]), np.array([1.0, 0.0]))
    yield from _chain_findings(part, chain, loss, 1 - 1 / burst)


def _four_state(part: Part) -> Iterator[Finding]:
    spec: FourStateSpec = part.spec
    p13, p31, p32, p23, p14 = spec.p13, spec.p31, spec.p32, spec.p23, spec.p14
    moves = np.array(
        [[1 - p13 - p14, 0, p13, p14], [0, 1 - p23, p23, 0], [p31, p32, 1 - p31 - p32, 0], [1, 0, 0, 0]]
    )
    chain = Chain(moves, np.array([0.0, 0.0, 1.0, 1.0]), np.array([1.0, 0.0, 0.0, 0.0]))
    yield from _chain_findings(part, chain, spec.loss_chance, None if p14 else 1 - p31 - p32)


def _timed(part: Part) -> Iterator[Finding]:
    spec: TimedGilbertElliottSpec = part.spec
    seen = list(part.seen)
    seen = seen[:: max(1, math.ceil(len(seen) / _MOST_TIMED))]
    lost = np.array([spec.loss_chance_good, spec.loss_chance_bad])
    settled = np.array([1 - spec.bad_fraction, spec.bad_fraction])
    times_s = [one.passage.packet.arrived_s for one in seen]
    gaps_s = [0.0, *(later - sooner for sooner, later in pairwise(times_s))]
    moves = [_after(spec, gap_s, settled) for gap_s in gaps_s]
    chances = over_time(moves, lost, settled)
    yield share_finding("loss", _percent(spec.loss_chance), _lost(seen), len(seen), chances)


def _after(spec: TimedGilbertElliottSpec, gap_s: float, settled: Any) -> Any:
    """Return the moves over a time: e^(-(1/good + 1/bad) t) is left of the start."""
    left = math.exp(-(1 / spec.good_s + 1 / spec.bad_s) * gap_s)
    return left * np.eye(2) + (1 - left) * np.tile(settled, (2, 1))


def _correlated(part: Part) -> Iterator[Finding]:
    spec: CorrelatedLossSpec = part.spec
    seen = apart(list(part.seen), spec.correlation)
    chance = spec.loss_chance
    yield share_finding("loss", _percent(chance), _lost(seen), len(seen), independent([(chance, len(seen))]))
    firsts = {one.number for one in seen}
    pairs = [
        before.passage.lost and one.passage.lost
        for stretch in part.stretches
        for before, one in pairwise(stretch)
        if before.number in firsts and one.number == before.number + 1
    ]
    both = both_below(chance, spec.correlation)
    chances = independent([(both, len(pairs))])
    yield share_finding("loss, two in a row", _percent(both), sum(pairs), len(pairs), chances)


def apart(seen: Sequence[Seen], correlation: float) -> list[Seen]:
    """Return packets so far apart that what is correlated from one to the next is independent among them."""
    distance = 1 if not correlation else math.ceil(math.log(_FORGOTTEN) / math.log(correlation))
    chosen: list[Seen] = []
    for one in seen:
        if not chosen or one.number >= chosen[-1].number + distance:
            chosen.append(one)
    return chosen


def both_below(chance: float, correlation: float) -> float:
    """Return the chance that two correlated normal values both lie in their lowest share.

    P = p² + ∫ exp(-q² / (1 + t)) / (2π √(1 - t²)) dt from 0 to the correlation, with q = Φ⁻¹(p): the
    derivative of the bivariate normal distribution by its correlation (Plackett 1954, Biometrika 41, 351).
    """
    if not 0 < chance < 1:
        return chance
    quantile = NormalDist().inv_cdf(chance)
    # With t = sin a the root goes away: dt / √(1 - t²) = da. Midpoints of 2000 pieces are exact to 1e-7.
    angles = (np.arange(2000) + 0.5) / 2000 * math.asin(correlation)
    values = np.exp(-(quantile**2) / (1 + np.sin(angles)))
    return chance**2 + float(values.mean()) * math.asin(correlation) / (2 * math.pi)


def _netem(part: Part) -> Iterator[Finding]:
    spec: NetemLossSpec = part.spec
    if not spec.correlation:
        yield from _independent(part)
        return
    seen = list(part.seen)
    asked = f"{_percent(spec.loss_chance)} at a correlation of {_percent(spec.correlation)}"
    realised = f"{_lost(seen) / max(len(seen), 1):.2%} of {len(seen)}"
    # What netem's arithmetic comes to has no formula; it is known to be less than was asked for.
    yield Fact("loss, as netem has it", asked, realised, None)


def _scripted(part: Part) -> Iterator[Finding]:
    spec: ScriptedLossSpec = part.spec
    seen = list(part.seen)
    want = {
        one.number
        for one in seen
        if one.number + 1 in spec.drop
        or (spec.pattern and spec.pattern[one.number % len(spec.pattern)] == "x")
    }
    lost = {one.number for one in seen if one.passage.lost}
    yield Fact("loss, scripted", f"{len(want)} of {len(seen)}", f"{len(lost)} of {len(seen)}", want == lost)


_FINDINGS: Mapping[type, Callable[[Part], Iterator[Finding]]] = {
    BernoulliSpec: _independent,
    GilbertElliottSpec: _gilbert_elliott,
    TimedGilbertElliottSpec: _timed,
    FourStateSpec: _four_state,
    CorrelatedLossSpec: _correlated,
    NetemLossSpec: _netem,
    LibwebrtcLossSpec: _libwebrtc,
    ScriptedLossSpec: _scripted,
}
