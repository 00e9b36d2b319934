"""Whoever passes packets on is in time where they wait, and shares the core where they do not."""

import json
import math
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from simlab.live.session import run
from simlab.live.udp import loop as loop_module
from simlab.live.udp.loop import Loop
from tests.live.processes import child, eventually
from tests.virtual.sessions import scenario

_IN_A_PROCESS = """
import json, os, sys
from simlab.live.priority import Priority
if sys.argv[1] != "root":
    os.setgid(65534); os.setuid(65534)
priority, seen = Priority(), []
for act in (priority.share, priority.be_in_time, priority.be_in_time, priority.share):
    answer = act()
    seen.append((answer, os.sched_getscheduler(0), os.getpriority(os.PRIO_PROCESS, 0)))
print(json.dumps(seen))
"""
_OTHER, _RR = os.SCHED_OTHER, os.SCHED_RR


def _seen(*arguments):
    command = [sys.executable, "-P", "-c", _IN_A_PROCESS, *arguments]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, env=environment, check=True)
    return [
        (answer, policy & ~os.SCHED_RESET_ON_FORK, nice) for answer, policy, nice in json.loads(done.stdout)
    ]


@pytest.mark.skipif(os.getuid() != 0, reason="only root may have a higher priority")
def test_it_goes_from_a_share_to_real_time_and_back():
    assert _seen("root") == [(None, _OTHER, 0), (True, _RR, 0), (True, _RR, 0), (None, _OTHER, 0)]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_who_may_not_have_it_is_told_once_and_goes_on():
    answers = _seen("nobody")
    assert answers == [(None, _OTHER, 0), (False, _OTHER, 0), (True, _OTHER, 0), (None, _OTHER, 0)]


@pytest.mark.skipif(os.getuid() != 0, reason="only root may have a higher priority")
def test_the_relay_of_a_session_is_in_time_while_it_carries_packets():
    with ThreadPoolExecutor(1) as pool:
        timeline = pool.submit(run, scenario('duration = "2s"'))
        relay = child(os.getpid(), "relay")
        eventually(lambda: os.sched_getscheduler(relay) & ~os.SCHED_RESET_ON_FORK == _RR)
        assert timeline.result().events[-1].kind == "end"


class Asked:
    def __init__(self):
        self.calls = []

    def be_in_time(self):
        self.calls.append("in time")

    def share(self):
        self.calls.append("share")


class Waiting:
    """A way whose packets wait for a while, and then no more."""

    def __init__(self, times):
        self.times = times
        self.due_s = math.inf

    def release(self, now_s):
        self.times -= 1
        self.due_s = now_s + 0.0001 if self.times > 0 else math.inf


def test_the_loop_asks_for_it_while_packets_wait_and_for_a_second_after(monkeypatch):
    # Each look at the clock takes a tenth of a second.
    steps = count()
    monkeypatch.setattr(loop_module, "monotonic", lambda: next(steps) / 10)
    priority, seconds = Asked(), []

    def every_second(now_s):
        seconds.append(len(priority.calls))
        loop.running = len(seconds) < 6
        if len(seconds) == 3:
            way.due_s = now_s + 0.3

    loop = Loop(every_second, priority)
    way = Waiting(1)
    loop.ways = (way,)
    ours, theirs = os.pipe()
    os.write(theirs, b"x")
    loop.watch(ours, lambda: None)  # always something to read, so that nothing takes real time
    loop.run()
    loop.forget(ours)
    os.close(ours)
    os.close(theirs)
    assert priority.calls == ["share", "share", "share", "in time", "share", "share"]
    assert seconds == [0, 1, 2, 4, 4, 5]
