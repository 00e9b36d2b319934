"""Where everybody is. Linux answers on every address of 127/8, so nothing has to be set up."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

import aioice.ice

Address = tuple[str, int]
Side = Literal["client", "server"]

HOSTS: dict[Side, str] = {"client": "127.0.0.2", "server": "127.0.0.3"}
RELAY_HOSTS: dict[Side, str] = {"client": "127.0.0.4", "server": "127.0.0.5"}
"""The relay's own addresses, by the side that sees them."""

_NAME = "get_host_addresses"
_lock = threading.Lock()
_before: list[Callable[[bool, bool], list[str]]] = []


@contextmanager
def gathering_on(side: Side) -> Iterator[None]:
    """Make ICE gather the address of one side alone: aioice leaves out loopback by itself.

    Sessions in several threads may overlap; the last one puts back what was there.
    """

    def own_address(use_ipv4: bool, use_ipv6: bool) -> list[str]:
        return [HOSTS[side]] if use_ipv4 else []

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
