"""What only a process of its own can show: signals, pipes, and that two processes agree."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SHORT = ("--set", "duration=3s", "--set", "peers.media=[]")
ENDLESS = ("--set", "duration=20h", "--set", "peers.media=[]")


def timelines(stdout):
    found = json.loads(stdout)
    records = found if isinstance(found, list) else [found]
    return [(Path(one["folder"]) / "timeline.jsonl").read_bytes() for one in records]


def finish(process, seconds=60):
    try:
        stdout, stderr = process.communicate(timeout=seconds)
    finally:
        process.kill()
    return process.returncode, stdout, stderr


def test_two_processes_write_the_same_bytes(start):
    processes = [start("run", "flaky", "--json", PYTHONHASHSEED=salt) for salt in ("1", "2")]
    (one,), (other,) = (timelines(finish(process)[1]) for process in processes)
    assert one == other
    assert len(one.splitlines()) > 1000


def test_jobs_change_nothing_but_the_time(start, simlab):
    matrix = ("run", "clean", "blackout", "--set", "duration=40s", "--seeds", "2", "--json")
    process = start(*matrix, "--jobs", "2")
    alone = simlab(*matrix, "--jobs", "1").stdout
    _, together, told = finish(process)
    assert timelines(alone) == timelines(together)
    assert len(set(timelines(alone))) == 4
    assert told == ""


TELLING = """
from pathlib import Path
from simlab.reconnect.policy import POLICIES
from simlab.reconnect.rules import Rules

class Telling(Rules):
    policy = POLICIES["pipecat"]

    def __init__(self, draws, policy=None):
        super().__init__(draws, policy)
        self.name = f"connected-{next(draws)}"

    def begin(self):
        Path(self.name).touch()
        super().begin()
"""


@pytest.fixture
def telling(here):
    """Return the options of a policy that leaves a file for each session whose client has connected."""
    (here / "telling.py").write_text(TELLING)
    return "--policy", "telling:Telling"


def wait_for_sessions(process, wanted):
    """Wait until the clients of so many sessions have connected."""
    while len(list(Path.cwd().glob("connected-*"))) < wanted:
        assert process.poll() is None
        time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ctrl_c_keeps_what_was_recorded_and_so_do_others(start, here, telling, number):
    process = start("run", "clean", "blackout", *ENDLESS, *telling)
    wait_for_sessions(process, 1)
    process.send_signal(number)
    status, stdout, stderr = finish(process)
    assert (status, stderr) == (130, "")
    assert re.search(r"The session failed at [0-9.]+ s \(interrupted\)", stdout)
    assert "1 of 2 sessions" in stdout
    (folder,) = (here / "results").iterdir()
    assert folder.name.endswith("-clean-telling:Telling-s1-failed")
    last = (folder / "timeline.jsonl").read_text().splitlines()[-1]
    assert json.loads(last)["stage"] == "interrupted"


def test_a_script_that_ignores_ctrl_c_for_it_can_end_it_all_the_same(start, telling):
    ours = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a script does before "&"
    try:
        process = start("run", "clean", *ENDLESS, *telling)
    finally:
        signal.signal(signal.SIGINT, ours)
    wait_for_sessions(process, 1)
    process.send_signal(signal.SIGINT)
    time.sleep(1.0)
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    status, stdout, stderr = finish(process)
    assert (status, stderr) == (130, "")
    assert re.search(r"The session failed at [0-9.]+ s \(interrupted\)", stdout)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ctrl_c_ends_the_workers_and_keeps_what_they_recorded(start, here, telling, number):
    process = start("run", "clean", *ENDLESS, *telling, "--seeds", "5", "--jobs", "2")
    wait_for_sessions(process, 2)
    os.killpg(process.pid, number)
    status, stdout, stderr = finish(process)
    assert (status, stderr) == (130, "")
    assert sorted(folder.name.partition("-")[2] for folder in (here / "results").iterdir()) == [
        "clean-telling:Telling-s1-failed",
        "clean-telling:Telling-s2-failed",
    ]
    assert "2 of 5 sessions" in stdout


def test_a_reader_that_leaves_early_gets_no_traceback(start, here):
    process = start("run", "clean", *SHORT)
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    status, _, stderr = finish(process)
    assert (status, stderr) == (141, "")
    assert len(list((here / "results").iterdir())) == 1


@pytest.mark.parametrize(
    "arguments", [("profiles", "list"), ("policies", "--json"), ("run", "clean", *SHORT, "--json")]
)
def test_a_full_disk_that_is_printed_to_gets_no_traceback(here, arguments):
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "simlab", *arguments]
        found = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert found.returncode == 3
    assert found.stderr == "Error: stdout cannot be written: No space left on device\n"


@pytest.mark.parametrize("options", ["--json", "--quiet", ""])
def test_a_closed_stdout_is_written_to_nowhere(here, options):
    command = f"{sys.executable} -m simlab run clean {' '.join(SHORT)} {options} <&- >&-"
    found = subprocess.run(["bash", "-c", command], stderr=subprocess.PIPE, text=True, timeout=60)
    assert (found.returncode, found.stderr) == (0, "")
    (folder,) = (here / "results").iterdir()
    json.loads((folder / "metrics.json").read_text())


def test_bad_input_gets_no_traceback(start, here):
    Path("bad.toml").write_bytes(b"\x80\x00")
    status, stdout, stderr = finish(start("run", "bad.toml"))
    assert (status, stdout, stderr) == (2, "", "Error: bad.toml: is not text in UTF-8\n")
    assert not (here / "results").exists()


def test_results_go_through_a_shell_pipe(here):
    command = f"{sys.executable} -m simlab run clean --set duration=3s --set peers.media=[] | head -1"
    found = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True, timeout=60)
    assert found.stdout == "clean, policy pipecat, seed 1, virtual clock, 3s\n"
    assert found.stderr == ""
