"""UDP sockets that lose nothing silently."""

import ipaddress
import os
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import suppress

from simlab.core.errors import InvalidInputError

LARGEST_DATAGRAM_BYTES = 65535
_BUFFER_BYTES = 4 * 2**20
# Linux's SO_MEMINFO (since 4.12), which Python does not name; the last of its numbers counts dropped packets.
_SO_MEMINFO, _MEMINFO = 55, struct.Struct("9I")
_UNSPECIFIED = {"0.0.0.0": "127.0.0.1", "::": "::1"}
# The same two as SO_RCVBUF and SO_SNDBUF, beyond the system's limits: for those who may (socket(7)).
_FORCED = {socket.SO_RCVBUF: 33, socket.SO_SNDBUF: 32}


def opened(address: tuple[str, int], family: int = socket.AF_INET) -> socket.socket:
    """Return a socket that is bound, does not block, and has buffers as large as the system allows.

    Raises
    ------
    OSError
        If there is none to be had, or not there.
    """
    one = socket.socket(family, socket.SOCK_DGRAM)
    try:
        one.setblocking(False)
        for option, forced in _FORCED.items():
            _enlarge(one, option, forced)
        one.bind(address)
    except OSError:
        one.close()
        raise
    return one


def _enlarge(one: socket.socket, option: int, forced: int) -> None:
    if sys.platform == "linux":
        with suppress(OSError):
            one.setsockopt(socket.SOL_SOCKET, forced, _BUFFER_BYTES)
            return
    one.setsockopt(socket.SOL_SOCKET, option, _BUFFER_BYTES)


def waiting(one: socket.socket) -> Iterator[tuple[bytes, tuple[str, int]]]:
    """Yield what has come to a socket, and from where, until there is nothing more."""
    # ConnectionRefusedError is the answer of a closed port to an earlier packet.
    with suppress(BlockingIOError, ConnectionError):
        while True:
            payload, source = one.recvfrom(LARGEST_DATAGRAM_BYTES)
            yield payload, (source[0], source[1])


def kernel_drops(one: socket.socket) -> int:
    """Return how many packets the kernel dropped before they could be read: none, beyond Linux."""
    if sys.platform != "linux":
        return 0
    return int(_MEMINFO.unpack(one.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO.size))[-1])


def endpoint(text: str, name: str, *, free_port: bool = False) -> tuple[int, tuple[str, int]]:
    """Read ``127.0.0.1:5000``, ``[::1]:5000`` or ``localhost:5000``.

    Parameters
    ----------
    name
        What to call it in a message: ``--listen``.
    free_port
        Whether port 0, any that is free, will do.

    Returns
    -------
    The address family, and the address and port.

    Raises
    ------
    InvalidInputError
        If it is none, or there is no such host.
    """
    host, colon, port = text.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    least = 0 if free_port else 1
    number = int(port) if port.isascii() and port.isdigit() and len(port) < 6 else -1
    if not (colon and bare and (":" not in bare or bare != host) and least <= number <= 65535):
        want = "want an address and a port, such as 127.0.0.1:5000 or [::1]:5000"
        raise InvalidInputError([f"{name} is {text!r}, {want}"])
    try:
        family, _, _, _, found = socket.getaddrinfo(bare, number, type=socket.SOCK_DGRAM)[0]
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InvalidInputError([f"{name} is {text!r}: {reason}"]) from None
    return int(family), (str(found[0]), int(found[1]))


def leads_back(listen: tuple[str, int], target: tuple[str, int]) -> bool:
    """Tell whether what is sent to ``target`` comes to who listens at ``listen``."""
    if 0 in (listen[1], target[1]) or listen[1] != target[1]:
        return False
    host = _UNSPECIFIED.get(target[0], target[0])  # where the system sends what is for no address
    return host == listen[0] or (listen[0] in _UNSPECIFIED and is_here(host))


def is_here(host: str) -> bool:
    """Tell whether an address is one of this machine's."""
    try:
        opened((host, 0), socket.AF_INET6 if ":" in host else socket.AF_INET).close()
    except OSError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Tell whether nobody but this machine reaches an address."""
    return host == "localhost" or (is_address(host) and ipaddress.ip_address(host).is_loopback)


def is_address(host: str) -> bool:
    """Tell whether a host is given by its address, not by a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def endpoint_text(address: tuple[str, int]) -> str:
    """Write an address and its port."""
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def from_here(address: tuple[str, int]) -> tuple[str, int]:
    """Return an address by which this machine reaches who listens at one, which may be all of them."""
    host, port = address
    return _UNSPECIFIED.get(host, host), port


def reason_of(error: OSError) -> str:
    """Say why a place could not be listened on, once: asyncio's own words name the place again."""
    number = error.errno or 0
    return os.strerror(number) if number > 0 else error.strerror or str(error)
