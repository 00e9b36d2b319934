"""How much faster than life a session runs under the virtual clock: ``python benchmarks/session.py [JSON]``.

Each kind of session is run once to warm up, since the first one of a process imports and encodes, and then
several times, each with another seed, with timeline and metrics. The table shows the median; with a path, all
figures go there as JSON.
"""

import json
import platform
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from simlab.batch.session import run_scenario
from simlab.profile import Scenario, load
from simlab.virtual.fast.pieces import pieces

DURATION_S = 120
SESSIONS = 5
_DURATION = f'duration = "{DURATION_S}s"\n'
_MESSAGES = "[peers]\nmedia = []\n"
_IMPAIRED = '[link]\ndelay = "40ms"\njitter = "5ms"\nloss = "2%"\nrate = "1Mbit/s"\nqueue = "64KiB"\n'
PROFILES = {
    "messages, clean link": _DURATION + _MESSAGES,
    "messages, loss, jitter, rate and queue": _DURATION + _MESSAGES + _IMPAIRED,
    "audio both ways, clean link": _DURATION,
    "audio both ways, loss, jitter, rate and queue": _DURATION + _IMPAIRED,
}


def measured(text: str) -> dict[str, Any]:
    """Return what sessions of a profile cost, in processor and wall seconds, in the order of seeds."""
    profile = load(text, "benchmark.toml")
    cpu_s, wall_s = [], []
    for seed in range(SESSIONS + 1):
        began_cpu_s, began_s = time.process_time(), time.perf_counter()
        run = run_scenario(Scenario.of(profile, seed=seed))
        run.timeline.to_text()
        cpu_s.append(time.process_time() - began_cpu_s)
        wall_s.append(time.perf_counter() - began_s)
        if any(True for _ in run.timeline.select("session", "failed")):
            raise SystemExit(f"the session of seed {seed} failed")
    return {"cpu_s": cpu_s[1:], "wall_s": wall_s[1:]}


def table(results: dict[str, dict[str, Any]]) -> Table:
    drawn = Table(title=f"{DURATION_S} s of session, median of {SESSIONS}")
    drawn.add_column("session")
    for name in ("CPU s", "wall s", "x faster than life"):
        drawn.add_column(name, justify="right")
    for name, result in results.items():
        cpu_s, wall_s = statistics.median(result["cpu_s"]), statistics.median(result["wall_s"])
        drawn.add_row(name, f"{cpu_s:.3f}", f"{wall_s:.3f}", f"{DURATION_S / wall_s:.0f}")
    return drawn


def main() -> None:
    console = Console()
    slower = [piece.name for piece in pieces(time.time_ns) if not piece.fits]
    if slower:
        console.print(
            f"Not as fast as it could be: nothing faster fits these libraries for {', '.join(slower)}."
        )
    results = {name: measured(text) for name, text in PROFILES.items()}
    console.print(table(results))
    if len(sys.argv) > 1:
        about = {
            "python": platform.python_version(),
            "duration_s": DURATION_S,
            "pieces_that_do_not_fit": slower,
        }
        Path(sys.argv[1]).write_text(json.dumps(about | {"sessions": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
