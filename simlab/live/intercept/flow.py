"""One client's UDP: a socket for each endpoint of either side, as the other side sees it."""

import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import trio

from simlab.core.link import Delivered
from simlab.core.nat import NatSpec
from simlab.core.packet import Direction
from simlab.live.addresses import Address, Side
from simlab.live.intercept.client_nat import ClientNat, is_outside
from simlab.live.intercept.ends import EndpointAlias, Route, is_name, may_hide
from simlab.live.intercept.media_hosts import version_of
from simlab.live.relay_ends import OTHER, TOWARDS, LostError
from simlab.live.sockets import kernel_drops, opened, waiting

_MOST_HELD = 64
_MOST_ALIASES = 512


class Entrance(Protocol):
    """What takes the packets of one direction."""

    def receive(self, payload: bytes, tag: object) -> None:
        """Take in a packet; it comes out with its tag."""


class Flow:
    """Stand for a client at its server, and for the server at the client.

    What comes to the alias of S from C goes through the link, and leaves for S from the alias of C. ICE takes
    the flow for a NAT, since STUN's integrity does not cover addresses: what nobody has announced is known by
    its first packet.

    With the NAT of a profile, what C sends leaves from the alias of the NAT's outside endpoint, and what
    comes to the aliases of C's own endpoints, as its candidates have them, reaches nobody.

    Parameters
    ----------
    nursery
        Runs a task for each alias.
    ways
        What leads into the links, which are to send by ``send``.
    hosts
        The addresses of this machine that each side sees, one of each IP. An endpoint is seen at one of its
        own IP, and a name at one of IPv4: if IPv6 is behind it, its first packet makes another alias.
    admits
        Tells whether packets from an address are taken from a side.
    now_s
        Returns the seconds since the session began.
    """

    def __init__(
        self,
        nursery: trio.Nursery,
        ways: Mapping[Direction, Entrance],
        hosts: Mapping[Side, Sequence[str]],
        admits: Callable[[Side, str], bool],
        now_s: Callable[[], float],
    ) -> None:
        self._nursery = nursery
        self._ways = ways
        self._hosts = hosts
        self._admits = admits
        self._now_s = now_s
        self._aliases: dict[tuple[Side, Address], EndpointAlias] = {}
        self._forgotten: list[EndpointAlias] = []
        self._nat: ClientNat | None = None
        self._own: set[Address] = set()
        self._closed_drops = dict.fromkeys(Direction, 0)
        self.connection = 0
        self.used_s = now_s()

    def alias(self, side: Side, endpoint: Address) -> Address:
        """Return the address at which the other side finds an endpoint of ``side``.

        Raises
        ------
        OSError
            If no socket can be had, or the client has too many already, or the machine has no such IP.
        """
        if endpoint in self._own:  # it has this one from a STUN server
            return endpoint
        return self._alias(side, endpoint).address

    def translate(self, spec: NatSpec | None) -> None:
        """Have another NAT in front of the client from now on, with no mappings; None for none."""
        self._nat = None if spec is None else ClientNat(spec)

    def rebind(self) -> None:
        """Show the client to the server from elsewhere, as a NAT does that has forgotten its mappings."""
        if self._nat is not None:
            self._nat.rebind()
            return
        for key, alias in list(self._aliases.items()):
            if alias.side == "client":
                alias.is_forgotten = True
                del self._aliases[key]
                if alias not in self._forgotten:  # it may stand there under a name and an address
                    self._forgotten.append(alias)

    def send(self, packet: Delivered) -> None:
        """Send a packet that comes out of a link.

        Raises
        ------
        OSError
            If the system does not take it, or nobody is there: see ``LostError``.
        """
        route = packet.tag
        assert isinstance(route, Route)
        route.to = self._destination(route)
        route.through.socket.sendto(packet.payload, route.to)

    def _destination(self, route: Route) -> Address:
        """Return where a packet goes: for one to the client, what the NAT takes its destination for."""
        endpoint = route.came_to.endpoint
        if route.came_to.is_forgotten:
            raise LostError("nat")
        if route.came_to.side == "server" or (self._nat is None and not is_outside(endpoint)):
            return endpoint
        nat = self._nat
        inside = None if nat is None else nat.inbound(endpoint, route.came_from, self._now_s())
        if inside is None:
            raise LostError("nat")
        return inside

    def close_unused(self, since_s: float) -> None:
        """Close the sockets that nothing has come to since then, of earlier connections and mappings."""
        kept_s = 0.0 if self._nat is None else self._nat.timeout_s
        for key, alias in list(self._aliases.items()):
            is_past = is_outside(alias.endpoint) and alias.used_s < since_s - kept_s
            if is_past or (alias.used_s < since_s and alias.connection < self.connection):
                del self._aliases[key]
                self._close(alias)
        for alias in [alias for alias in self._forgotten if alias.used_s < since_s]:
            self._forgotten.remove(alias)
            self._close(alias)

    def kernel_drops(self) -> dict[Direction, int]:
        """Return how many packets of each direction the kernel dropped before they could be read."""
        drops = dict(self._closed_drops)
        for alias in {id(one): one for one in (*self._aliases.values(), *self._forgotten)}.values():
            drops[alias.towards] += kernel_drops(alias.socket)
        return drops

    def close(self) -> None:
        """Close all sockets."""
        for alias in (*self._aliases.values(), *self._forgotten):
            self._close(alias)
        self._aliases.clear()
        self._forgotten.clear()

    def _close(self, alias: EndpointAlias) -> None:
        if not alias.scope.cancel_called:
            self._own.discard(alias.address)
            self._closed_drops[alias.towards] += kernel_drops(alias.socket)
            alias.scope.cancel()

    def _alias(self, side: Side, endpoint: Address) -> EndpointAlias:
        alias = self._aliases.get((side, endpoint)) or self._known_by_port(side, endpoint)
        if alias is None:
            if len(self._aliases) >= _MOST_ALIASES:
                raise OSError("too many addresses of one client")
            host = self._host(OTHER[side], version_of(endpoint[0]) or 4)
            bound = opened((host, 0), socket.AF_INET6 if ":" in host else socket.AF_INET)
            alias = EndpointAlias(
                bound, TOWARDS[side], bound.getsockname()[:2], side, endpoint, self.connection, self._now_s()
            )
            self._own.add(alias.address)
            self._nursery.start_soon(self._listen, alias)
        self._aliases[side, endpoint] = alias
        return alias

    def _host(self, side: Side, version: int) -> str:
        for host in self._hosts[side]:
            if version_of(host) == version:
                return host
        raise OSError(f"there is no address of IPv{version}")

    def _known_by_port(self, side: Side, endpoint: Address) -> EndpointAlias | None:
        """Return the alias of the same endpoint under its other name, of which the port is all that shows."""
        for (other_side, other), alias in self._aliases.items():
            if side == "server" or other_side != side or other[1] != endpoint[1]:
                continue
            if is_name(endpoint) and may_hide(other):
                return alias
            if may_hide(endpoint) and is_name(other) and is_name(alias.endpoint):
                return alias
        return None

    async def _listen(self, alias: EndpointAlias) -> None:
        """Take what the other side sends to the endpoint of an alias, until that is closed."""
        with alias.socket, alias.scope:
            while True:
                await trio.lowlevel.wait_readable(alias.socket)
                for payload, source in waiting(alias.socket):
                    if self._admits(OTHER[alias.side], source[0]):
                        self._take(alias, payload, source)

    def _take(self, alias: EndpointAlias, payload: bytes, source: Address) -> None:
        self.used_s = alias.used_s = self._now_s()
        if is_name(alias.endpoint) and not alias.is_forgotten and self._nat is None:
            if len(alias.held) < _MOST_HELD:
                alias.held.append((payload, source))
            return
        try:
            through = self._alias(OTHER[alias.side], self._outside(alias, source))
        except OSError:
            return  # no more sockets: lost, as anywhere else
        through.used_s = alias.used_s
        if is_name(through.endpoint):
            self._found(through, source)
        self._ways[alias.towards].receive(payload, Route(through, alias, source))

    def _outside(self, alias: EndpointAlias, source: Address) -> Address:
        """Return the endpoint from which a packet goes on: for the client's, the NAT's."""
        if self._nat is None or alias.side == "client":
            return source
        return self._nat.outbound(source, alias.endpoint, self._now_s())

    def _found(self, alias: EndpointAlias, endpoint: Address) -> None:
        """Learn the address behind a name, and go on with what has waited for it."""
        alias.endpoint = endpoint
        held, alias.held = alias.held, []
        for payload, source in held:
            self._take(alias, payload, source)
