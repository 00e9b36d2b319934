"""Pass UDP between two sides that know each other only by aliases."""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import trio

from simlab.core.inject import UNREACHABLE
from simlab.core.link import Delivered
from simlab.core.nat import NatSpec
from simlab.core.outside import LossesOutside
from simlab.core.packet import Direction
from simlab.live.addresses import ICE_HOSTS, LOOPBACK, RELAY_HOSTS, Address, Side
from simlab.live.relay_ends import OTHER, TOWARDS, Alias, LostError, Route, refuse
from simlab.live.relay_nat import RelayNat
from simlab.live.shell import LinkShell
from simlab.live.sockets import kernel_drops, opened, waiting

if TYPE_CHECKING:
    from simlab.live.capture import LinkCapture

_TURN_HOST = ICE_HOSTS["turn"]


class Relay:
    """Stand for the endpoints of each side at the other.

    For each endpoint of one side there is a UDP socket that the other side sees: its *alias*. What
    arrives at the alias of S from C goes through the link, and leaves for S from the alias of C. An
    alias is made when it is first asked for or when its endpoint first sends, whichever comes first
    (a client's first check overtakes the announcement of its candidate), and stays for the session. ICE
    takes the relay for a NAT, since STUN's integrity does not cover addresses.

    With a ``nat``, what the client sends leaves from the alias of the NAT's outside endpoint; what comes to
    the alias of an endpoint of the client itself, as its candidates have it, reaches nobody.

    A TURN server is on the server's side, and what the client sends to it takes the link. What it relays has
    done so: the relayed addresses of the client count as the client's, since the server sends to them as
    to the client, but between them and the server nothing is done to packets.

    Parameters
    ----------
    nursery
        Runs a task for each alias.
    shells
        The links; they are to send by ``send``.
    nat
        What the profile puts in front of the client, if anything.
    now_s
        Returns the seconds since the session began.
    captures
        Shown what is sent to each side.
    beyond
        Told of what a NAT beyond the links does not let in; None where the NAT is on the client's side.
    """

    def __init__(
        self,
        nursery: trio.Nursery,
        shells: Mapping[Direction, LinkShell],
        nat: NatSpec | None = None,
        now_s: Callable[[], float] = time.monotonic,
        captures: Mapping[Direction, "LinkCapture"] = MappingProxyType({}),
        beyond: LossesOutside | None = None,
    ) -> None:
        self._nursery = nursery
        self._shells = shells
        self._now_s = now_s
        self._captures = captures
        self._nat = RelayNat(nat, now_s, beyond)
        self._aliases: dict[tuple[Side, Address], Alias] = {}
        self._dead_hosts: set[str] = set()
        self._own: set[Address] = set()

    def alias(self, side: Side, endpoint: Address) -> Address:
        """Return the address at which the other side finds an endpoint of ``side``.

        One that is the relay's own already is returned as it is: a client has it from a STUN server.

        Raises
        ------
        OSError
            If no socket can be had.
        """
        if endpoint in self._own:
            return endpoint
        return self._alias(side, endpoint).address

    def rebind(self, host: str | None) -> None:
        """Let the NAT forget its mappings, so that the server sees the client from elsewhere.

        Parameters
        ----------
        host
            The NAT's address from now on; None leaves it.
        """
        self._nat.rebind(host)

    def cut_off(self, host: str) -> None:
        """Take nothing from an address of the client any more, and send nothing there."""
        self._dead_hosts.add(host)

    def join(self, outside: str) -> None:
        """Let the client be in another network, which has a NAT of its own if there is one on its side.

        Parameters
        ----------
        outside
            The address of that NAT.
        """
        self._nat.join(outside)

    def send(self, packet: Delivered) -> None:
        """Send a packet that comes out of a link.

        Raises
        ------
        OSError
            If the system does not take it, or nobody is there: see ``LostError``.
        """
        route = packet.tag
        assert isinstance(route, Route)
        if route.to[0] in self._dead_hosts:
            raise LostError("handover")
        if route.came_to.towards is Direction.UP:
            packet.tag = route = self._from_client(route)
            to = route.to
        else:
            to = self._to_client(route)
        if getattr(packet.payload, "injected", None) == UNREACHABLE:
            refuse(to, route.through.address)
        else:
            route.through.socket.sendto(packet.payload, to)
        if self._captures:
            self._captures[route.came_to.towards].left(self._now_s(), packet, to)

    def _from_client(self, route: Route) -> Route:
        """Translate a packet of the client at the end of its way up."""
        outside = self._nat.leaving_up(route.came_from, route.to)
        return route if outside is None else replace(route, through=self._alias("client", outside))

    def _to_client(self, route: Route) -> Address:
        """Return where a packet goes that is at the end of its way down."""
        inside = self._nat.leaving_down(route.to, route.came_from)
        if inside is None:
            raise LostError("nat")
        if inside[0] in self._dead_hosts:
            raise LostError("handover")
        return inside

    def kernel_drops(self) -> dict[Direction, int]:
        """Return how many packets of each direction the kernel dropped before they could be read."""
        drops = dict.fromkeys(Direction, 0)
        for alias in self._aliases.values():
            drops[alias.towards] += kernel_drops(alias.socket)
        return drops

    def close(self) -> None:
        """Close the sockets."""
        for alias in self._aliases.values():
            alias.socket.close()

    def _alias(self, side: Side, endpoint: Address) -> Alias:
        alias = self._aliases.get((side, endpoint))
        if alias is None:
            host = RELAY_HOSTS["client"] if side == "server" else self._nat.host
            bound = opened((host, 0))
            alias = Alias(bound, TOWARDS[side], bound.getsockname())
            self._aliases[side, endpoint] = alias
            self._own.add(alias.address)
            self._nursery.start_soon(self._listen, alias, side, endpoint)
        return alias

    async def _listen(self, alias: Alias, side: Side, endpoint: Address) -> None:
        """Take what the other side sends to an endpoint of ``side``."""
        while True:
            await trio.lowlevel.wait_readable(alias.socket.fileno())
            for payload, source in waiting(alias.socket):
                # A browser tries from all of the machine's interfaces, though its network here has but one.
                if source[0] in self._dead_hosts or not source[0].startswith(LOOPBACK):
                    continue
                if (source if side == "server" else endpoint)[0] == _TURN_HOST:
                    self._pass_on(payload, side, source, endpoint)
                    continue
                self._take(payload, alias, side, source, endpoint)

    def _take(self, payload: bytes, alias: Alias, to_side: Side, source: Address, to: Address) -> None:
        """Let a packet into the link, if a NAT that comes before it lets it."""
        seen = source
        if alias.towards is Direction.UP:
            seen = self._nat.entering_up(source, to)
        elif (inside := self._nat.entering_down(payload, to, source)) is None:
            return
        else:
            to = inside
        route = Route(self._alias(OTHER[to_side], seen), to, alias, source)
        self._shells[alias.towards].receive(payload, route)

    def _pass_on(self, payload: bytes, to: Side, source: Address, destination: Address) -> None:
        """Let a packet go between the server and a relayed address, which no link and no NAT is between."""
        with suppress(OSError):  # the system does not take it: lost, as anywhere else
            self._alias(OTHER[to], source).socket.sendto(payload, destination)
