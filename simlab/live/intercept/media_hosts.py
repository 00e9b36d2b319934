"""The addresses of this machine that media go to: one of IPv4, one of IPv6."""

import ipaddress
import socket
from collections.abc import Sequence

from aioice.ice import get_host_addresses

from simlab.live.sockets import is_address, is_loopback

_LOOPBACK = {4: "127.0.0.1", 6: "::1"}
_FAMILY = {4: socket.AF_INET, 6: socket.AF_INET6}
# Addresses for documentation (RFC 5737, RFC 3849), only to ask the kernel for a route: nothing is sent.
_ELSEWHERE = {4: "192.0.2.1", 6: "2001:db8::1"}


def version_of(host: str) -> int:
    """Return which IP an address is of, 4 or 6; 0 for what is no address."""
    return ipaddress.ip_address(host).version if is_address(host) else 0


def is_own(host: str) -> bool:
    """Tell whether an address, and not all at once, is this machine's."""
    version = version_of(host)
    if not version or ipaddress.ip_address(host).is_unspecified:
        return False
    try:
        with socket.socket(_FAMILY[version], socket.SOCK_DGRAM) as trial:
            trial.bind((host, 0))
    except OSError:
        return False
    return True


def hosts_for_media(given: Sequence[str]) -> tuple[str, ...]:
    """Return an address of each IP that the machine has: IPv4, then IPv6.

    Parameters
    ----------
    given
        Those that are wanted. Beside one on loopback the other is on loopback, too; without any they are
        those from which packets to elsewhere leave.
    """
    found = {version_of(host): host for host in given}
    near = any(is_loopback(host) for host in given)
    for version in (4, 6):
        if version not in found:
            host = _LOOPBACK[version] if near else _outward(version)
            if is_own(host):
                found[version] = host
    return tuple(found[version] for version in sorted(found))


def _outward(version: int) -> str:
    """Return the address from which packets to elsewhere leave; where none do, any that others may reach."""
    try:
        with socket.socket(_FAMILY[version], socket.SOCK_DGRAM) as probe:
            probe.connect((_ELSEWHERE[version], 9))
            return str(probe.getsockname()[0])
    except OSError:
        others = [host for host in get_host_addresses(version == 4, version == 6) if is_own(host)]
        return next((host for host in others if not is_loopback(host)), _LOOPBACK[version])
