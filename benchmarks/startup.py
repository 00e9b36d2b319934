"""How long ``simlab --help`` and ``import simlab`` take, beside what Python takes by itself."""

import subprocess
import sys
import time
from collections.abc import Iterator

from benchmarks.figure import Figure

ROUNDS = 7
WANTED_S = 0.3
_COMMANDS = {"simlab --help": ["-m", "simlab", "--help"], "import simlab": ["-c", "import simlab"]}


def seconds(arguments: list[str]) -> float:
    """Return the shortest time of a few that Python takes with these arguments."""
    times_s = []
    for _ in range(ROUNDS):
        began_s = time.perf_counter()
        subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True, timeout=60)
        times_s.append(time.perf_counter() - began_s)
    return min(times_s)


def measure() -> Iterator[Figure]:
    """Yield seconds, and how many times as long as ``python -c pass``."""
    nothing_s = seconds(["-c", "pass"])
    for name, arguments in _COMMANDS.items():
        taken_s = seconds(arguments)
        yield Figure(f"start: {name}", taken_s, "s", at_most=WANTED_S)
        yield Figure(f"start: {name}", taken_s / nothing_s, "x Python")
