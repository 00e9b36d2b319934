"""What the compiled loop asks of the system."""

from typing import Any

from numba import types

from simlab.live.udp.compiled.compiling import part
from simlab.live.udp.compiled.layout import SOCKADDR_BYTES

_int, _long, _address, _unsigned = types.int32, types.int64, types.uintp, types.uint32
epoll_wait: Any = types.ExternalFunction("epoll_wait", _int(_int, _address, _int, _int))
ppoll: Any = types.ExternalFunction("ppoll", _int(_address, _address, _address, _address))
recvfrom: Any = types.ExternalFunction("recvfrom", _long(_int, _address, _long, _int, _address, _address))
recvmmsg: Any = types.ExternalFunction("recvmmsg", _int(_int, _address, _unsigned, _int, _address))
_sendto: Any = types.ExternalFunction("sendto", _long(_int, _address, _address, _int, _address, _unsigned))
poll: Any = types.ExternalFunction("poll", _int(_address, _address, _int))
memcpy: Any = types.ExternalFunction("memcpy", _address(_address, _address, _address))
_errno_location: Any = types.ExternalFunction("__errno_location", _address())
_clock_gettime: Any = types.ExternalFunction("clock_gettime", _int(_int, _address))
MSG_DONTWAIT = 0x40
_MONOTONIC = 1


@part
def monotonic_s(clock: Any) -> float:
    """Return what ``time.monotonic()`` does; ``clock`` is a struct timespec."""
    _clock_gettime(_MONOTONIC, clock.ctypes.data)
    return float(clock[0]) + 1e-9 * float(clock[1])


@part
def errno(scratch: Any) -> int:
    """Return why the last call failed."""
    scratch[0] = 0
    memcpy(scratch.ctypes.data, _errno_location(), 4)
    return int(scratch[0])


@part
def send(is_up: bool, flow: Any, payload: Any, size: int) -> bool:
    """Send a packet to the target or to the client. Returns whether it has left."""
    # The first error may be about an earlier packet, which had left in order.
    for _ in range(2):
        if is_up:
            sent = _sendto(flow.upstream, payload.ctypes.data, size, MSG_DONTWAIT, 0, 0)
        else:
            sent = _sendto(
                flow.listening,
                payload.ctypes.data,
                size,
                MSG_DONTWAIT,
                flow.client.ctypes.data,
                SOCKADDR_BYTES,
            )
        if sent >= 0:
            return True
    return False
