"""Memory for the compiled loop, all in one place."""

import math
import mmap
import sys
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

_ALIGNMENT_BYTES = 64
_HUGE_PAGE_BYTES = 2 * 2**20


class Room:
    """Give arrays memory in huge pages, where the system has them, that is there from the beginning.

    A process that sleeps between packets finds nothing in the processor's table of pages when it goes on:
    the fewer pages it needs, the less a packet takes (0.3 us of a core, of some 10). And the system gives
    memory when it is written to first, which takes its time.
    """

    def __init__(self) -> None:
        self._free = _mapped(_HUGE_PAGE_BYTES)

    def zeros(self, shape: int | tuple[int, ...], dtype: DTypeLike) -> Any:
        """Return an array of zeros; small ones lie side by side."""
        sizes, kind = np.atleast_1d(shape).tolist(), np.dtype(dtype)
        size_bytes = math.prod(sizes) * kind.itemsize
        if size_bytes > len(self._free):
            memory = _mapped(size_bytes)
        else:
            memory = self._free
            self._free = memory[-(-size_bytes // _ALIGNMENT_BYTES) * _ALIGNMENT_BYTES :]
        return memory[:size_bytes].view(kind).reshape(sizes)


def _mapped(least_bytes: int) -> Any:
    """Return bytes that begin with a huge page."""
    memory = mmap.mmap(-1, least_bytes + _HUGE_PAGE_BYTES, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if sys.platform == "linux":
        with suppress(OSError):  # a system without huge pages
            memory.madvise(mmap.MADV_HUGEPAGE)
    all_bytes = np.frombuffer(memory, np.uint8)
    found = all_bytes[-all_bytes.ctypes.data % _HUGE_PAGE_BYTES :][:least_bytes]
    found.fill(0)
    return found
