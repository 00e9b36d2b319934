"""How packets come to the relay of an intercept and leave it."""

from dataclasses import dataclass, field

import trio

from simlab.live.addresses import Address, Side
from simlab.live.intercept.client_nat import is_outside
from simlab.live.intercept.media_hosts import version_of
from simlab.live.relay_ends import Alias


def is_name(endpoint: Address) -> bool:
    """Tell whether an endpoint hides its address behind an mDNS name, as a browser's candidates do."""
    return endpoint[0].endswith(".local")


def may_hide(endpoint: Address) -> bool:
    """Tell whether an endpoint may be what a name hides: the socket that stands for a name has IPv4."""
    return version_of(endpoint[0]) == 4 and not is_outside(endpoint)


@dataclass(slots=True, eq=False)
class EndpointAlias(Alias):
    """The alias of an endpoint that may come and go, and whose address may be hidden at first.

    Parameters
    ----------
    endpoint
        Whom it stands for; with an mDNS name until the first packet from there shows the address.
    connection
        The number of the client's peer connection for which it was made.
    held
        What has come for an endpoint whose address is not known yet.
    """

    side: Side
    endpoint: Address
    connection: int
    used_s: float
    is_forgotten: bool = False
    held: list[tuple[bytes, Address]] = field(default_factory=list)
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)


@dataclass(slots=True, eq=False)
class Route:
    """How a packet leaves the relay: through whose alias, and at whose alias it came and from where.

    ``to`` is where it went; None as long as it has not left.
    """

    through: EndpointAlias
    came_to: EndpointAlias
    came_from: Address
    to: Address | None = None

    @property
    def flow(self) -> object:
        """What datagrams of one source to one destination have in common."""
        return self.through.endpoint, self.came_to.endpoint
