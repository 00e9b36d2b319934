"""Sweeps that are killed and interrupted, in processes of their own; and a cluster of two workers."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import polars as pl
import pytest

import simlab as python
from tests.batch.studies import POLICIES, SEEDS, contents, profile_in, sweep
from tests.live.processes import alive

MATRIX = ["tunnel.toml", *(word for name in POLICIES for word in ("--policy", name)), "--seeds", str(SEEDS)]

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The study as it is undisturbed, in one process."""
    folder = tmp_path_factory.mktemp("whole")
    return contents(sweep(profile_in(folder), out=folder).folder)


@pytest.fixture
def begin(start, here):
    profile_in(here)
    return lambda *options: start("sweep", *MATRIX, *options)


def journal_of(process, sessions):
    """Wait until so many sessions of a sweep are over, and return its folder."""
    while True:
        assert process.poll() is None, process.communicate()
        for journal in Path("results").glob("*-unfinished/journal.jsonl"):
            if journal.read_bytes().count(b"\n") >= sessions:
                return journal.parent
        time.sleep(0.01)


def workers_of(process):
    """Return the processes that run its sessions; another one only keeps count of semaphores."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return [pid for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def finish(process):
    try:
        stdout, stderr = process.communicate(timeout=90)
    finally:
        process.kill()
    return process.returncode, stdout, stderr


def named_as_here(files):
    """Leave the name of the profile's file out, which is another one."""
    return {name: content for name, content in files.items() if name != "study.toml"}


def goes_on(simlab, whole, folder):
    """Go on with a study, and find what it would have been."""
    over = (folder / "journal.jsonl").read_bytes().count(b"\n")
    done = simlab("sweep", *MATRIX, "--jobs", "2", "--resume", "--quiet")
    told = f"Going on with {folder}: {over} of {2 * SEEDS} sessions are there.\n"
    assert (done.exit_code, done.stderr) == (0, told)
    assert named_as_here(contents(Path(done.stdout.strip()))) == named_as_here(whole)
    assert list(Path("results").iterdir()) == [Path(done.stdout.strip())]


def test_a_killed_sweep_goes_on_to_the_same_study(begin, simlab, whole):
    process = begin("--jobs", "2")
    folder = journal_of(process, 3)
    workers = workers_of(process)
    process.kill()
    process.communicate()
    assert python.open(folder).sessions.height >= 3
    goes_on(simlab, whole, folder)
    # They end with their parent; nobody else would ever end them.
    assert not [pid for pid in workers if alive(pid)]


def stopping(over):
    return f"Stopping, with {over} sessions over and kept. Ctrl-C again leaves out what they come to."


def go_on(folder):
    return f"Interrupted. To go on: simlab sweep {folder} --resume {folder}"


def test_ctrl_c_keeps_every_session_that_is_over(begin):
    process = begin("--jobs", "2")
    folder = journal_of(process, 3)
    process.send_signal(signal.SIGINT)
    status, stdout, stderr = finish(process)
    assert status == 130
    over = python.open(folder).sessions.height
    assert stderr.splitlines() == [stopping(over), go_on(folder)]
    assert stdout.splitlines()[-1] == str(folder)
    assert over >= 3
    assert (folder / "sessions.parquet").exists()


def test_ctrl_c_again_leaves_out_what_the_sessions_come_to(begin, simlab, whole):
    process = begin("--jobs", "2")
    folder = journal_of(process, 3)
    process.send_signal(signal.SIGINT)
    told = process.stderr.readline()
    process.send_signal(signal.SIGINT)
    status, stdout, stderr = finish(process)
    assert (status, stdout, stderr) == (130, "", f"{go_on(folder)}\n")
    assert told == f"{stopping(python.open(folder).sessions.height)}\n"
    assert not (folder / "sessions.parquet").exists()
    goes_on(simlab, whole, folder)


def test_sessions_whose_workers_are_killed_run_again(begin, whole):
    process = begin("--jobs", "2", "--quiet")
    journal_of(process, 1)
    for worker in workers_of(process):
        os.kill(int(worker), signal.SIGKILL)
    status, stdout, stderr = finish(process)
    assert (status, stderr) == (0, "")
    assert named_as_here(contents(Path(stdout.strip()))) == named_as_here(whole)


def test_a_worker_that_is_killed_as_it_begins_is_replaced_where_another_has_run_something(begin, whole):
    process = begin("--jobs", "2", "--quiet")
    while len(workers := workers_of(process)) < 2:
        time.sleep(0.01)
    beginning = int(workers[1])
    os.kill(beginning, signal.SIGSTOP)  # long before it has imported what it needs
    journal_of(process, 1)
    os.kill(beginning, signal.SIGKILL)
    status, stdout, stderr = finish(process)
    assert (status, stderr) == (0, "")
    assert named_as_here(contents(Path(stdout.strip()))) == named_as_here(whole)


DEADLY = """
import os, signal
from simlab.reconnect.rules import Rules

class Deadly(Rules):
    def grace_s(self, cause):
        if next(self.draws) < 0.1 and "SPARED" not in os.environ:
            os.kill(os.getpid(), signal.SIGKILL)
        return 1.0
"""


def test_a_session_that_kills_its_workers_is_one_that_could_not_be_run(here, start):
    profile_in(here)
    (here / "deadly.py").write_text(DEADLY)
    command = ["sweep", "tunnel.toml", "--policy", "deadly:Deadly", "--seeds", "4", "--quiet"]
    spared = finish(start(*command, "--jobs", "1", SPARED="1"))
    disturbed = finish(start(*command, "--jobs", "2"))
    assert (spared[0], spared[2]) == (disturbed[0], disturbed[2]) == (0, "")
    all_of_them, those_left = (python.open(stdout.strip()) for _, stdout, _ in (spared, disturbed))
    (failure,) = those_left.failures  # the first draw of seed 2 is 0.07, and of the others above 0.2
    assert (failure["session"], failure["seed"]) == (1, 2)
    assert (failure["stage"], failure["reason"]) == ("worker", "two processes that ran it died (SIGKILL)")
    assert those_left.sessions.equals(all_of_them.sessions.filter(pl.col("session") != 1))
    assert those_left.outages.equals(all_of_them.outages.filter(pl.col("session") != 1))


FAULTY = """
from simlab.reconnect.rules import Rules

class Faulty(Rules):
    def grace_s(self, cause):
        raise ValueError("not yet")
"""


def test_the_traceback_of_many_sessions_is_told_once(here, start):
    profile_in(here)
    (here / "faulty.py").write_text(FAULTY)
    command = ["sweep", "tunnel.toml", "--policy", "faulty:Faulty", "--seeds", "4", "--jobs", "1", "--quiet"]
    status, _, stderr = finish(start(*command))
    assert status == 3
    assert stderr.count("Traceback") == 1
    told = [line for line in stderr.splitlines() if "raised ValueError: not yet (faulty.py:6)" in line]
    assert [line.partition(", virtual")[0] for line in told] == [
        f"tunnel, policy faulty:Faulty, seed {seed}" for seed in (1, 2, 3, 4)
    ]
    assert [line.endswith("(faulty.py:6), as before") for line in told] == [False, True, True, True]


def run_script(here, text):
    profile_in(here)
    (here / "script.py").write_text(f"import simlab\n{text}\n")
    return subprocess.run(
        [sys.executable, "script.py"], capture_output=True, text=True, check=False, timeout=90
    )


@pytest.mark.parametrize(
    "call",
    [
        "simlab.sweep('tunnel.toml', seeds=2, jobs=2, out='results')",
        "simlab.hunt('tunnel.toml', seeds=2, jobs=2, out='results')",
        "simlab.nightly('nightly.toml', jobs=2, out='results')",
    ],
)
def test_a_script_that_each_process_would_run_again_is_told_what_it_lacks(here, call):
    (here / "nightly.toml").write_text(
        'name = "n"\n[[sweep]]\nname = "a"\nprofiles = ["tunnel.toml"]\nseeds = 2\n'
    )
    ended = run_script(here, call)
    assert ended.returncode == 1
    guard = 'what script.py does must stand below if __name__ == "__main__":, or take jobs=1'
    assert ended.stderr.count("Traceback") == 1
    told = ended.stderr.splitlines()[-1].replace(f"{here}/", "")
    assert told == f"simlab.core.errors.InvalidInputError: {guard}"
    assert list(here.glob("results/*")) == []


def test_a_script_may_come_from_stdin(here):
    profile_in(here)
    script = """
import simlab
study = simlab.sweep('tunnel.toml', seeds=2, jobs=2)
print(len(study.session_rows), __file__)
"""
    command = [sys.executable, "-"]
    ended = subprocess.run(command, input=script, capture_output=True, text=True, check=False, timeout=90)
    assert (ended.stdout, ended.stderr) == ("2 <stdin>\n", "")


def test_processes_that_cannot_begin_end_the_sweep(here):
    ended = run_script(
        here,
        "import os, multiprocessing\n"
        "if multiprocessing.current_process().name != 'MainProcess': os._exit(3)\n"
        "simlab.sweep('tunnel.toml', seeds=2, jobs=2)",
    )
    assert ended.returncode == 1
    told = "the processes that run sessions die as they begin (exit status 3)"
    assert ended.stderr.splitlines()[-1] == f"simlab.core.errors.SimlabError: {told}"


def test_ctrl_c_before_the_first_session_leaves_nothing(begin):
    process = begin("--jobs", "2", "--set", "duration=20h")
    journal_of(process, 0)
    process.send_signal(signal.SIGINT)
    assert finish(process)[0] == 130
    assert list(Path("results").iterdir()) == []


def dask(*arguments, folder):
    """Start a part of a cluster, in a session of its own, so that all of it can be killed."""
    command = [sys.executable, "-m", "dask", *arguments, "--scheduler-file", str(folder / "scheduler.json")]
    with (folder / "log").open("a") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)


def kill(process):
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.fixture
def cluster(tmp_path):
    """A scheduler's address, and two workers with one thread each."""
    import json

    folder = tmp_path / "cluster"
    folder.mkdir()
    local = ("--host", "127.0.0.1", "--no-dashboard")
    parts = [dask("scheduler", *local, "--port", "0", folder=folder)]
    parts += [dask("worker", *local, "--nthreads", "1", "--no-nanny", folder=folder) for _ in range(2)]
    try:
        while not (folder / "scheduler.json").exists():
            assert parts[0].poll() is None, (folder / "log").read_text()
            time.sleep(0.05)
        while True:
            with suppress(ValueError):
                address = json.loads((folder / "scheduler.json").read_text())["address"]
                break
        yield address.replace("tcp://", "dask://"), parts[1:]
    finally:
        for part in parts:
            kill(part)


def test_a_study_on_a_cluster_is_the_same_even_where_a_worker_is_killed(begin, cluster, whole):
    address, workers = cluster
    status, stdout, stderr = finish(begin("--executor", address, "--quiet"))
    assert (status, stderr) == (0, "")
    assert named_as_here(contents(Path(stdout.strip()))) == named_as_here(whole)

    process = begin("--executor", address, "--quiet")
    journal_of(process, 3)
    kill(workers[0])
    status, stdout, stderr = finish(process)
    assert (status, stderr) == (0, "")
    assert named_as_here(contents(Path(stdout.strip()))) == named_as_here(whole)


def test_no_such_executor(simlab, begin):
    result = simlab("sweep", *MATRIX, "--executor", "slurm")
    assert (result.exit_code, result.stderr) == (
        2,
        'Error: --executor is "slurm", want "local" or "dask://HOST:PORT"\n',
    )
    assert not Path("results").exists()
