"""The NAT in front of a session's client, as its relay has it: before the links, or beyond them."""

from collections.abc import Callable

from simlab.core.nat import Nat, NatSpec
from simlab.core.outside import LossesOutside
from simlab.live.addresses import RELAY_HOSTS, Address


class RelayNat:
    """Translate where packets enter and leave the links, if there is a NAT at that end.

    One on the client's side translates what enters the links on its way up, and what leaves them on its way
    down. One beyond them knows only of what has come through: it is the other way round.

    Parameters
    ----------
    spec
        What the profile puts in front of the client, if anything.
    now_s
        Returns the seconds since the session began.
    beyond
        Told of what a NAT beyond the links does not let in; None where the NAT is on the client's side.

    Attributes
    ----------
    host : str
        Where the server sees the client.
    """

    def __init__(
        self, spec: NatSpec | None, now_s: Callable[[], float], beyond: LossesOutside | None = None
    ) -> None:
        self.host = RELAY_HOSTS["server"]
        self._now_s = now_s
        self._not_let_in = beyond
        nat = None if spec is None else Nat(spec, self.host)
        self._near: Nat | None = nat if beyond is None else None
        self._far: Nat | None = None if beyond is None else nat

    def rebind(self, host: str | None) -> None:
        """Forget the mappings; ``host`` is the NAT's address from now on, and None leaves it."""
        nat = self._near or self._far
        assert nat is not None
        if host is None:
            nat.rebind_ports()
        else:
            self.host = host
            nat.rebind_address(host)

    def join(self, outside: str) -> None:
        """Be the NAT of another network, at that address, if there is one on the client's side."""
        if self._near is not None:
            self.host = outside
            self._near = Nat(self._near.spec, outside)

    def entering_up(self, source: Address, destination: Address) -> Address:
        """Return where a packet of the client that enters the links comes from."""
        return source if self._near is None else self._near.outbound(source, destination, self._now_s())

    def leaving_up(self, source: Address, destination: Address) -> Address | None:
        """Return where a packet of the client that leaves the links comes from; None leaves it as it was."""
        return None if self._far is None else self._far.outbound(source, destination, self._now_s())

    def entering_down(self, payload: bytes, destination: Address, source: Address) -> Address | None:
        """Return where a packet to the client goes in the links; None if it is not let in, which is told."""
        if self._far is None:
            return destination
        inside = self._far.inbound(destination, source, self._now_s())
        if inside is None and self._not_let_in is not None:
            self._not_let_in(payload)
        return inside

    def leaving_down(self, destination: Address, source: Address) -> Address | None:
        """Return where a packet to the client that leaves the links goes; None if it is not let in."""
        return destination if self._near is None else self._near.inbound(destination, source, self._now_s())
