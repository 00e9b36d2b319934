"""A NAT of the clients' carrier: one for all of them, beyond their links."""

from collections.abc import Callable

from simlab.core.link import Delivered
from simlab.core.nat import Nat, NatSpec
from simlab.core.outside import LossesOutside
from simlab.core.timeline import Recorder
from simlab.profile.faults_nat import RebindFault
from simlab.profile.scenario import Scenario
from simlab.virtual.addresses import SERVER_SIDE, carrier_addresses
from simlab.virtual.network import VirtualNetworkLoop, Way


class CarrierNat:
    """Translate what leaves the clients' network, what comes into it, and what turns back at its edge.

    Clients behind it reach each other by their inside addresses without it, and by their outside ones if it
    hairpins (RFC 4787 REQ-9).

    Parameters
    ----------
    known
        Called with each address that it has outside.
    """

    def __init__(
        self,
        loop: VirtualNetworkLoop,
        spec: NatSpec,
        scenario: Scenario,
        record: Recorder,
        known: Callable[[str], None],
    ) -> None:
        self._loop = loop
        self._new_addresses = carrier_addresses()
        self._tell_known, self._known = known, set[str]()
        self._nat = Nat(spec, self._another())
        self._lost = LossesOutside(record)
        for fault in scenario.profile.faults:
            if isinstance(fault, RebindFault):
                loop.call_at(fault.at_s, self._rebind, fault.what)

    def _another(self) -> str:
        address = next(self._new_addresses)
        self._known.add(address)
        self._tell_known(address)
        return address

    def outbound(self, packet: Delivered) -> bool:
        """Translate a packet at the end of a client's way up; False if it ends here."""
        way: Way = packet.tag  # type: ignore[assignment]
        source, destination, _ = way
        now_s = self._loop.time()
        if destination[0] in SERVER_SIDE:
            packet.tag = way._replace(source=self._nat.outbound(source, destination, now_s))
        elif destination[0] in self._known:
            turned = self._nat.hairpinned(source, destination, now_s)
            if turned is None:
                return False
            packet.tag = way._replace(source=turned[0], destination=turned[1])
        return True

    def inbound(self, payload: bytes, way: Way) -> Way | None:
        """Translate a packet from the server's side; None if it is not let in, which is recorded."""
        inside = self._nat.inbound(way.destination, way.source, self._loop.time())
        if inside is not None:
            return way._replace(destination=inside)
        self._lost(payload)
        return None

    def _rebind(self, what: str) -> None:
        if what == "port":
            self._nat.rebind_ports()
        else:
            self._nat.rebind_address(self._another())
