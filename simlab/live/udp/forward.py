"""One listening socket of the relay, its target, and a mapping for each client in between."""

import heapq
import itertools
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any

from simlab.core.packet import Direction
from simlab.live.sockets import LARGEST_DATAGRAM_BYTES, kernel_drops, opened
from simlab.live.udp.flows import Address, Flow, Pace, Paths
from simlab.live.udp.troubles import Troubles
from simlab.live.udp.way import Way

if TYPE_CHECKING:
    from simlab.live.udp.compiled.lane import Lane

_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Place:
    """Where a relay listens, and for whom.

    Parameters
    ----------
    family, target_family
        As the module ``socket`` has them.
    idle_s
        How long a mapping lives without a packet from its client.
    inbound_refreshes
        Whether packets from the target keep it alive, too.
    """

    family: int
    listen: Address
    target_family: int
    target: Address
    idle_s: float = 60.0
    inbound_refreshes: bool = True


class Forward:
    """Take what comes, from either side.

    Parameters
    ----------
    watch, forget
        Called with a file descriptor, and what to call when there is something to read; and when it is over.
    tell
        Called with what happens, and its details.
    lane
        Told of all flows, if packets may go the compiled way.
    """

    def __init__(
        self,
        place: Place,
        ways: dict[Direction, Way],
        watch: Callable[[int, Callable[[], None]], None],
        forget: Callable[[int], None],
        tell: Callable[..., None],
        lane: "Lane | None" = None,
    ) -> None:
        self.place = place
        self._lane = lane
        self._up, self._down = ways[Direction.UP], ways[Direction.DOWN]
        self._watch, self._forget, self._tell = watch, forget, tell
        self._troubles = Troubles(tell)
        self.flows: dict[Address, Flow] = {}
        self._ends: list[tuple[float, int, Flow]] = []
        self._ties = itertools.count()
        self._drops: Counter[Direction] = Counter()  # by the kernel, at sockets that are closed
        self._outside = _any_of(place)
        self._pace = Pace()
        self.socket = opened(place.listen, place.family)
        watch(self.socket.fileno(), self._from_clients)
        if lane is not None:
            lane.listen(self)

    @property
    def address(self) -> Address:
        """Where it listens."""
        host, port = self.socket.getsockname()[:2]
        return host, port

    def _from_clients(self) -> None:
        receive, take = self.socket.recvfrom, self.take_from_client
        try:
            for _ in range(self._pace.most):
                take(*receive(LARGEST_DATAGRAM_BYTES))
            self._pace.faster()
        except BlockingIOError:
            self._pace.slower()
        except OSError as error:
            self.fail("listen", error)
        self._up.release(monotonic())

    def take_from_client(self, payload: bytes, client: Address) -> None:
        """Take in a packet that was sent to the relay."""
        flow = self.flows.get(client) or self._map(client)
        if flow is None:
            self._up.refuse(payload, self._paths(client), "relay")
        else:
            flow.up += 1
            flow.used_s = self._up.take(payload, flow)

    def fail(self, where: str, error: OSError) -> None:
        """Tell of an error of a socket: of the target's, most likely that nobody listens there."""
        self._troubles.happened(where, error)

    def _map(self, client: Address) -> Flow | None:
        now_s = monotonic()
        try:
            upstream = opened(self._outside, self.place.target_family)
            upstream.connect(self.place.target)
        except OSError as error:
            self.fail("mapping", error)
            return None
        paths = self._paths(client, upstream)
        flow = self.flows[client] = Flow(client, upstream, self.socket, now_s, now_s, paths)
        self._watch(upstream.fileno(), partial(self._from_target, flow))
        heapq.heappush(self._ends, (now_s + self.place.idle_s, next(self._ties), flow))
        if self._lane is not None:
            self._lane.add(flow, self)
        self._tell("mapped", client=client, outside=paths.far[0])
        return flow

    def _paths(self, client: Address, upstream: socket.socket | None = None) -> Paths:
        outside: Address = self._outside if upstream is None else upstream.getsockname()[:2]
        return Paths((client[:2], self.address), (outside, self.place.target))

    def _from_target(self, flow: Flow) -> None:
        if flow.client is None:
            self._lose_from_target(flow)
            return
        receive, take = flow.upstream.recv, self.take_from_target
        try:
            for _ in range(flow.pace.most):
                take(receive(LARGEST_DATAGRAM_BYTES), flow)
            flow.pace.faster()
        except BlockingIOError:
            flow.pace.slower()
        except OSError as error:
            self.fail("target", error)
        self._down.release(monotonic())

    def take_from_target(self, payload: bytes, flow: Flow) -> None:
        """Take in a packet that was sent to a mapping."""
        flow.down += 1
        taken_s = self._down.take(payload, flow)
        if self.place.inbound_refreshes:
            flow.used_s = taken_s

    def _lose_from_target(self, flow: Flow) -> None:
        try:
            for _ in range(_AT_ONCE):
                self._down.refuse(flow.upstream.recv(LARGEST_DATAGRAM_BYTES), flow, "nat")
        except OSError:
            pass

    def rebind(self, host: str | None = None) -> int:
        """Let every client be known by another port, and perhaps address; return how many there are.

        What comes to the old ones is lost. A client has a new mapping with its next packet.
        """
        if host is not None:
            self._outside = (host, 0)
        flows, self.flows = list(self.flows.values()), {}
        for flow in flows:
            if self._lane is not None:
                self._lane.rebound(flow, self)
            flow.client = None
            # Its socket stays for a while, so that nobody else has the port, and what comes there is counted.
            flow.used_s = monotonic()
        return len(flows)

    def expire(self, now_s: float) -> None:
        """Forget mappings that have been idle for too long; called once a second."""
        self._troubles.next_second()
        while self._ends and self._ends[0][0] <= now_s:
            _, _, flow = heapq.heappop(self._ends)
            ends_s = flow.used_s + self.place.idle_s
            if ends_s > now_s:
                heapq.heappush(self._ends, (ends_s, next(self._ties), flow))
            else:
                self._end(flow)

    def _end(self, flow: Flow) -> None:
        if self._lane is not None:
            self._lane.ended(flow, self)
        self._drops[Direction.DOWN] += kernel_drops(flow.upstream)
        self._forget(flow.upstream.fileno())
        if flow.client is not None:
            del self.flows[flow.client]
            self._tell("unmapped", client=flow.client, up=flow.up, down=flow.down)
        flow.close()

    def kernel_drops(self) -> Counter[Direction]:
        """Return how many packets the kernel dropped before they could be read, each way."""
        open_flows = [flow for _, _, flow in self._ends]
        drops = Counter(self._drops)
        drops[Direction.UP] += kernel_drops(self.socket)
        drops[Direction.DOWN] += sum(kernel_drops(flow.upstream) for flow in open_flows)
        return drops

    def clients(self) -> Iterator[dict[str, Any]]:
        """Yield what is known of each client."""
        now_s = monotonic()
        for flow in self.flows.values():
            yield {
                "client": flow.client,
                "outside": flow.paths.far[0],
                "up": flow.up,
                "down": flow.down,
                "since_s": round(now_s - flow.since_s, 3),
                "idle_s": round(now_s - flow.used_s, 3),
            }

    def close(self) -> None:
        """Close all sockets."""
        for _, _, flow in self._ends:
            self._forget(flow.upstream.fileno())
            flow.close()
        self._forget(self.socket.fileno())
        self.socket.close()


def _any_of(place: Place) -> Address:
    """Return where mappings are bound: loopback to a loopback target, so that nobody else sees the port."""
    if place.target_family == socket.AF_INET6:
        return ("::1" if place.target[0] == "::1" else "::"), 0
    return ("127.0.0.1" if place.target[0].startswith("127.") else "0.0.0.0"), 0
