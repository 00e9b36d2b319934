"""The part of a TURN server that knows its allocations, and passes on what they allow.

Source: RFC 8656 sections 10 to 12.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from simlab.webrtc.iceserver import codec
from simlab.webrtc.iceserver.allocation import Allocation
from simlab.webrtc.iceserver.codec import ChannelData, Received
from simlab.webrtc.iceserver.outputs import Address, Close, Happened, Output, Send, text
from simlab.webrtc.iceserver.stun_server import StunServer


@dataclass(frozen=True)
class TurnSpec:
    """How a TURN server behaves.

    Parameters
    ----------
    passwords
        By user name.
    lifetime_s
        Of an allocation whose client asks for none, or for less (section 7.2).
    longest_s
        What no client gets more than.
    permission_s, channel_s
        How long a permission (section 9) and a channel (section 12) live without being refreshed.
    nonce_lifetime_s
        How long a nonce may be used.
    quota
        How many allocations a user may have at a time.
    """

    passwords: Mapping[str, str] = field(default_factory=dict)
    realm: str = "simlab"
    lifetime_s: int = 600
    longest_s: int = 3600
    permission_s: float = 300.0
    channel_s: float = 600.0
    nonce_lifetime_s: float = 600.0
    quota: int = 100


class Relaying(StunServer):
    """Pass on datagrams between clients that have an allocation and the peers that they permit."""

    def __init__(self, spec: TurnSpec) -> None:
        self.spec = spec
        self._allocations: dict[Address, Allocation] = {}
        self._by_relayed: dict[Address, Allocation] = {}

    def _drop(self, allocation: Allocation, kind: str) -> list[Output]:
        del self._allocations[allocation.client]
        if allocation.relayed is None:
            return []
        del self._by_relayed[allocation.relayed]
        denied = [output for host in list(allocation.denials) for output in denial_told(allocation, host)]
        counts = {name: getattr(allocation, name) for name in ("to_peers", "to_client", "denied")}
        over = Happened(kind, {"relayed": text(allocation.relayed), **counts})
        return [Close(allocation.relayed), *denied, over]

    def next_timer_s(self) -> float | None:
        """Return when the next allocation expires; None if there is none."""
        return min((allocation.expires_s for allocation in self._allocations.values()), default=None)

    def handle_timer(self, now_s: float) -> list[Output]:
        """Give up the allocations that have expired."""
        expired = [a for a in self._allocations.values() if a.expires_s <= now_s]
        return [output for allocation in expired for output in self._drop(allocation, "expired")]

    def end(self, kind: str) -> list[Output]:
        """Give up everything, and tell of each allocation by an event of that kind."""
        present = list(self._allocations.values())
        return [output for allocation in present for output in self._drop(allocation, kind)]

    def _send_indication(self, received: Received, source: Address, now_s: float) -> list[Output]:
        payload = received.message.attributes.get("DATA")
        if received.unknown or payload is None or len(received.peers) != 1:
            return []
        return self._to_peer(source, payload, received.peers[0], now_s)

    def _channel_data(self, data: ChannelData, source: Address, now_s: float) -> list[Output]:
        due = self.handle_timer(now_s)
        allocation = self._allocations.get(source)
        peer = None if allocation is None else allocation.peer_of(data.number, now_s)
        return due if peer is None else due + self._to_peer(source, data.payload, peer, now_s)

    def _to_peer(self, client: Address, payload: bytes, peer: Address, now_s: float) -> list[Output]:
        allocation = self._allocations.get(client)
        if allocation is None or allocation.relayed is None:
            return []
        if not allocation.permits(peer[0], now_s):
            allocation.deny(peer[0], now_s)
            return []
        allocation.to_peers += 1
        return [Send(payload, peer, allocation.relayed)]

    def receive_from_peer(
        self, datagram: bytes, peer: Address, relayed: Address, now_s: float
    ) -> list[Output]:
        """Take in a datagram that came from a peer to a relayed address."""
        due = self.handle_timer(now_s)
        allocation = self._by_relayed.get(relayed)
        if allocation is None:
            return due
        if not allocation.permits(peer[0], now_s):
            allocation.deny(peer[0], now_s)
            return due
        allocation.to_client += 1
        number = allocation.number_of(peer, now_s)
        if number is not None:
            return [*due, Send(bytes(ChannelData(number, datagram)), allocation.client)]
        return [*due, Send(codec.data_indication(datagram, peer), allocation.client)]


def denial_told(allocation: Allocation, host: str) -> list[Output]:
    """Return what tells of the datagrams from and to a host that were denied up to now, if any were."""
    denial = allocation.denials.pop(host, None)
    if denial is None or allocation.relayed is None:
        return []
    times = {"from_s": round(denial.from_s, 6), "until_s": round(denial.until_s, 6)}
    counted = {"expired": denial.expired, "datagrams": denial.datagrams, **times}
    return [Happened("denied", {"relayed": text(allocation.relayed), "peer": host, **counted})]
