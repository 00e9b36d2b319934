"""The way between a client and everybody else: two links, and the client's addresses at its end."""

from collections.abc import Callable, Iterator, Mapping
from itertools import repeat
from typing import TYPE_CHECKING

from simlab.core.link import Delivered, Dropped
from simlab.core.meter import LinkMeter
from simlab.core.nat import Nat, NatSpec
from simlab.core.packet import Direction
from simlab.core.rng import stream, uniforms
from simlab.core.timeline import Recorder
from simlab.profile.build import links
from simlab.profile.faults_nat import HandoverFault, RebindFault
from simlab.profile.scenario import Scenario
from simlab.virtual.addresses import SERVER_SIDE, Site
from simlab.virtual.network import VirtualNetworkLoop, Way
from simlab.virtual.wire import Wire

if TYPE_CHECKING:
    from simlab.virtual.capture import PathCapture


class Paths:
    """Carry datagrams between a client, wherever it is, and those at the other end of its links.

    Where there is a NAT in front of the client, it is on the client's side of the links, and the others reach
    the client by the NAT's address alone.

    Parameters
    ----------
    scenario
        The client's own: see ``Scenario.of_client``.
    captures
        Shown what happens to the packets of each direction.
    dither
        False delivers packets exactly when they are due. Sessions are then biased; it is there to show that.
    nat
        How the NAT behaves; None for none.
    directory
        Where clients are found: every address by which one was ever called; and others beyond the links.
    onward
        Takes what has come to the other end of the links.
    admit
        Asked before, if somebody there decides, and may change its addresses.
    """

    def __init__(
        self,
        loop: VirtualNetworkLoop,
        scenario: Scenario,
        record: Recorder,
        captures: Mapping[Direction, "PathCapture"],
        dither: bool,
        *,
        site: Site,
        nat: NatSpec | None,
        directory: "dict[str, Paths | None]",
        onward: Callable[[Delivered], None],
        admit: Callable[[Delivered], bool] | None,
    ) -> None:
        self._loop = loop
        self._dithers = dither
        self._up_capture, self._down_capture = (captures.get(way) for way in (Direction.UP, Direction.DOWN))
        self._spec = nat
        self.host = site.client
        self._directory = directory
        directory[self.host] = self
        self._onward = onward
        self._admit = admit
        self._outside, self._inside = site.outside(), site.more_inside()
        self._nat = self._new_nat()
        self.links = links(scenario)
        self.meters = {way: LinkMeter(record, way, link) for way, link in self.links.items()}
        # Not looked up by direction for each packet: an enum's own hash is Python code.
        self._up, self._down = (self._wire(way, scenario.seed) for way in (Direction.UP, Direction.DOWN))
        self._up_meter, self._down_meter = self.meters[Direction.UP], self.meters[Direction.DOWN]
        self._schedule(scenario)

    def finish(self) -> None:
        """Record the totals. What passes afterwards is no part of the session, and of no capture."""
        for wire, capture in ((self._up, self._up_capture), (self._down, self._down_capture)):
            drops = wire.late_drops()
            if capture is not None:
                capture.late(drops)
        for meter in self.meters.values():
            meter.finish()
        self._up_capture = self._down_capture = None

    def _new_nat(self) -> Nat | None:
        return None if self._spec is None else Nat(self._spec, self._another(self._outside))

    def _another(self, addresses: Iterator[str]) -> str:
        address = next(addresses)
        self._directory[address] = self
        return address

    def _wire(self, direction: Direction, seed: int) -> Wire:
        arrive: Callable[[Delivered], None] = self._at_far_end
        if direction is Direction.DOWN:
            arrive = self._at_client
        dither = uniforms(stream(seed, "dither", direction)) if self._dithers else repeat(0.0)
        return Wire(self._loop, self.links[direction], dither, arrive, self.meters[direction].dropped)

    def send_down(self, payload: bytes, way: Way) -> None:
        """Take a datagram on its way to the client."""
        self._put(self._down, payload, way, self._down_capture, way)

    def send_up(self, payload: bytes, way: Way) -> bool:
        """Take a datagram on its way from the client; False if it stays on the client's host."""
        source, destination, _ = way
        nat = self._nat
        if destination[0] in SERVER_SIDE or self._directory.get(destination[0], self) is not self:
            outside = way
            if nat is not None:
                outside = way._replace(source=nat.outbound(source, destination, self._loop.time()))
            self._put(self._up, payload, outside, self._up_capture, way)
            return True
        if nat is None or destination[0] != nat.address:
            return False
        turned = nat.hairpinned(source, destination, self._loop.time())
        if turned is not None:
            self._loop.hand_over_soon(payload[: way.size], *turned)
        return True

    def _put(self, wire: Wire, payload: bytes, way: Way, capture: "PathCapture | None", seen: Way) -> None:
        """Put a datagram into a link; ``seen`` is its way as its sender sees it."""
        drops = wire.send(payload, way)
        if capture is not None:
            capture.entered(self._loop.time(), payload, seen, wire.link.offered - 1, drops)

    def _at_far_end(self, packet: Delivered) -> None:
        if self._admit is not None and not self._admit(packet):
            self.lose(Direction.UP, packet, "nat")
            return
        self._up_meter.delivered(packet)
        if self._up_capture is not None:
            self._up_capture.left(self._loop.time(), packet)
        self._onward(packet)

    def _at_client(self, packet: Delivered) -> None:
        way: Way = packet.tag  # type: ignore[assignment]
        if self._nat is not None:
            inside = self._nat.inbound(way.destination, way.source, self._loop.time())
            if inside is None:
                self.lose(Direction.DOWN, packet, "nat")
                return
            packet.tag = way = way._replace(destination=inside)
        if way.destination[0] != self._loop.address_of(self.host):
            self.lose(Direction.DOWN, packet, "handover")
            return
        self._down_meter.delivered(packet)
        if self._down_capture is not None:
            self._down_capture.left(self._loop.time(), packet)
        self._loop.arrive(packet)

    def lose(self, direction: Direction, packet: Delivered, cause: str) -> None:
        """Drop what has left a link."""
        link = self.links[direction]
        link.delivered -= 1
        link.dropped[cause] += 1
        dropped = Dropped(self._loop.time(), packet.seq, packet.kind, len(packet.payload), cause)
        self.meters[direction].dropped(dropped)
        capture = self._down_capture if direction is Direction.DOWN else self._up_capture
        if capture is not None:
            capture.lost(self._loop.time(), packet, cause)

    def _schedule(self, scenario: Scenario) -> None:
        for fault in scenario.profile.faults:
            if isinstance(fault, RebindFault) and self._spec is not None:
                self._loop.call_at(fault.at_s, self._rebind, fault.what)
            elif isinstance(fault, HandoverFault):
                self._loop.call_at(fault.at_s, self._loop.move, self.host, None)
                self._loop.call_at(fault.until_s, self._move)

    def _rebind(self, what: str) -> None:
        assert self._nat is not None
        if what == "port":
            self._nat.rebind_ports()
        else:
            self._nat.rebind_address(self._another(self._outside))

    def _move(self) -> None:
        """Bring the client into a new network, which has a NAT of its own where there was one."""
        self._loop.move(self.host, self._another(self._inside))
        self._nat = self._new_nat()
