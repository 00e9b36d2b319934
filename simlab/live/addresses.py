"""Where everybody is. Linux answers on every address of 127/8, so nothing has to be set up there."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

import aioice.ice

from simlab.core.errors import InvalidInputError
from simlab.live.sockets import is_here
from simlab.profile.ice import ServerName

Address = tuple[str, int]
Side = Literal["client", "server"]

LOOPBACK = "127."
"""How every address in a session begins."""

HOSTS: dict[Side, str] = {"client": "127.0.0.2", "server": "127.0.0.3"}
RELAY_HOSTS: dict[Side, str] = {"client": "127.0.0.4", "server": "127.0.0.5"}
"""The relay's own addresses, by the side that sees them."""

ICE_HOSTS: dict[ServerName, str] = {"stun": "127.0.0.6", "turn": "127.0.0.7"}
"""The STUN and TURN servers, on the server's side; relayed addresses are the TURN server's own."""

# Addresses beyond those above are made by counting on from here: for a client that moves, and for a relay
# that rebinds to another address.
_NETWORK = "127.0.1"

_NAME = "get_host_addresses"
_lock = threading.Lock()
_before: list[Callable[[bool, bool], list[str]]] = []
_moved: dict[Side, str | None] = {}


def check_addresses() -> None:
    """Raise ``InvalidInputError`` unless all of these are addresses of this machine."""
    missing = [
        host for hosts in (HOSTS, RELAY_HOSTS, ICE_HOSTS) for host in hosts.values() if not is_here(host)
    ]
    if missing:
        cure = "on macOS, sudo ifconfig lo0 alias ADDRESS up gives it one"
        raise InvalidInputError(
            [f"--clock real wants addresses that this machine has not: {', '.join(missing)}; {cure}"]
        )


def another_host(number: int) -> str:
    """Return the address of that number, from 1, that nobody else has."""
    return f"{_NETWORK}.{number}"


def move(side: Side, host: str | None) -> None:
    """Let ICE of this process gather another address from now on, or none."""
    _moved[side] = host


def host_of(side: Side) -> str | None:
    """Return the address that ICE of this process gathers on a side; None while there is none."""
    return _moved.get(side, HOSTS[side])


@contextmanager
def gathering_on(side: Side) -> Iterator[None]:
    """Make ICE gather the address of one side alone: aioice leaves out loopback by itself.

    Sessions in several threads may overlap; the last one puts back what was there.
    """

    def own_address(use_ipv4: bool, use_ipv6: bool) -> list[str]:
        host = host_of(side)
        return [host] if use_ipv4 and host is not None else []

    with _lock:
        _before.append(getattr(aioice.ice, _NAME))
        setattr(aioice.ice, _NAME, own_address)
    try:
        yield
    finally:
        with _lock:
            # Whichever session ends last, the first entry is the one from before all of them.
            original = _before[0]
            _before.pop()
            if not _before:
                setattr(aioice.ice, _NAME, original)


@contextmanager
def gathering_from(hosts: Callable[[], list[str]]) -> Iterator[None]:
    """Make ICE gather what ``hosts`` returns, each time: for a process that is one server and no session."""
    before = getattr(aioice.ice, _NAME)

    def gather(use_ipv4: bool, use_ipv6: bool) -> list[str]:
        return [host for host in hosts() if (use_ipv6 if ":" in host else use_ipv4)]

    setattr(aioice.ice, _NAME, gather)
    try:
        yield
    finally:
        setattr(aioice.ice, _NAME, before)
