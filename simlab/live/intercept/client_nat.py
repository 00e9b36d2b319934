"""The NAT that a profile puts in front of a client of an intercept."""

from simlab.core.nat import Nat, NatSpec
from simlab.live.addresses import Address
from simlab.live.intercept.media_hosts import version_of

# Addresses that no endpoint has: what is outside is never taken for an endpoint of the client's own.
_OUTSIDE = {4: "0.0.0.0", 6: "::"}


def is_outside(endpoint: Address) -> bool:
    """Tell whether an endpoint is one that a NAT has given out."""
    return endpoint[0] in _OUTSIDE.values()


class ClientNat:
    """Translate a client's endpoints, IPv4 and IPv6 each by itself. Outside endpoints have made-up addresses.

    Their ports are the NAT's own, and not those of the sockets that stand for them.
    """

    def __init__(self, spec: NatSpec) -> None:
        self.timeout_s = spec.timeout_s
        self._nats = {version: Nat(spec, host) for version, host in _OUTSIDE.items()}

    def outbound(self, inside: Address, remote: Address, now_s: float) -> Address:
        """Return the outside endpoint from which a packet goes; see ``Nat.outbound``."""
        return self._of(inside).outbound(inside, remote, now_s)

    def inbound(self, outside: Address, remote: Address, now_s: float) -> Address | None:
        """Return whom a packet is for; None for nobody, as for one to an endpoint of the client's own."""
        return self._of(outside).inbound(outside, remote, now_s)

    def rebind(self) -> None:
        """Forget all mappings."""
        for nat in self._nats.values():
            nat.rebind_ports()

    def _of(self, endpoint: Address) -> Nat:
        return self._nats[version_of(endpoint[0]) or 4]
