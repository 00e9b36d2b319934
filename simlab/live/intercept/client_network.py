"""One client's network: its sockets, its two links, and what its packets show."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import trio

from simlab.core.link import Delivered
from simlab.core.packet import Direction, classify
from simlab.core.timeline import Event, Recorder
from simlab.live.addresses import Side
from simlab.live.intercept.ends import Route
from simlab.live.intercept.flow import Flow
from simlab.live.intercept.watch import Watch
from simlab.live.intercept.way import Way
from simlab.profile.scenario import Scenario

if TYPE_CHECKING:
    from simlab.live.capture import LinkCapture


@dataclass(frozen=True)
class Place:
    """Where a client is seen, and since when: the rest as ``Flow`` has it."""

    hosts: Mapping[Side, Sequence[str]]
    admits: Callable[[Side, str], bool]
    zero_s: float
    """When the session began, as ``time.monotonic()`` gives it."""
    now_s: Callable[[], float]


class ClientNetwork:
    """Carry the packets of a client through links of its own.

    Parameters
    ----------
    nursery
        Runs its tasks.
    number
        From 1.
    put
        Takes each event, which has the number as its ``client``.
    """

    def __init__(
        self, nursery: trio.Nursery, number: int, place: Place, put: Callable[[Event], None]
    ) -> None:
        self.number = number
        self.began_s = place.now_s()

        def told(event: Event) -> None:
            put(Event(event.t_s, event.source, event.kind, {**event.data, "client": number}))

        record = Recorder(place.now_s, told)
        self.watch = Watch(record)
        self.ways = {
            way: Way(nursery, record, way, place.zero_s, self._send, self._left(way)) for way in Direction
        }
        entrances = {way: _Entrance(way, self.watch, self.ways[way]) for way in Direction}
        self.flow = Flow(nursery, entrances, place.hosts, place.admits, place.now_s)

    def load(self, scenario: Scenario, began_s: float) -> None:
        """Begin with the network of a scenario."""
        nat = scenario.profile.nat
        self.flow.translate(None if nat is None else nat.spec())
        for way in self.ways.values():
            way.load(self._own(scenario), began_s)

    def change(self, scenario: Scenario) -> None:
        """Have its settings from now on."""
        for way in self.ways.values():
            way.change(self._own(scenario))

    def _own(self, scenario: Scenario) -> Scenario:
        """Return a scenario with luck of the client's own."""
        return Scenario.of(scenario.profile, seed=(scenario.seed + self.number - 1) % 2**63)

    def _send(self, packet: Delivered) -> None:
        self.flow.send(packet)

    def _left(self, direction: Direction) -> Callable[[Delivered], None]:
        def left(packet: Delivered) -> None:
            route = packet.tag
            assert isinstance(route, Route)
            self.watch.left(direction, packet, _connection_of(direction, route))

        return left

    def capture(self, captures: Mapping[Direction, "LinkCapture"]) -> None:
        """Show its packets of each direction to a capture from now on, or to none."""
        for direction, way in self.ways.items():
            way.capture(captures.get(direction))

    def state(self) -> dict[str, Any]:
        """Return what is known of it."""
        self.watch.flush()
        kernel_dropped = self.flow.kernel_drops()
        return {
            "began_s": round(self.began_s, 6),
            "used_s": round(self.flow.used_s, 6),
            "connection": self.flow.connection,
            "ready": self.watch.is_ready,
            "closed": self.watch.is_closed(self.flow.connection),
            "silent": self.watch.silent(),
            "seen": self.watch.seen(),
            "links": {
                way.value: {**one.totals(), "kernel_dropped": kernel_dropped[way]}
                for way, one in self.ways.items()
            },
        }

    def close(self) -> None:
        """Forget it."""
        for way in self.ways.values():
            way.close()
        self.flow.close()


def _connection_of(direction: Direction, route: Route) -> int:
    # The alias of the server is made for an answer, and so for one connection.
    return (route.through if direction is Direction.DOWN else route.came_to).connection


class _Entrance:
    """Count packets, and put them into the link."""

    def __init__(self, direction: Direction, watch: Watch, way: Way) -> None:
        self._direction = direction
        self._watch = watch
        self._way = way

    def receive(self, payload: bytes, tag: object) -> None:
        assert isinstance(tag, Route)
        connection = _connection_of(self._direction, tag)
        self._watch.entered(self._direction, payload, classify(payload), connection)
        self._way.receive(payload, tag)
