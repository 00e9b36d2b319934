"""Pass UDP between two sides that know each other only by aliases."""

import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import trio

from simlab.core.inject import UNREACHABLE
from simlab.core.link import Delivered
from simlab.core.nat import Nat, NatSpec
from simlab.core.outside import LossesOutside
from simlab.core.packet import Direction
from simlab.live.addresses import ICE_HOSTS, LOOPBACK, RELAY_HOSTS, Address, Side
from simlab.live.relay_ends import OTHER, TOWARDS, Alias, Route
from simlab.live.shell import LinkShell
from simlab.live.sockets import kernel_drops, opened, waiting

if TYPE_CHECKING:
    from simlab.live.capture import LinkCapture

_TURN_HOST = ICE_HOSTS["turn"]


class LostError(OSError):
    """A packet that has come out of a link reaches nobody.

    Parameters
    ----------
    cause
        What the drop is called in the timeline.
    """

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


class Relay:
    """Stand for the endpoints of each side at the other.

    For each endpoint of one side there is a UDP socket that the other side sees: its *alias*. What
    arrives at the alias of S from C goes through the link, and leaves for S from the alias of C. An
    alias is made when it is first asked for or when its endpoint first sends, whichever comes first
    (a client's first check overtakes the announcement of its candidate), and stays for the session. ICE
    takes the relay for a NAT, since STUN's integrity does not cover addresses.

    With a ``nat``, what the client sends leaves from the alias of the NAT's outside endpoint; what comes to
    the alias of an endpoint of the client itself, as its candidates have it, reaches nobody. The NAT is on
    the client's side of the links, or ``beyond`` them: then it knows only of what has come through.

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
        self._beyond = beyond
        self._nat = None if nat is None else Nat(nat, RELAY_HOSTS["server"])
        self._aliases: dict[tuple[Side, Address], Alias] = {}
        self._hosts = dict(RELAY_HOSTS)
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
        assert self._nat is not None
        if host is None:
            self._nat.rebind_ports()
        else:
            self._hosts["server"] = host
            self._nat.rebind_address(host)

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
        if self._nat is not None and self._beyond is None:
            self._hosts["server"] = outside
            self._nat = Nat(self._nat.spec, outside)

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
        if self._beyond is not None and route.came_to.towards is Direction.UP:
            packet.tag = route = self._out_of_carrier(route)
        to = self._behind_nat(route)
        if getattr(packet.payload, "injected", None) == UNREACHABLE:
            _refuse(to, route.through.address)
        else:
            route.through.socket.sendto(packet.payload, to)
        if self._captures:
            self._captures[route.came_to.towards].left(self._now_s(), packet, to)

    def _behind_nat(self, route: Route) -> Address:
        """Return where a packet goes: for one to the client, what the NAT takes its destination for."""
        if self._nat is None or self._beyond is not None or route.came_to.towards is Direction.UP:
            return route.to
        inside = self._nat.inbound(route.to, route.came_from, self._now_s())
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
            bound = opened((self._hosts[OTHER[side]], 0))
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
                to = self._into_carrier(payload, alias, source, endpoint)
                if to is not None:
                    through = self._alias(OTHER[side], self._outside(side, source, endpoint))
                    self._shells[alias.towards].receive(payload, Route(through, to, alias, source))

    def _pass_on(self, payload: bytes, to: Side, source: Address, destination: Address) -> None:
        """Let a packet go between the server and a relayed address, which no link and no NAT is between."""
        with suppress(OSError):  # the system does not take it: lost, as anywhere else
            self._alias(OTHER[to], source).socket.sendto(payload, destination)

    def _outside(self, to: Side, source: Address, destination: Address) -> Address:
        """Return the endpoint from which a packet goes to ``to``: for the client's, the NAT's."""
        if self._nat is None or self._beyond is not None or to == "client":
            return source
        return self._nat.outbound(source, destination, self._now_s())

    def _out_of_carrier(self, route: Route) -> Route:
        """Translate a packet of the client at the end of its way up."""
        assert self._nat is not None
        outside = self._nat.outbound(route.came_from, route.to, self._now_s())
        return replace(route, through=self._alias("client", outside))

    def _into_carrier(self, payload: bytes, alias: Alias, source: Address, to: Address) -> Address | None:
        """Return where a packet goes in the links; None if a NAT beyond them does not let it in."""
        if self._nat is None or self._beyond is None or alias.towards is Direction.UP:
            return to
        inside = self._nat.inbound(to, source, self._now_s())
        if inside is None:
            self._beyond(payload)
        return inside


def _refuse(sender: Address, receiver: Address) -> None:
    """Tell who sends to an alias that nobody is there.

    Raises
    ------
    LostError
        If the system does not let this process send ICMP.
    """
    from simlab.forge.unreachable import port_unreachable

    try:
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as icmp:
            icmp.bind((receiver[0], 0))
            icmp.sendto(port_unreachable(sender, receiver), (sender[0], 0))
    except PermissionError:
        raise LostError("icmp-not-permitted") from None
