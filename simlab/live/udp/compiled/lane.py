"""Python's side of the compiled loop: which sockets and flows it knows, and what to do when it returns."""

import os
import select
import socket
import struct
from collections import Counter
from collections.abc import Callable

import numpy as np

from simlab.core.impair.loss import BernoulliStage
from simlab.core.link import Link
from simlab.core.packet import Direction
from simlab.core.straight import StraightLink
from simlab.live.udp.compiled import carry
from simlab.live.udp.compiled.batch import Batch
from simlab.live.udp.compiled.clients import hash_of, key_of
from simlab.live.udp.compiled.layout import (
    AT_ONCE,
    BOTH_WAYS,
    FLOW,
    IS_LISTENING,
    IS_UPSTREAM,
    MOST_FDS,
    MOST_FLOWS,
    NOWHERE,
    TABLE,
    TO_TARGET,
)
from simlab.live.udp.compiled.room import Room
from simlab.live.udp.compiled.stand_in import Arrays, CompiledLink, Known, clocks
from simlab.live.udp.flows import Address, Flow
from simlab.live.udp.forward import Forward
from simlab.live.udp.readiness import Readiness


class Lane:
    """Carry the packets of all flows, as long as both links can be stood in for.

    Parameters
    ----------
    wait
        Called when packets wait for their time, for the first time in a second.
    """

    def __init__(self, wait: Callable[[], None]) -> None:
        self._wait = wait
        room = Room()
        self._batch = Batch(room)
        self._links: dict[Direction, CompiledLink] = {}
        self._forwards: list[Forward] = []
        self._flows: list[Flow] = []
        self._places: dict[Flow, int] = {}
        self._knows_all = True
        self._rows = room.zeros(MOST_FLOWS, FLOW)
        self._roles, self._flow_of = room.zeros(MOST_FDS, np.int8), room.zeros(MOST_FDS, np.int32)
        self._keys, self._values = room.zeros(TABLE, np.int64), room.zeros(TABLE, np.int32)
        self._arrays = Arrays(room)
        tables = self._roles, self._flow_of, self._keys, self._values, self._rows
        self._all = (*self._batch.all, tables, self._arrays.all, *clocks(room))
        self._known = Known(self._flows, self._places, self._rows)

    def prepare(self) -> None:
        """Compile, or take what was compiled earlier: that takes seconds."""
        carry.carry(0.0, *self._all)
        nothing_done = StraightLink(Link(()), None, None, 0.0, Counter())
        CompiledLink(nothing_done, self._arrays, Direction.UP, 0.0, self._known).prepare()
        hash_of(key_of(np.frombuffer(_sockaddr(("0.0.0.0", 0)), np.uint8), 0))

    @property
    def have_waited(self) -> bool:
        """Whether packets have waited for their time, in this second."""
        return bool(self._batch.control["have_waited"])

    @have_waited.setter
    def have_waited(self, value: bool) -> None:
        self._batch.control["have_waited"] = value

    def listen(self, forward: Forward) -> None:
        """Know where a relay listens."""
        fd = forward.socket.fileno()
        if forward.place.family != socket.AF_INET or fd >= MOST_FDS:
            self._knows_all = False
            return
        self._roles[fd], self._flow_of[fd] = IS_LISTENING, len(self._forwards)
        self._forwards.append(forward)

    def add(self, flow: Flow, forward: Forward) -> None:
        """Know a flow."""
        fd, place = flow.upstream.fileno(), len(self._flows)
        if forward not in self._forwards or fd >= MOST_FDS or place >= MOST_FLOWS:
            self._knows_all = False
            return
        assert flow.client is not None
        name = np.frombuffer(_sockaddr(flow.client), np.uint8)
        self._flows.append(flow)
        self._places[flow] = place
        self._rows[place] = (
            fd,
            forward.socket.fileno(),
            BOTH_WAYS,
            forward.place.inbound_refreshes,
            0,
            0,
            0.0,
            name,
        )
        self._roles[fd], self._flow_of[fd] = IS_UPSTREAM, place
        self._put(key_of(name, self._forwards.index(forward)), place)

    def _put(self, key: int, place: int) -> None:
        at = hash_of(key)
        while self._keys[at] not in (0, key):
            at = (at + 1) % TABLE
        self._keys[at], self._values[at] = key, place

    def rebound(self, flow: Flow, forward: Forward) -> None:
        """Leave to Python what comes to the mapping of a flow that is known by another now."""
        self._leave(flow, forward, TO_TARGET)

    def ended(self, flow: Flow, forward: Forward) -> None:
        """Know a flow no more; what is under way for it is lost."""
        self._leave(flow, forward, NOWHERE)

    def _leave(self, flow: Flow, forward: Forward, leads: int) -> None:
        place = self._places.get(flow)
        if place is None:
            return
        self.harvest()
        row = self._rows[place]
        was, row["leads"] = int(row["leads"]), leads
        if was < BOTH_WAYS:
            return
        self._roles[row["upstream"]] = 0
        self._put(key_of(row["client"], self._forwards.index(forward)), -1)

    def stand_in(
        self, straight: StraightLink, direction: Direction, zero_s: float
    ) -> StraightLink | CompiledLink:
        """Return what goes the compiled way instead, or the same if nothing can. It must be empty."""
        if not self._knows_all or not isinstance(straight.loss, BernoulliStage | None):
            return straight
        link = CompiledLink(straight, self._arrays, direction, zero_s, self._known)
        self._links[direction] = link
        return link

    @property
    def is_usable(self) -> bool:
        """Whether both directions can go the compiled way now."""
        return (
            self._knows_all and len(self._links) == 2 and all(link.is_in_use for link in self._links.values())
        )

    def carry(self, readiness: Readiness, until_s: float) -> list[tuple[int, int]]:
        """Carry packets until then, or until there is something for Python to read; return where."""
        while self.is_usable:
            self._batch.watch(readiness)
            reason = carry.carry(until_s, *self._all)
            if reason == carry.READABLE:
                return [
                    (fd, select.POLLIN) for fd in self._batch.ready[: self._batch.control["ready"]].tolist()
                ]
            if reason == carry.TIME_IS_UP:
                break
            self._go_on_after(reason)
        self._hand_over()
        return []

    def _go_on_after(self, reason: int) -> None:
        if reason == carry.STRANGER:
            self._hand_over(1)
        elif reason == carry.WAITS:
            self._wait()
        elif reason == carry.FAILED:
            self._fail(int(self._batch.control["fd"]), int(self._batch.control["error"]))
        else:
            for link in self._links.values():
                link.make_room()

    def _fail(self, fd: int, error: int) -> None:
        where = "listen" if self._roles[fd] == IS_LISTENING else "target"
        self._forward_of(fd).fail(where, OSError(error, os.strerror(error)))

    def _hand_over(self, most: int = AT_ONCE) -> None:
        """Let Python take in what the compiled loop has read and cannot."""
        fd = int(self._batch.control["fd"])
        for name, payload in self._batch.left(most):
            if self._roles[fd] == IS_LISTENING:
                self._forwards[self._flow_of[fd]].take_from_client(payload, _address(name))
            else:
                self._forward_of(fd).take_from_target(payload, self._flows[self._flow_of[fd]])

    def _forward_of(self, fd: int) -> Forward:
        place = int(self._flow_of[fd])
        if self._roles[fd] == IS_LISTENING:
            return self._forwards[place]
        return self._forwards[int(self._flow_of[self._rows[place]["listening"]])]

    def harvest(self) -> None:
        """Let the flows know what the compiled loop has counted of them."""
        rows = self._rows[: len(self._flows)]
        for place in np.nonzero(rows["up"] | rows["down"])[0].tolist():
            flow, row = self._flows[place], rows[place]
            flow.up += int(row["up"])
            flow.down += int(row["down"])
            flow.used_s = max(flow.used_s, float(row["used_s"]))
            row["up"] = row["down"] = 0


def _sockaddr(address: Address) -> bytes:
    host, port = address
    return struct.pack("=H", socket.AF_INET) + struct.pack(">H", port) + socket.inet_aton(host) + bytes(8)


def _address(sockaddr: bytes) -> Address:
    return socket.inet_ntoa(sockaddr[4:8]), int.from_bytes(sockaddr[2:4])
