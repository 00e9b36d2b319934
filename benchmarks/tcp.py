"""simlab's model of TCP beside Linux's own, through the same links: ``python -m benchmarks.tcp``.

First with losses by a script, case by case; then with random ones, as distributions of the time to connect
and to have an answer (Kolmogorov-Smirnov). Needs root and ``ip``. It prints tables, and exits with
1 where a scripted case is off by more than the kernel's timers are coarse, or a distribution differs at the
1 % level.
"""

import sys
from collections.abc import Sequence

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.special import kolmogorov

from benchmarks.tcp_kernel import FIRST_PORT, Case, Delay, Times, measured
from simlab.core.impair import ConstantDelaySpec, UniformDelaySpec, make_stage
from simlab.core.link import Link, Stage
from simlab.core.packet import Direction, Transit
from simlab.core.tcp import TcpPath

UP, DOWN = Direction.UP, Direction.DOWN
DELAY = ConstantDelaySpec(0.02)
# Without jitter, Linux's choice whether to believe a probe hangs on its own noise (docs/tcp.md).
JITTERY = UniformDelaySpec(0.02, 0.002)
# The kernel's clock ticks every 4 ms, and its timers of more than 0.25 s are rounded up to the next 32 ms.
# The rest is for the relay in Python, on a machine that has other work.
SLACK_S, SLACK_PER_LOSS_S = 0.02, 0.036
EARLY_S = 0.005  # a tick
LIMIT_S = 40.0
LEVEL = 0.01
SMALL, OFFER = Case(1000, 1000), Case(6000, 2500)
# What is lost in each direction, by number in the connection. 0 is the SYN or SYN+ACK; up 1 acknowledges it.
SCRIPTS: Sequence[tuple[Case, frozenset[int], frozenset[int]]] = [
    (case, frozenset(up), frozenset(down))
    for case, up, down in [
        (SMALL, (), ()),
        (SMALL, (0,), ()),
        (SMALL, (0, 1), ()),
        (SMALL, (), (0,)),
        (SMALL, (), (0, 1)),
        (SMALL, (0,), (0,)),
        (SMALL, (1,), ()),
        (SMALL, (2,), ()),
        (SMALL, (2, 3), ()),
        (SMALL, (2, 3, 4), ()),
        (SMALL, (), (1,)),
        (SMALL, (), (2,)),
        (SMALL, (), (2, 3)),
        (OFFER, (), ()),
        (OFFER, (2,), ()),
        (OFFER, (3,), ()),
        (OFFER, (5,), ()),
        (OFFER, (6,), ()),
        (OFFER, (4, 5), ()),
        (OFFER, (2, 3, 4), ()),
    ]
]


class Losing:
    name = "loss"

    def __init__(self, lost: frozenset[int] | None, rng: np.random.Generator, chance: float) -> None:
        self._lost, self._rng, self._chance = lost, rng, chance

    def apply(self, transit: Transit) -> tuple[Transit, ...]:
        lost = self._rng.random() < self._chance or (self._lost and transit.packet.seq in self._lost)
        return () if lost else (transit,)


def modelled(case: Case, losses: dict[Direction, Stage], delay: Delay, seed: int = 0) -> Times:
    """Return the model's times for a connection with these losses and this delay."""
    links = {way: Link([losses[way], make_stage(delay, seed, way)]) for way in Direction}
    path = TcpPath(links)
    connection = path.open(0.0)
    path.write(connection, UP, case.request_bytes, 0.0)
    connected_s = now_s = 0.0
    for way, next_bytes in ((UP, case.response_bytes), (DOWN, 0)):
        while not connection.has_arrived(way):
            due_s = path.next_due_s()
            if due_s is None or due_s > LIMIT_S:
                return Times(connected_s or LIMIT_S, LIMIT_S)
            path.advance(now_s := due_s)
            if not connected_s and connection.sender[UP].is_established:
                connected_s = now_s
        path.write(connection, DOWN, next_bytes, now_s)
    return Times(connected_s, now_s)


def scripted(console: Console) -> bool:
    """Compare case by case, and tell whether all agree."""
    rng = np.random.default_rng(0)
    cases = [case for case, _, _ in SCRIPTS]

    def is_lost(direction: Direction, port: int, number: int) -> bool:
        return number in SCRIPTS[port - FIRST_PORT][1 if direction is UP else 2]

    table = Table(
        "bytes", "lost up", "lost down", "connected, Linux", "model", "answered, Linux", "model", ""
    )
    right = True
    for (case, up, down), times in zip(SCRIPTS, measured(DELAY, cases, is_lost, LIMIT_S), strict=True):
        model = modelled(case, {UP: Losing(up, rng, 0.0), DOWN: Losing(down, rng, 0.0)}, DELAY)
        slack_s = SLACK_S + SLACK_PER_LOSS_S * min(len(up) + len(down), 3)
        agrees = bool(np.all(np.abs(np.subtract(times, model)) <= slack_s))
        right &= agrees
        pairs = [f"{value:.3f}" for pair in zip(times, model, strict=True) for value in pair]
        numbers = (" ".join(map(str, sorted(lost))) for lost in (up, down))
        table.add_row(f"{case[0]}/{case[1]}", *numbers, *pairs, "" if agrees else "[bold red]differs")
    console.print(table)
    return right


def late_ks(linux_s: np.ndarray, model_s: np.ndarray) -> tuple[float, float]:
    """Return Kolmogorov-Smirnov's distance where Linux may be late as its timers are, and the p-value.

    A timer of Linux's is late by up to an eighth of its time. If that were all, the distance could only be
    smaller than that of two samples of one distribution, so the p-value errs on the safe side.
    """
    linux_s, model_s = np.sort(linux_s), np.sort(model_s)

    def share(values_s: np.ndarray, at_s: np.ndarray) -> np.ndarray:
        return np.searchsorted(values_s, at_s, side="right") / values_s.size

    at_s = np.concatenate([linux_s, model_s, model_s - 1e-9])
    early = share(linux_s, at_s) - share(model_s, at_s + EARLY_S)
    late = share(model_s, at_s) - share(linux_s, at_s * 1.125 + SLACK_S)
    distance = float(max(early.max(), late.max(), 0.0))
    size = linux_s.size * model_s.size / (linux_s.size + model_s.size)
    return distance, float(kolmogorov(distance * np.sqrt(size)))


def random(console: Console, count: int) -> bool:
    """Compare distributions, and tell whether all agree."""
    table = Table("loss", "bytes", "what", "Linux, median", "model", "Linux, p95", "model", "KS D", "p")
    right = True
    for chance in (0.1, 0.3):
        for case in (SMALL, OFFER):
            rng = np.random.default_rng(int(chance * 100) + case.request_bytes)
            loses = lambda *_, rng=rng, chance=chance: rng.random() < chance  # noqa: E731
            linux = np.array(measured(JITTERY, [case] * count, loses, LIMIT_S))
            loss = Losing(None, np.random.default_rng(1), chance)
            model = np.array([modelled(case, {UP: loss, DOWN: loss}, JITTERY, n) for n in range(count)])
            for column, what in enumerate(("connected", "answered")):
                distance, p_value = late_ks(linux[:, column], model[:, column])
                right &= p_value >= LEVEL
                figures = [np.quantile(a[:, column], q) for q in (0.5, 0.95) for a in (linux, model)]
                texts = [f"{figure:.3f} s" for figure in figures]
                label = (f"{chance:.0%}", f"{case[0]}/{case[1]}", what)
                table.add_row(*label, *texts, f"{distance:.3f}", f"{p_value:.3f}")
    console.print(table)
    return right


def main(count: int = 600) -> int:
    """Compare, and return 1 where they differ."""
    console = Console(width=140)
    return int(not (scripted(console) & random(console, count)))


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
