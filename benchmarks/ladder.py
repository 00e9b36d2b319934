"""How long a blackout kills a connection of aiortc: measured in virtual time against the derivation.

aioice checks consent every U(4, 6) s with one request, waits half a second for the answer, and closes
after six failures in a row. So a path that is dead from a random moment is given up after
R + 3 + (the sum of five intervals) seconds, where R is what remains of the interval that the moment falls
into. Run it with ``python benchmarks/ladder.py [SEEDS]``; it prints a table, and exits with 1 if a
measured share is further from the derived one than chance allows at the level of 1 in 10,000 in all.
"""

import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.stats import binomtest

from simlab.profile import Scenario, load
from simlab.virtual.session import run

LENGTHS_S = (23, 25, 28, 30, 32, 35)
FAMILY_LEVEL = 1e-4
_FIRST_S = 20.0
_PROFILE = """
duration = "{duration}s"
[peers]
media = []
[link]
delay = "20ms"
[policy]
name = "never"
[[fault]]
kind = "blackout"
at = "{at}s"
for = "{lasts}s"
"""


def derived_shares(draws: int = 1_000_000) -> dict[int, float]:
    """Return the share of connections that a blackout of each length kills, by Monte Carlo."""
    rng = np.random.default_rng(1)
    # A moment falls into a long interval more often than into a short one, in proportion to its length.
    longer = rng.uniform(4.0, 6.0, draws)
    longer = longer[rng.uniform(0.0, 6.0, draws) < longer]
    remaining_s = rng.uniform(0.0, 1.0, longer.size) * longer
    until_closed_s = remaining_s + 3.0 + rng.uniform(4.0, 6.0, (5, longer.size)).sum(axis=0)
    # A check under way when the network comes back fails all the same.
    return {length_s: float(np.mean(until_closed_s < length_s + 0.5)) for length_s in LENGTHS_S}


def is_killed(job: tuple[int, int]) -> bool:
    """Run a session with a blackout that begins at a moment of its seed's own."""
    length_s, seed = job
    at_s = round(_FIRST_S + float(np.random.default_rng(seed).uniform(0.0, 30.0)), 3)
    text = _PROFILE.format(duration=at_s + length_s + 3.0, at=at_s, lasts=length_s)
    timeline = run(Scenario.of(load(text, "ladder.toml"), seed=seed))
    return any(event["reason"] == "closed" for event in timeline.select("server", "connection_closed"))


def measured(seeds: int) -> Iterator[tuple[int, int]]:
    """Yield how many connections each length killed."""
    with ProcessPoolExecutor() as pool:
        for length_s in LENGTHS_S:
            jobs = [(length_s, seed) for seed in range(seeds)]
            yield length_s, sum(pool.map(is_killed, jobs, chunksize=10))


def main(seeds: int = 400) -> int:
    """Measure, print and judge."""
    table = Table("blackout", "killed", "share", "95 % interval", "derived", title=f"n = {seeds} each")
    derived, off = derived_shares(), False
    for length_s, killed in measured(seeds):
        share = derived[length_s]
        test = binomtest(killed, seeds, share)
        low, high = test.proportion_ci(method="wilson")
        wrong = test.pvalue < FAMILY_LEVEL / len(LENGTHS_S)
        off |= wrong
        interval = f"{low:.3f} to {high:.3f}" + (" off" if wrong else "")
        table.add_row(f"{length_s} s", str(killed), f"{killed / seeds:.3f}", interval, f"{share:.3f}")
    Console().print(table)
    return int(off)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
