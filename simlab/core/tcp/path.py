"""Connections between a client and a server, whose segments cross the two links between them."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from simlab.core.link import Link
from simlab.core.packet import Direction
from simlab.core.tcp.endpoint import Endpoint, Failure
from simlab.core.tcp.segment import Segment

_FILLING = b"\xff"  # no packet class begins with it


class _Tag(NamedTuple):
    connection: "Connection"
    segment: Segment


@dataclass(eq=False)
class Connection:
    """A connection that the client has opened: an endpoint at each end.

    Parameters
    ----------
    sender
        The endpoint that sends in each direction.
    is_cut
        Whether its segments are lost, all of them.
    """

    sender: Mapping[Direction, Endpoint]
    is_cut: bool = False
    written: dict[Direction, int] = field(default_factory=lambda: dict.fromkeys(Direction, 0))

    @property
    def failure(self) -> Failure | None:
        """Why it is over, if it is, as far as the client and whoever has accepted it know."""
        client, server = self.sender[Direction.UP], self.sender[Direction.DOWN]
        # A server that has accepted nothing gives up without a word to anybody.
        return client.failure or (server.failure if server.is_established else None)

    def has_arrived(self, direction: Direction, upto_bytes: int | None = None) -> bool:
        """Tell whether so many bytes have arrived since it began; without a number, all that was written."""
        upto_bytes = self.written[direction] if upto_bytes is None else upto_bytes
        return self.receiver(direction).got_bytes >= upto_bytes

    def receiver(self, direction: Direction) -> Endpoint:
        """Return the endpoint to which a direction leads."""
        return self.sender[Direction.DOWN if direction is Direction.UP else Direction.UP]


class TcpPath:
    """Open connections and carry bytes over them. It does no I/O, and never asks what time it is.

    Parameters
    ----------
    links
        The two links; nothing else may use them.
    """

    def __init__(self, links: Mapping[Direction, Link]) -> None:
        self._links = links
        self._connections: list[Connection] = []

    def open(self, now_s: float) -> Connection:
        """Begin to open a connection."""
        self.advance(now_s)
        connection = Connection({Direction.UP: Endpoint(True, now_s), Direction.DOWN: Endpoint(False, now_s)})
        self._connections.append(connection)
        self._flush(connection, now_s)
        return connection

    def write(self, connection: Connection, direction: Direction, size_bytes: int, now_s: float) -> None:
        """Send bytes, as soon as the connection is open."""
        self.advance(now_s)
        connection.written[direction] += size_bytes
        connection.sender[direction].write(size_bytes, now_s)
        self._flush(connection, now_s)

    def forget(self, connection: Connection) -> None:
        """Do nothing more for a connection."""
        if connection in self._connections:
            self._connections.remove(connection)

    def next_due_s(self) -> float | None:
        """Return when something happens next; None for never."""
        due_s = min((at_s for at_s, _ in self._due()), default=math.inf)
        return None if due_s == math.inf else due_s

    def _due(self) -> Iterator[tuple[float, Link | tuple[Connection, Endpoint]]]:
        """Yield what comes next of each link and each timer; an arrival comes before a timer of its time."""
        for link in self._links.values():
            if (due_s := link.next_due_s()) is not None:
                yield due_s, link
        for connection in self._connections:
            for end in connection.sender.values():
                if end.timer_s is not None:
                    yield end.timer_s, (connection, end)

    def advance(self, now_s: float) -> None:
        """Let happen what happens until then, at its time."""
        while True:
            at_s, what = min(self._due(), key=lambda due: due[0], default=(math.inf, None))
            if at_s > now_s or what is None:
                return
            if isinstance(what, Link):
                self._arrive(what, at_s)
            else:
                connection, end = what
                end.expire(at_s)
                self._flush(connection, at_s)

    def _arrive(self, link: Link, now_s: float) -> None:
        direction = next(way for way, one in self._links.items() if one is link)
        for packet in link.release(now_s):
            tag = packet.tag
            assert isinstance(tag, _Tag)
            connection, segment = tag
            # A segment with a wrong checksum is as good as lost.
            intact = packet.payload == _FILLING * segment.size_bytes
            if intact and connection in self._connections and not connection.is_cut:
                connection.receiver(direction).receive(segment, now_s)
                self._flush(connection, now_s)

    def _flush(self, connection: Connection, now_s: float) -> None:
        for direction, end in connection.sender.items():
            segments, end.to_send = end.to_send, []
            for segment in segments:
                self._links[direction].receive(
                    _FILLING * segment.size_bytes, now_s, _Tag(connection, segment)
                )
