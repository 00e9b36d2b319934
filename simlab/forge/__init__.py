"""Forged packets, made with scapy."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from simlab.core.inject import Forge, Replay
from simlab.core.packet import PacketClass, classes_named
from simlab.forge.alert import alert
from simlab.forge.stun import bad_integrity, error, oversized, truncated

_STUN = classes_named(["stun"])


class Forgery(NamedTuple):
    """One kind of forgery: with which packets it goes, None for any, and what begins to make it."""

    carriers: frozenset[PacketClass] | None
    begin: Callable[[], Forge]


FORGERIES: Mapping[str, Forgery] = {
    "stun-error-401": Forgery(frozenset({PacketClass.STUN_RESPONSE}), lambda: error(401, "Unauthorized")),
    "stun-error-487": Forgery(frozenset({PacketClass.STUN_RESPONSE}), lambda: error(487, "Role Conflict")),
    "stun-bad-integrity": Forgery(_STUN, lambda: bad_integrity),
    "stun-truncated": Forgery(_STUN, lambda: truncated),
    "stun-oversized": Forgery(None, oversized),
    "dtls-alert": Forgery(None, alert),
    "replay": Forgery(None, Replay),
    "unreachable": Forgery(None, lambda: lambda _packet, _payload: b""),
}
"""Every forgery, by its name in a profile."""
