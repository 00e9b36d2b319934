"""How much of the processor processes take, from Linux's /proc."""

import os
from collections.abc import Iterator
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def children(pid: int) -> set[int]:
    """Return the processes that the main thread of a process has started."""
    return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def cpu_s(pids: set[int]) -> float:
    """Return the seconds of one core that processes and those below them have taken so far."""
    return sum(_own_ticks(pid) for root in pids for pid in _tree(root)) / _TICKS_PER_S


def _tree(root: int) -> Iterator[int]:
    yield root
    for child in children(root):
        yield from _tree(child)


def _own_ticks(pid: int) -> int:
    # The 14th and 15th field of proc(5)'s stat: in user mode, and in the kernel.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
