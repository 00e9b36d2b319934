"""How long a study takes in one process and in two, and how long it takes to open one of 10,000 sessions.

Both are measured with what a user would type.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import simlab
from benchmarks.figure import Figure
from simlab import store
from simlab.batch.outcome import Outcome
from simlab.batch.study import Study

SEEDS = 250
JOBS = (1, 2)
ROUNDS = 3
SESSIONS = 10_000
_POLICIES = ("pipecat", "pipecat-fixed", "livekit", "aws-full-jitter")
_MATRIX = [
    *("profiles/flaky.toml", "--set", "peers.media=[]", "--seeds", str(SEEDS)),
    *(word for name in _POLICIES for word in ("--policy", name)),
]
_OPEN = "import sys, simlab; simlab.open(sys.argv[1])"


def seconds(*command: str) -> float:
    """Return how long Python takes with these arguments."""
    began_s = time.perf_counter()
    subprocess.run([sys.executable, *command], stdout=subprocess.DEVNULL, check=True, timeout=1800)
    return time.perf_counter() - began_s


def large(folder: Path) -> Path:
    """Save a study of many sessions, which are those of a few seeds again and again; return its folder."""
    few = simlab.sweep(["profiles/flaky.toml"], policies=_POLICIES[:1], seeds=5, set={"peers.media": []})
    outages = {row["session"]: [] for row in few.session_rows}
    for row in few.outage_rows:
        outages[row["session"]].append(row)
    many = [
        Outcome(
            number,
            few.session_rows[number % 5] | {"session": number, "seed": number},
            [row | {"session": number, "seed": number} for row in outages[number % 5]],
        )
        for number in range(SESSIONS)
    ]
    study = Study.of(few.by, many)
    files = {"study.toml": b"[vary]\n", "journal.jsonl": b""}
    unfinished = store.Unfinished.begin(folder, "large", files)
    return unfinished.finish(study.tables())


def measure() -> Iterator[Figure]:
    """Yield seconds of a study for each number of processes, their ratio, and seconds until one is open."""
    with tempfile.TemporaryDirectory() as parent:
        folder = large(Path(parent))
        query = "SELECT policy, AVG(usable_fraction) FROM sessions GROUP BY policy"
        opened_s, asked_s = [], []
        for _ in range(ROUNDS):
            began_s = time.perf_counter()
            study = simlab.open(folder)
            opened_s.append(time.perf_counter() - began_s)
            study.sql(query)
            asked_s.append(time.perf_counter() - began_s)
        yield Figure(f"study of {SESSIONS:,} sessions: opened", min(opened_s), "s", at_most=1.0)
        yield Figure(f"study of {SESSIONS:,} sessions: opened and asked", min(asked_s), "s")
        fresh_s = min(seconds("-c", _OPEN, str(folder)) for _ in range(ROUNDS))
        yield Figure(f"study of {SESSIONS:,} sessions: opened, with the imports", fresh_s, "s")
        one_s, two_s = (
            seconds("-m", "simlab", "sweep", *_MATRIX, "--jobs", str(jobs), "--out", parent) for jobs in JOBS
        )
    sessions = SEEDS * len(_POLICIES)
    yield Figure(f"sweep of {sessions:,} sessions: one process", one_s, "s")
    yield Figure(f"sweep of {sessions:,} sessions: two processes", two_s, "s", at_most=60.0)
    yield Figure(f"sweep of {sessions:,} sessions: two processes", two_s / one_s, "x one", at_most=0.55)
