"""What the compiled loop reads packets into, and what it says when it returns."""

import select
from collections.abc import Iterator
from typing import Any

import numpy as np

from simlab.live.sockets import LARGEST_DATAGRAM_BYTES
from simlab.live.udp.compiled.layout import (
    AT_ONCE,
    CONTROL,
    EVENT,
    MESSAGE,
    MOST_EVENTS,
    SOCKADDR_BYTES,
    VECTOR,
    WATCHED,
)
from simlab.live.udp.compiled.room import Room
from simlab.live.udp.readiness import MOST_POLLED, Readiness


class Batch:
    """Keep the structures of recvmmsg(2), each of whose messages points to a row of the others."""

    def __init__(self, room: Room) -> None:
        self._control = room.zeros(1, CONTROL)
        self.control = self._control[0]
        self.control["most"] = 1
        self._messages = room.zeros(AT_ONCE, MESSAGE)
        self._vectors = room.zeros(AT_ONCE, VECTOR)
        self._names = room.zeros((AT_ONCE, SOCKADDR_BYTES), np.uint8)
        self.ready = room.zeros(MOST_EVENTS, np.int32)
        self._watched = room.zeros(MOST_POLLED, WATCHED)
        self._watched["events"] = select.POLLIN
        self._events = room.zeros(MOST_EVENTS, EVENT)
        self._payloads = room.zeros((AT_ONCE, LARGEST_DATAGRAM_BYTES), np.uint8)
        self._point()

    def _point(self) -> None:
        self._vectors["base"] = self._payloads.ctypes.data + np.arange(AT_ONCE) * LARGEST_DATAGRAM_BYTES
        self._vectors["size"] = LARGEST_DATAGRAM_BYTES
        self._messages["name"] = self._names.ctypes.data + np.arange(AT_ONCE) * SOCKADDR_BYTES
        self._messages["vector"] = self._vectors.ctypes.data + np.arange(AT_ONCE) * VECTOR.itemsize
        self._messages["vectors"] = 1

    def watch(self, readiness: Readiness) -> None:
        """Wait for what that would."""
        fds = list(readiness.fds) if readiness.epoll is None else [readiness.epoll]
        self.control["has_epoll"] = readiness.epoll is not None
        self.control["watched"] = len(fds)
        self._watched["fd"][: len(fds)] = fds

    @property
    def all(self) -> tuple[Any, ...]:
        """In the order in which the compiled loop wants them."""
        packets = self._messages, self._names, self._payloads
        return self.control, self._watched, self.ready, self._events, packets

    def left(self, most: int = AT_ONCE) -> Iterator[tuple[bytes, bytes]]:
        """Yield the name of the sender and the payload of what has not been taken in, and forget it."""
        control = self.control
        for _ in range(min(most, int(control["count"] - control["next"]))):
            number = int(control["next"])
            control["next"] = number + 1
            size = int(self._messages[number]["size"])
            yield self._names[number].tobytes(), self._payloads[number, :size].tobytes()
