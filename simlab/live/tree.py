"""Signals to a process and to all that it has started, as a browser is many processes."""

import os
import signal
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PARENT, _START = 1, 19  # counted from the state, the first field behind the name (proc_pid_stat(5))


@dataclass(frozen=True)
class Member:
    """A process, known by its number and the moment at which it began, since numbers come again."""

    pid: int
    began: str

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, if it is still there."""
        fields = _fields(self.pid)
        if fields is not None and fields[_START] == self.began:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)


def _fields(pid: int) -> list[str] | None:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:  # it has ended
        return None


def descendants(pid: int) -> list[Member]:
    """Return what a process has started, and what those have started, the eldest first."""
    children: dict[int, list[Member]] = defaultdict(list)
    for folder in Path("/proc").glob("[0-9]*"):
        fields = _fields(int(folder.name))
        if fields is not None:
            children[int(fields[_PARENT])].append(Member(int(folder.name), fields[_START]))
    found = list(children[pid])
    for member in found:  # it grows meanwhile
        found += children[member.pid]
    return found
