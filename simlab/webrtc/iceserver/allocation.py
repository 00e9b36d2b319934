"""One allocation of a TURN server: who may send to it, and by which channels.

Source: RFC 8656 sections 5 (allocations), 9 (permissions), 12 (channels).
"""

from dataclasses import dataclass, field

from simlab.webrtc.iceserver.codec import Received
from simlab.webrtc.iceserver.outputs import Address


@dataclass(slots=True)
class Channel:
    """A number that stands for a peer, until it expires."""

    number: int
    peer: Address
    expires_s: float


@dataclass(slots=True)
class Denial:
    """What was not passed on between a client and a host, for want of a permission.

    Parameters
    ----------
    expired
        Whether there had been one.
    from_s, until_s
        When the first and the last of these datagrams came.
    """

    expired: bool
    from_s: float
    until_s: float
    datagrams: int = 0


@dataclass(slots=True)
class Allocation:
    """A relayed address and what its client has asked for.

    Whatever expires at a time is gone at that very time.

    Parameters
    ----------
    client
        Where the client is, as the server sees it: all of the 5-tuple that varies.
    transaction_id
        Of the request that made it, which may come again.
    asked
        That request, what its answer is to be signed with, and the lifetime in it, until its port is open.
    relayed
        None until then.
    response
        What that request was answered with.
    to_peers, to_client, denied
        How many datagrams were passed on, and how many were not for want of a permission.
    denials
        What was not, by host, since there was a permission for it last.
    """

    client: Address
    username: str
    transaction_id: bytes
    expires_s: float
    asked: tuple[Received, bytes, int] | None = None
    relayed: Address | None = None
    response: bytes = b""
    to_peers: int = 0
    to_client: int = 0
    denied: int = 0
    denials: dict[str, Denial] = field(default_factory=dict)
    _permissions: dict[str, float] = field(default_factory=dict)
    _channels: dict[int, Channel] = field(default_factory=dict)

    def permit(self, host: str, until_s: float) -> bool:
        """Let a host send to the client until then, and tell whether it is one that never could before."""
        is_new = host not in self._permissions
        self._permissions[host] = until_s
        return is_new

    def permits(self, host: str, now_s: float) -> bool:
        """Tell whether there is a permission for a host, whatever its port."""
        return now_s < self._permissions.get(host, now_s)

    def deny(self, host: str, now_s: float) -> None:
        """Count a datagram from or to a host that has no permission."""
        denial = self.denials.setdefault(host, Denial(host in self._permissions, now_s, now_s))
        denial.until_s = now_s
        denial.datagrams += 1
        self.denied += 1

    def bind(self, number: int, peer: Address, now_s: float, until_s: float) -> bool:
        """Bind a channel, or keep it longer; False if the number or the peer is bound otherwise."""
        self._channels = {n: c for n, c in self._channels.items() if now_s < c.expires_s}
        if any((c.number == number) != (c.peer == peer) for c in self._channels.values()):
            return False
        self._channels[number] = Channel(number, peer, until_s)
        return True

    def peer_of(self, number: int, now_s: float) -> Address | None:
        """Return the peer that a channel is bound to."""
        channel = self._channels.get(number)
        return channel.peer if channel is not None and now_s < channel.expires_s else None

    def number_of(self, peer: Address, now_s: float) -> int | None:
        """Return the channel that is bound to a peer."""
        bound = (c.number for c in self._channels.values() if c.peer == peer and now_s < c.expires_s)
        return next(bound, None)
