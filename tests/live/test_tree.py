"""Processes that processes have started."""

import os
import signal
import subprocess
import sys

from simlab.live.tree import descendants
from tests.live.processes import alive, eventually

SLEEPS = "import time; time.sleep(600)"
STARTS_ANOTHER = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {SLEEPS!r}])"


def test_the_tree_of_a_process_is_found_and_ends_to_the_last():
    with subprocess.Popen([sys.executable, "-c", STARTS_ANOTHER]) as process:
        (below,) = eventually(lambda: descendants(process.pid))
        below.send(signal.SIGKILL)
        assert process.wait(20) == 0  # it has waited for the other one
        assert not alive(below.pid)
        assert descendants(process.pid) == []


def test_a_number_that_has_come_again_is_another_process():
    with subprocess.Popen([sys.executable, "-c", SLEEPS]) as process:
        (member,) = (m for m in descendants(os.getpid()) if m.pid == process.pid)
        type(member)(member.pid, "0").send(signal.SIGKILL)
        assert alive(process.pid)
        process.kill()
