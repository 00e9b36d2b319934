"""Sessions that are run together on a cluster, one of which kills the process that runs them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from simlab.batch.executors import executor_of
from simlab.batch.outcome import outcome_of
from simlab.batch.session import run_scenario
from simlab.core.errors import InvalidInputError
from tests.batch.cluster_of_one import sessions

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.timeout(300)


def test_only_the_one_that_kills_its_process_could_not_be_run(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    command = [sys.executable, "-m", "tests.batch.cluster_of_one", str(tmp_path)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=200)
    assert ran.returncode == 0, ran.stderr
    first, deadly, last = json.loads(ran.stdout)
    assert deadly["failed"]["stage"] == "worker"
    assert deadly["failed"]["reason"] == "every process that ran it died"
    for told, session in zip((first, last), sessions(tmp_path)[::2], strict=True):
        alone = outcome_of(session.labels, run_scenario(session.scenario))
        assert told == json.loads(json.dumps(alone.record()))


@pytest.mark.parametrize("address", ["", "10.0.0.5", "host:", ":8786", "host:port", "tcp://host:8786"])
def test_what_is_no_address_is_told_at_once(address):
    with pytest.raises(InvalidInputError) as caught:
        executor_of(f"dask://{address}", jobs=1)
    assert caught.value.faults == (f'--executor is "dask://{address}", want "dask://HOST:PORT"',)
