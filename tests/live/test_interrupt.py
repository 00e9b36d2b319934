"""What becomes of the processes when their parent is interrupted or killed."""

import signal
import subprocess
import sys
import time

import pytest

from tests.live.processes import alive, child, eventually

PROGRAM = """
from simlab.live import control
from simlab.live.session import run
from tests.virtual.sessions import scenario

event_of = control.event_of

def event_said(message):
    event = event_of(message)
    if event.kind == "bot_ready":
        print("ready", flush=True)
    return event

control.event_of = event_said
timeline = run(scenario('duration = "60s"'))
print(timeline.events[-1]["stage"], any(event.kind == "bot_ready" for event in timeline.events))
"""


@pytest.fixture
def session():
    """A program in the middle of a session, and the numbers of its child processes."""
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True) as program:
        pids = [child(program.pid, name) for name in ("relay", "server", "client")]
        assert program.stdout.readline() == "ready\n"
        yield program, pids
        program.kill()


def gone_after_s(pids):
    began_s = time.monotonic()
    eventually(lambda: not any(alive(pid) for pid in pids))
    return time.monotonic() - began_s


def test_ctrl_c_ends_the_processes_and_keeps_what_was_recorded(session):
    program, pids = session
    program.send_signal(signal.SIGINT)
    assert gone_after_s(pids) < 2
    assert program.stdout.read().split() == ["interrupted", "True"]
    assert program.wait(10) == 0


def test_neither_a_stopped_process_nor_impatience_holds_up_ctrl_c(session):
    program, pids = session
    subprocess.run(["kill", "-STOP", str(pids[1])], check=True)
    for _ in range(5):
        program.send_signal(signal.SIGINT)
    assert gone_after_s(pids) < 2
    assert program.stdout.read().split() == ["interrupted", "True"]
    assert program.wait(10) == 0


def test_a_parent_that_is_killed_leaves_nobody_behind(session):
    program, pids = session
    program.kill()
    assert gone_after_s(pids) < 2


AS_IT_BEGINS = """
import signal, threading
import simlab

start = threading.Thread.start

def interrupted(self):
    start(self)
    if self.name.startswith("simlab-session"):
        signal.raise_signal(signal.SIGINT)

threading.Thread.start = interrupted
try:
    simlab.run("clean", clock="real", set={"duration": "600s", "peers.media": []})
except KeyboardInterrupt:
    print("interrupted")
"""


def test_ctrl_c_as_a_session_begins_is_not_lost():
    program = [sys.executable, "-c", AS_IT_BEGINS]
    found = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)
    assert (found.stdout, found.stderr) == ("interrupted\n", "")
