"""The middle of the virtual network, where the ways of all clients and the server's side meet."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from simlab.core.link import Delivered
from simlab.core.packet import Direction
from simlab.core.timeline import Recorder
from simlab.profile.scenario import Scenario
from simlab.virtual.addresses import SERVER_SIDE, Site
from simlab.virtual.carrier import CarrierNat
from simlab.virtual.network import VirtualNetworkLoop, Way
from simlab.virtual.paths import Paths
from simlab.webrtc.clients import ClientsRecorder

if TYPE_CHECKING:
    from simlab.virtual.capture import PathCapture

CapturesOfClient = Callable[[int], Mapping[Direction, "PathCapture"]]


def no_captures(_: int) -> Mapping[Direction, "PathCapture"]:
    """Capture nothing of a client's links."""
    return {}


class Routes:
    """Carry datagrams from host to host: over the sender's way up, and the receiver's way down.

    There are the server and the STUN and TURN servers, with nothing between them. What a host sends to itself
    takes no way.

    Parameters
    ----------
    captures
        Called with the number of each client; what it returns is shown what happens to the packets of each
        direction.
    dither
        See ``Paths``.
    """

    def __init__(
        self,
        loop: VirtualNetworkLoop,
        scenario: Scenario,
        record: Recorder,
        captures: CapturesOfClient = no_captures,
        dither: bool = True,
    ) -> None:
        self._loop = loop
        self._directory: dict[str, Paths | None] = {}
        self._carrier: CarrierNat | None = None
        spec = scenario.profile.nat_spec
        if spec is not None and scenario.profile.nat_is_beyond_links:
            self._carrier, spec = CarrierNat(loop, spec, scenario, record, self._know), None
        self.paths = [
            Paths(
                loop,
                scenario.of_client(number),
                record.of(number) if isinstance(record, ClientsRecorder) else record,
                captures(number),
                dither,
                site=Site(number),
                nat=spec,
                directory=self._directory,
                onward=self._onward,
                admit=None if self._carrier is None else self._carrier.outbound,
            )
            for number in range(1, scenario.profile.peers.clients + 1)
        ]
        loop.way_out = self._send

    def finish(self) -> None:
        """Record the totals of all links."""
        for path in self.paths:
            path.finish()

    def _send(self, payload: bytes, way: Way) -> bool:
        """Take a datagram on its way; False if there is nothing on it."""
        host = way.source[0]
        if host not in SERVER_SIDE:
            path = self._directory.get(host)
            return path is not None and path.send_up(payload, way)
        return self._send_down(payload, way)

    def _send_down(self, payload: bytes, way: Way) -> bool:
        if way.destination[0] not in self._directory:
            return False
        if self._carrier is not None:
            inside = self._carrier.inbound(payload, way)
            if inside is None:
                return True
            way = inside
        path = self._directory[way.destination[0]]
        assert path is not None
        path.send_down(payload, way)
        return True

    def _know(self, address: str) -> None:
        """Take in an address of the carrier's NAT, which is no client's."""
        self._directory[address] = None

    def _onward(self, packet: Delivered) -> None:
        """Take on what has come to the end of a client's way up."""
        way: Way = packet.tag  # type: ignore[assignment]
        path = self._directory.get(way.destination[0])
        if path is None:
            self._loop.arrive(packet)
        else:
            path.send_down(packet.payload, way)
