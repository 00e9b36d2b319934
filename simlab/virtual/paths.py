"""The ways between client and server: a link in each direction, and the client's addresses at its end."""

from collections.abc import Callable, Iterator, Mapping
from itertools import count, repeat
from types import MappingProxyType
from typing import TYPE_CHECKING

from simlab.core.link import Delivered, Dropped
from simlab.core.meter import LinkMeter
from simlab.core.nat import Nat
from simlab.core.packet import Direction
from simlab.core.rng import stream, uniforms
from simlab.core.timeline import Recorder
from simlab.profile.build import links
from simlab.profile.faults_nat import HandoverFault, RebindFault
from simlab.profile.scenario import Scenario
from simlab.virtual.network import VirtualNetworkLoop, Way
from simlab.virtual.parties import CLIENT, ICE_HOSTS, SERVER
from simlab.virtual.wire import Wire

if TYPE_CHECKING:
    from simlab.virtual.capture import PathCapture

_CLIENT_NETWORK = "10.0.1"
_NAT_NETWORK = "198.51.100"  # TEST-NET-2 (RFC 5737)
_FIRST_HOST = 2
_SERVER_SIDE = frozenset({SERVER, *ICE_HOSTS.values()})


class Paths:
    """Carry datagrams between the client, wherever it is, and the server's side.

    There are the server and the STUN and TURN servers, with nothing between them. Where there is a NAT, they
    can reach the client by the NAT's address alone.

    Parameters
    ----------
    captures
        Shown what happens to the packets of each direction.
    dither
        False delivers packets exactly when they are due. Sessions are then biased; it is there to show that.
    """

    def __init__(
        self,
        loop: VirtualNetworkLoop,
        scenario: Scenario,
        record: Recorder,
        captures: Mapping[Direction, "PathCapture"] = MappingProxyType({}),
        dither: bool = True,
    ) -> None:
        self._loop = loop
        self._dithers = dither
        self._up_capture, self._down_capture = (captures.get(way) for way in (Direction.UP, Direction.DOWN))
        profile = scenario.profile
        self._spec = profile.nat_spec
        self._known = {CLIENT}  # every address by which the client was ever called
        self._outside = (f"{_NAT_NETWORK}.{number}" for number in count(1))
        self._inside = (f"{_CLIENT_NETWORK}.{number}" for number in count(_FIRST_HOST + 1))
        self._nat = self._new_nat()
        self._links = links(scenario)
        self.meters = {way: LinkMeter(record, way, link) for way, link in self._links.items()}
        # Not looked up by direction for each packet: an enum's own hash is Python code.
        self._up, self._down = (self._wire(way, scenario.seed) for way in (Direction.UP, Direction.DOWN))
        self._up_meter, self._down_meter = self.meters[Direction.UP], self.meters[Direction.DOWN]
        loop.way_out = self._send
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
        self._known.add(address)
        return address

    def _wire(self, direction: Direction, seed: int) -> Wire:
        arrive: Callable[[Delivered], None] = self._at_server
        if direction is Direction.DOWN:
            arrive = self._at_client
        dither = uniforms(stream(seed, "dither", direction)) if self._dithers else repeat(0.0)
        return Wire(self._loop, self._links[direction], dither, arrive, self.meters[direction].dropped)

    def _send(self, payload: bytes, way: Way) -> bool:
        """Take a datagram on its way; False if it is none between the client and the server's side."""
        source, destination, _ = way
        if source[0] in _SERVER_SIDE:
            if destination[0] not in self._known:
                return False
            self._put(self._down, payload, way, self._down_capture, way)
            return True
        if destination[0] not in _SERVER_SIDE:
            return False
        outside = way
        if self._nat is not None:
            outside = way._replace(source=self._nat.outbound(source, destination, self._loop.time()))
        self._put(self._up, payload, outside, self._up_capture, way)
        return True

    def _put(self, wire: Wire, payload: bytes, way: Way, capture: "PathCapture | None", seen: Way) -> None:
        """Put a datagram into a link; ``seen`` is its way as its sender sees it."""
        drops = wire.send(payload, way)
        if capture is not None:
            capture.entered(self._loop.time(), payload, seen, wire.link.offered - 1, drops)

    def _at_server(self, packet: Delivered) -> None:
        self._up_meter.delivered(packet)
        if self._up_capture is not None:
            self._up_capture.left(self._loop.time(), packet)
        self._loop.arrive(packet)

    def _at_client(self, packet: Delivered) -> None:
        way: Way = packet.tag  # type: ignore[assignment]
        if self._nat is not None:
            inside = self._nat.inbound(way.destination, way.source, self._loop.time())
            if inside is None:
                self._lose(packet, "nat")
                return
            packet.tag = way = way._replace(destination=inside)
        if way.destination[0] != self._loop.address_of(CLIENT):
            self._lose(packet, "handover")
            return
        self._down_meter.delivered(packet)
        if self._down_capture is not None:
            self._down_capture.left(self._loop.time(), packet)
        self._loop.arrive(packet)

    def _lose(self, packet: Delivered, cause: str) -> None:
        """Drop what has left the link of the way down."""
        link = self._links[Direction.DOWN]
        link.delivered -= 1
        link.dropped[cause] += 1
        dropped = Dropped(self._loop.time(), packet.seq, packet.kind, len(packet.payload), cause)
        self.meters[Direction.DOWN].dropped(dropped)
        if self._down_capture is not None:
            self._down_capture.lost(self._loop.time(), packet, cause)

    def _schedule(self, scenario: Scenario) -> None:
        for fault in scenario.profile.faults:
            if isinstance(fault, RebindFault):
                self._loop.call_at(fault.at_s, self._rebind, fault.what)
            elif isinstance(fault, HandoverFault):
                self._loop.call_at(fault.at_s, self._loop.move, CLIENT, None)
                self._loop.call_at(fault.until_s, self._move)

    def _rebind(self, what: str) -> None:
        assert self._nat is not None
        if what == "port":
            self._nat.rebind_ports()
        else:
            self._nat.rebind_address(self._another(self._outside))

    def _move(self) -> None:
        """Bring the client into a new network, which has a NAT of its own where there was one."""
        self._loop.move(CLIENT, self._another(self._inside))
        self._nat = self._new_nat()
