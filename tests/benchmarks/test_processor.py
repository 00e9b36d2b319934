"""What processes take of the processor, as /proc tells."""

import os
import subprocess
import sys

from benchmarks.processor import children, cpu_s

SPIN = "import time\nwhile time.process_time() < 0.5: pass\nprint(flush=True)\ninput()"
BELOW = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {SPIN!r}])"


def test_what_a_process_below_took_counts():
    before = children(os.getpid())
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", BELOW], **pipes) as one:
        one.stdout.readline()
        (root,) = new = children(os.getpid()) - before
        assert root == one.pid
        taken_s = cpu_s(new)
        one.stdin.close()
    # What it has spun, and what two interpreters take to start; a tick is 10 ms.
    assert 0.49 <= taken_s < 5
    assert cpu_s(set()) == 0
