"""Run one seed with three policies on a cluster of one worker, and print what became of them.

It is a process of its own: the threads of a cluster take numbers from ``random``, as a session does.
"""

import json
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from distributed import LocalCluster

from simlab.batch.dask_cluster import DaskCluster
from simlab.batch.plan import Matrix, PlannedSession, plan
from simlab.batch.scenarios import Wanted

TUNNEL = """
duration = "20s"
[peers]
media = []
[[fault]]
kind = "blackout"
at = "2s"
for = "12s"
"""
DEADLY = """
import os, signal
from simlab.reconnect.rules import Rules

class Deadly(Rules):
    def grace_s(self, cause):
        os.kill(os.getpid(), signal.SIGKILL)
"""
LOCAL = {"host": "127.0.0.1", "protocol": "tcp://", "dashboard_address": None}


def sessions(folder: Path) -> list[PlannedSession]:
    """Return sessions that are run together although the policy of the second is somebody's code."""
    (folder / "deadly.py").write_text(DEADLY)
    (folder / "tunnel.toml").write_text(TUNNEL)
    sys.path.insert(0, str(folder))
    wanted = Wanted([str(folder / "tunnel.toml")], ["pipecat", "deadly:Deadly", "never"], seeds=1)
    found = plan(Matrix(wanted))
    return [replace(found.session(number), alike="tunnel") for number in range(len(found))]


if __name__ == "__main__":
    with (
        LocalCluster(n_workers=1, threads_per_worker=1, processes=False, **LOCAL) as one,
        closing(DaskCluster(one.scheduler_address.removeprefix("tcp://"))) as cluster,
    ):
        cluster.submit(sessions(Path(sys.argv[1])))
        outcomes = sorted(cluster.finished(), key=lambda outcome: outcome.number)
        print(json.dumps([outcome.record() for outcome in outcomes]))
