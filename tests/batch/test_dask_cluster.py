"""Sessions that are run together on a cluster, one of which kills the process that runs them."""

from contextlib import closing
from dataclasses import replace

import pytest
from distributed import LocalCluster

from simlab.batch.dask_cluster import DaskCluster
from simlab.batch.outcome import outcome_of
from simlab.batch.plan import Matrix, plan
from simlab.batch.scenarios import Wanted
from simlab.batch.session import run_scenario

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

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def sessions(tmp_path, monkeypatch):
    """One seed with three policies, which are run together although one is somebody's code."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "deadly.py").write_text(DEADLY)
    (tmp_path / "tunnel.toml").write_text(TUNNEL)
    wanted = Wanted([str(tmp_path / "tunnel.toml")], ["pipecat", "deadly:Deadly", "never"], seeds=1)
    found = plan(Matrix(wanted))
    return [replace(found.session(number), alike="tunnel") for number in range(len(found))]


@pytest.fixture
def cluster():
    local = {"host": "127.0.0.1", "protocol": "tcp://", "dashboard_address": None}
    with (
        LocalCluster(n_workers=1, threads_per_worker=1, processes=False, **local) as one,
        closing(DaskCluster(one.scheduler_address.removeprefix("tcp://"))) as found,
    ):
        yield found


def test_only_the_one_that_kills_its_process_could_not_be_run(cluster, sessions):
    cluster.submit(sessions)
    first, deadly, last = sorted(cluster.finished(), key=lambda one: one.number)
    assert (deadly.failed["stage"], deadly.failed["reason"]) == ("worker", "every process that ran it died")
    for outcome, session in ((first, sessions[0]), (last, sessions[2])):
        assert outcome.record() == outcome_of(session.labels, run_scenario(session.scenario)).record()
