"""Find processes by their parents, from /proc, and start relays in some."""

import subprocess
import sys
import time
from pathlib import Path


def children(pid):
    """Return the modules that the children of a process run, by process number."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().split(b"\0")
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        if int(fields[1]) == pid and b"-m" in command:
            found[int(folder.name)] = command[command.index(b"-m") + 1].decode()
    return found


def child(pid, name):
    """Wait for a child that runs ``simlab.live.{name}_process``, and return its number."""
    return eventually(
        lambda: next((c for c, m in children(pid).items() if m.endswith(f"{name}_process")), None)
    )


def alive(pid):
    """Tell whether a process is there and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def eventually(found, within_s=20.0):
    """Return what ``found`` returns as soon as that is true."""
    until_s = time.monotonic() + within_s
    while not (value := found()):
        assert time.monotonic() < until_s, "it did not happen in time"
        time.sleep(0.01)
    return value


def start_relay(*arguments, **wishes):
    """Start ``simlab relay``, and return its process; ``wishes`` are those of ``subprocess.Popen``."""
    return subprocess.Popen(
        [sys.executable, "-m", "simlab", "relay", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **wishes,
    )
