"""A TURN server over UDP.

Source: RFC 8656; the sections stand where they are followed.
"""

from aioice import stun

from simlab.webrtc.iceserver import codec
from simlab.webrtc.iceserver.allocation import Allocation
from simlab.webrtc.iceserver.codec import Received
from simlab.webrtc.iceserver.credentials import Guard
from simlab.webrtc.iceserver.outputs import Address, Close, Happened, Open, Output, Send, text
from simlab.webrtc.iceserver.relaying import Relaying, TurnSpec, denial_told


class TurnServer(Relaying):
    """Answer the requests of clients for allocations, permissions and channels.

    Parameters
    ----------
    secret
        What nonces are made with.
    """

    def __init__(self, spec: TurnSpec, secret: bytes) -> None:
        super().__init__(spec)
        self._guard = Guard(spec.realm, dict(spec.passwords), spec.nonce_lifetime_s, secret)
        self._handlers = {
            stun.Method.ALLOCATE: self._allocate,
            stun.Method.REFRESH: self._refresh,
            stun.Method.CREATE_PERMISSION: self._create_permission,
            stun.Method.CHANNEL_BIND: self._channel_bind,
        }

    def _message(self, received: Received, source: Address, now_s: float) -> list[Output]:
        method = received.message.message_method
        due = self.handle_timer(now_s)
        if received.is_request and method in self._handlers:
            return due + self._request(received, source, now_s)
        if received.message.message_class is stun.Class.INDICATION and method is stun.Method.SEND:
            return due + self._send_indication(received, source, now_s)
        return due + super()._message(received, source, now_s)

    def _request(self, received: Received, source: Address, now_s: float) -> list[Output]:
        verdict = self._guard.verdict(received, now_s)
        if verdict.key is None:
            return self._unauthenticated(received, source, verdict.code or 401, now_s)
        allocation = self._allocations.get(source)
        code = self._objection(received, allocation)
        if code is not None:
            return _refusal(received, source, code, verdict.key)
        return self._handlers[received.message.message_method](received, source, verdict.key, now_s)

    def _unauthenticated(self, received: Received, source: Address, code: int, now_s: float) -> list[Output]:
        said = {"REALM": self._guard.realm, "NONCE": self._guard.nonce(now_s)} if code in {401, 438} else {}
        answer = Send(codec.error(received, code, said), source)
        # The first request of a client has no credentials: a 401 then only says how to make them.
        is_first = code == 401 and "MESSAGE-INTEGRITY" not in received.message.attributes
        return [answer] if is_first else [answer, _refused(received, source, code)]

    def _objection(self, received: Received, allocation: Allocation | None) -> int | None:
        """Return what is wrong with a request whose credentials are right, as an error code."""
        attributes = received.message.attributes
        if received.unknown:
            return 420
        if received.message.message_method is stun.Method.ALLOCATE:
            return None
        if allocation is None or allocation.relayed is None:
            return 437
        return 441 if attributes["USERNAME"] != allocation.username else None

    # --- allocations ---

    def _allocate(self, received: Received, source: Address, key: bytes, now_s: float) -> list[Output]:
        message = received.message
        present = self._allocations.get(source)
        if present is not None and present.transaction_id == message.transaction_id:
            return [Send(present.response, source)] if present.response else []
        code = 437 if present is not None else self._allocation_objection(received)
        if code is not None:
            return _refusal(received, source, code, key)
        lifetime_s = self._granted_s(message.attributes.get("LIFETIME"))
        self._allocations[source] = Allocation(
            client=source,
            username=message.attributes["USERNAME"],
            transaction_id=message.transaction_id,
            expires_s=now_s + lifetime_s,
            asked=(received, key, lifetime_s),
        )
        return [Open(source)]

    def _allocation_objection(self, received: Received) -> int | None:
        attributes = received.message.attributes
        transport = attributes.get("REQUESTED-TRANSPORT")
        if transport is None:
            return 400
        if transport >> 24 != codec.UDP:
            return 442
        if received.family not in (None, codec.IPV4):
            return 440
        username = attributes["USERNAME"]
        held = sum(allocation.username == username for allocation in self._allocations.values())
        return 486 if held >= self.spec.quota else None

    def _granted_s(self, asked_s: int | None) -> int:
        """Return the lifetime that a client gets (section 7.2): never less than the default."""
        return max(self.spec.lifetime_s, min(asked_s or 0, self.spec.longest_s))

    def opened(self, client: Address, relayed: Address, now_s: float) -> list[Output]:
        """Take over the port that was opened for a client."""
        allocation = self._allocations.get(client)
        if allocation is None or allocation.asked is None:
            return [Close(relayed)]  # it has expired meanwhile
        (received, key, lifetime_s), allocation.asked = allocation.asked, None
        allocation.expires_s = now_s + lifetime_s
        said = {"XOR-RELAYED-ADDRESS": relayed, "LIFETIME": lifetime_s, "XOR-MAPPED-ADDRESS": client}
        allocation.relayed, allocation.response = relayed, codec.success(received, said, key)
        self._by_relayed[relayed] = allocation
        data = {"client": text(client), "relayed": text(relayed), "lifetime_s": lifetime_s}
        return [Send(allocation.response, client), Happened("allocated", data)]

    def not_opened(self, client: Address, now_s: float) -> list[Output]:
        """Learn that no port could be opened for a client."""
        allocation = self._allocations.get(client)
        if allocation is None or allocation.asked is None:
            return []
        del self._allocations[client]
        received, key, _ = allocation.asked
        return _refusal(received, client, 508, key)

    def _refresh(self, received: Received, source: Address, key: bytes, now_s: float) -> list[Output]:
        allocation = self._allocations[source]
        asked_s = received.message.attributes.get("LIFETIME")
        if asked_s == 0:
            return [
                Send(codec.success(received, {"LIFETIME": 0}, key), source),
                *self._drop(allocation, "released"),
            ]
        lifetime_s = self._granted_s(asked_s)
        allocation.expires_s = now_s + lifetime_s
        return [
            Send(codec.success(received, {"LIFETIME": lifetime_s}, key), source),
            Happened("refreshed", {"relayed": _name(allocation), "lifetime_s": lifetime_s}),
        ]

    # --- permissions and channels ---

    def _create_permission(
        self, received: Received, source: Address, key: bytes, now_s: float
    ) -> list[Output]:
        code = _peers_objection(received)
        if code is not None:
            return _refusal(received, source, code, key)
        answer = Send(codec.success(received, {}, key), source)
        return [answer, *self._permit(self._allocations[source], received.peers, now_s)]

    def _permit(self, allocation: Allocation, peers: tuple[Address, ...], now_s: float) -> list[Output]:
        until_s = now_s + self.spec.permission_s
        hosts = dict.fromkeys(host for host, _ in peers)
        denied = [output for host in hosts for output in denial_told(allocation, host)]
        new = [host for host in hosts if allocation.permit(host, until_s)]
        return [
            *denied,
            *(Happened("permitted", {"relayed": _name(allocation), "peer": host}) for host in new),
        ]

    def _channel_bind(self, received: Received, source: Address, key: bytes, now_s: float) -> list[Output]:
        number = received.message.attributes.get("CHANNEL-NUMBER", 0)
        code = _peers_objection(received)
        if not codec.FIRST_CHANNEL <= number <= codec.LAST_CHANNEL or len(received.peers) > 1:
            code = 400
        allocation = self._allocations[source]
        until_s = now_s + self.spec.channel_s
        if code is None and not allocation.bind(number, received.peers[0], now_s, until_s):
            code = 400
        if code is not None:
            return _refusal(received, source, code, key)
        # A channel brings a permission along, which lives shorter than itself (section 12.2).
        answer = Send(codec.success(received, {}, key), source)
        return [answer, *self._permit(allocation, received.peers, now_s)]


def _name(allocation: Allocation) -> str:
    assert allocation.relayed is not None
    return text(allocation.relayed)


def _peers_objection(received: Received) -> int | None:
    if not received.peers:
        return 400
    return 443 if any(":" in host for host, _ in received.peers) else None


def _refusal(received: Received, source: Address, code: int, key: bytes) -> list[Output]:
    unknown = received.unknown if code == 420 else ()
    answer = Send(codec.error(received, code, key=key, unknown=unknown), source)
    return [answer, _refused(received, source, code)]


def _refused(received: Received, source: Address, code: int) -> Happened:
    method = received.message.message_method.name.lower().replace("_", "-")
    return Happened("refused", {"client": text(source), "method": method, "code": code})
