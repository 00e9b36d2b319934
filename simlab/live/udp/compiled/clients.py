"""The table of the clients, compiled: which flow the packets of each belong to."""

from typing import Any

import numpy as np

from simlab.live.udp.compiled.compiling import kept, part
from simlab.live.udp.compiled.layout import TABLE, TABLE_BITS


@kept
def key_of(name: Any, listening: int) -> Any:
    """Return the key of a client, its sockaddr_in and the number of the socket that it sent to; not 0."""
    key = np.int64(listening + 1)
    for place in range(2, 8):
        key = key << 8 | np.int64(name[place])
    return key


@kept
def hash_of(key: Any) -> Any:
    """Return where a key would stand in an empty table."""
    return np.int64((np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(64 - TABLE_BITS))


@part
def find(keys: Any, places: Any, key: int) -> int:
    """Return the flow of a key, or -1."""
    at = hash_of(key)
    while keys[at]:
        if keys[at] == key:
            return int(places[at])
        at = (at + 1) & (TABLE - 1)
    return -1
