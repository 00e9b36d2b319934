"""Waiting for packets and reading them, compiled."""

from typing import Any

from simlab.live.udp.compiled.compiling import part
from simlab.live.udp.compiled.layout import AT_ONCE, MOST_EVENTS, SOCKADDR_BYTES
from simlab.live.udp.compiled.system import (
    MSG_DONTWAIT,
    epoll_wait,
    errno,
    poll,
    ppoll,
    recvfrom,
    recvmmsg,
)

_EAGAIN = 11
_FINE_S = 0.002


@part
def wait(control: Any, watched: Any, ready: Any, events: Any, left_s: float, pause: Any) -> int:
    """Wait until something can be read, or the time is over; return how many sockets are in ``ready``."""
    timeout_ms = 0
    if left_s > _FINE_S:
        timeout_ms = int((left_s - _FINE_S / 2) * 1000)
    elif left_s > 0.0:
        pause[0] = 0
        pause[1] = int(left_s * 1e9)
        if ppoll(watched.ctypes.data, control.watched, pause.ctypes.data, 0) <= 0:
            return 0
    count = 0
    if control.has_epoll:
        count = epoll_wait(watched[0].fd, events.ctypes.data, MOST_EVENTS, timeout_ms)
        for number in range(count):
            ready[number] = events[number].fd
    elif poll(watched.ctypes.data, control.watched, timeout_ms) > 0:
        for number in range(control.watched):
            if watched[number].happened:
                ready[count] = watched[number].fd
                count += 1
    return count


@part
def read(control: Any, batch: Any, fd: int, with_names: bool, clock: Any) -> bool:
    """Read some packets. Returns whether the socket reported an error.

    Where one comes at a time, asking for another that is not there takes as long as taking it.
    """
    messages, names, payloads = batch
    most = control.most[int(with_names)]
    name_bytes = SOCKADDR_BYTES if with_names else 0
    if most == 1:
        clock[0] = name_bytes
        name, its_bytes = (names.ctypes.data, clock.ctypes.data) if with_names else (0, 0)
        # recvfrom takes less than recvmmsg.
        size = recvfrom(fd, payloads.ctypes.data, payloads.shape[1], MSG_DONTWAIT, name, its_bytes)
        count = 1 if size >= 0 else -1
        messages[0].size = max(size, 0)
    else:
        for number in range(most):
            messages[number].name_bytes = name_bytes
        count = recvmmsg(fd, messages.ctypes.data, most, MSG_DONTWAIT, 0)
        for number in range(count):
            messages[number].size &= 0xFFFFFFFF
    control.most[int(with_names)] = max(1, min(2 * most if count == most else count, AT_ONCE))
    control.fd = fd
    control.next = 0
    control.count = max(count, 0)
    if count < 0:
        control.error = errno(clock)
        return bool(control.error != _EAGAIN)
    return False
