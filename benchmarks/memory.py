"""How much memory a session of an hour takes, and what 500 sessions leave behind, each in its own process.

Most of it is what is imported, which is measured as well: the shared objects and the code of the libraries.
"""

import asyncio
import gc
import json
import os
import resource
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figure import Figure
from simlab.batch.session import run_scenario
from simlab.profile import Scenario, load

MOST_MB = 120
MOST_LEAKED_MB = 5
SESSIONS = 500
WARM_UP = 200  # until the allocator has what it needs: 6 MB; from there to the 1000th, nothing more
_HOUR = 'duration = "3600s"\n[link]\ndelay = "40ms"\njitter = "5ms"\nloss = "2%"\n'
_MESSAGES = "[peers]\nmedia = []\n"
_SHORT = 'duration = "3s"\n' + _MESSAGES
_KINDS = {"hour of messages": _HOUR + _MESSAGES, "hour with audio both ways": _HOUR}


def peak_mb(kind: str) -> float:
    """Return the most memory that this process had until the end of a session of that kind."""
    run_scenario(Scenario.of(load(_KINDS[kind], "memory.toml"), seed=1)).timeline.to_text()
    status = Path("/proc/self/status").read_text()
    # Not getrusage's ru_maxrss: that is at least what the parent had when it started this process.
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def imported_mb() -> float:
    """Return what this process takes with all that a session needs imported, and no session run."""
    import simlab.virtual.session  # noqa: F401 - that is what it measures

    return held()["MB"]


def held() -> dict[str, float]:
    """Return what this process holds: resident megabytes, threads, tasks and file descriptors."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {
        "MB": pages * resource.getpagesize() / 2**20,
        "threads": threading.active_count(),
        "tasks": sum(isinstance(each, asyncio.Task) for each in gc.get_objects()),
        "file descriptors": len(os.listdir("/proc/self/fd")),
    }


def left_behind() -> dict[str, float]:
    """Return what 500 sessions add to what this process holds."""
    profile = load(_SHORT, "memory.toml")
    for seed in range(WARM_UP):
        run_scenario(Scenario.of(profile, seed=seed))
    before = held()
    for seed in range(SESSIONS):
        run_scenario(Scenario.of(profile, seed=seed))
    after = held()
    return {what: after[what] - before[what] for what in before}


def _in_process(what: str) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.memory", what]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=900)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def measure() -> Iterator[Figure]:
    """Yield megabytes for a session of an hour, and what 500 sessions leave behind."""
    if not Path("/proc/self/statm").exists():
        return
    yield Figure("memory: imports alone", _in_process("imports")["MB"], "MB")
    for kind in _KINDS:
        yield Figure(f"memory: {kind}", _in_process(kind)["MB"], "MB", at_most=MOST_MB)
    limits = {"MB": MOST_LEAKED_MB, "threads": 0, "tasks": 0, "file descriptors": 0}
    for what, leaked in _in_process("leaks").items():
        yield Figure(f"memory: left behind by {SESSIONS} sessions", leaked, what, at_most=limits[what])


if __name__ == "__main__":
    wanted = sys.argv[1]
    if wanted == "imports":
        print(json.dumps({"MB": imported_mb()}))
    else:
        print(json.dumps(left_behind() if wanted == "leaks" else {"MB": peak_mb(wanted)}))
