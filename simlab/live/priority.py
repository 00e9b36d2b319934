"""Which turn the packet process has on a core that others want, too."""

import ctypes
import os
import platform
import struct
import sys

_SCHED_SETATTR = {"x86_64": 314, "aarch64": 274}
"""The number of the system call, for which glibc has no function before 2.41: sched_setattr(2)."""
_ATTRIBUTES = struct.Struct("<IIQiIQQQ")
"""struct sched_attr: size, policy, flags, nice, priority, runtime, deadline, period; times in ns."""
_RESET_ON_FORK = 1
_SLICE_NS = 100_000


class Priority:
    """Be in time where packets wait for theirs, and share the core where they go straight through.

    With real-time priority the process is woken up at once, whatever else runs, but one that is busy all
    the time starves those on its core that the packets come from and go to: at 20,000 packets a second
    each way, through a link without delay on two cores, the 99th percentile of the round trip was ten
    times higher with it. A short slice (EEVDF, Linux 6.12 and later; no privilege needed) lets it in soon,
    and them after it. At a high weight it would be in their way as well: nice -20 took 2 us more a packet.
    """

    def __init__(self) -> None:
        self._is_in_time: bool | None = None

    def be_in_time(self) -> bool:
        """Run before all that is not real-time; False if the system refuses, or has no such priority."""
        if sys.platform != "linux":
            return False
        if self._is_in_time is not True:
            self._is_in_time = True
            try:
                os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))
            except OSError:
                return False
        return True

    def be_in_time_or_share(self) -> None:
        """Be in time, or where the system refuses that, take turns in short slices."""
        if not self.be_in_time():
            self.share()

    def share(self) -> None:
        """Take turns with others, in short slices; as the system allows."""
        if self._is_in_time is not False:
            self._is_in_time = False
            _take_slices()


def _take_slices() -> None:
    if sys.platform != "linux":
        return
    number = _SCHED_SETATTR.get(platform.machine())
    if number is None:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        return
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    fields = (_ATTRIBUTES.size, os.SCHED_OTHER, _RESET_ON_FORK, nice, 0, _SLICE_NS, 0, 0)
    ctypes.CDLL(None).syscall(number, 0, _ATTRIBUTES.pack(*fields), 0)
