"""Who the clients are, by what they say in their offers."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_ORIGIN = re.compile(r"(?m)^o=(\S+ \S+)")
_FINGERPRINT = re.compile(r"(?m)^a=fingerprint:([^\r\n]+)")
_UFRAG = re.compile(r"(?m)^a=ice-ufrag:([^\r\n]+)")
_MOST_NAMES = 10_000


@dataclass(eq=False)
class Client:
    """Somebody who makes offers.

    Parameters
    ----------
    number
        From 1, in the order of first offers.
    connection
        The number of its newest peer connection, from 1.
    """

    number: int
    connection: int = 0
    attempts: int = 0
    origin: str = ""
    ufrag: str = ""


@dataclass(frozen=True)
class Offer:
    """What an offer is to its client.

    Parameters
    ----------
    action
        ``None`` for the first one and for a renegotiation; ``"recreate"`` for a new peer connection in the
        place of another, ``"restart_ice"`` for new credentials of the same.
    """

    client: Client
    action: str | None


class Clients:
    """Know clients again: by the ``pc_id`` that the server gave, else by the origin of their descriptions.

    A peer connection keeps its origin (RFC 8866, ``o=``) and its certificate.
    """

    def __init__(self) -> None:
        self._by_name: dict[str, Client] = {}
        self._count = 0

    def offered(self, message: Mapping[str, Any], sdp: str) -> Offer:
        """Return whose an offer is."""
        # Two peer connections may have the same origin, which in aiortc is a time in seconds.
        origin, ufrag = f"{_found(_ORIGIN, sdp)} {_found(_FINGERPRINT, sdp)}", _found(_UFRAG, sdp)
        client = self.named(message.get("pc_id")) or self._by_name.get(f"o={origin}")
        if client is None:
            self._count += 1
            client = Client(self._count)
        action = None
        if client.origin != origin or message.get("restart_pc"):
            action = "recreate" if client.connection else None
            client.connection += 1
        elif client.ufrag != ufrag:
            action = "restart_ice"
        client.attempts += action is not None
        client.origin, client.ufrag = origin, ufrag
        self._name(client, f"o={origin}")
        return Offer(client, action)

    def answered(self, client: Client, pc_id: object) -> bool:
        """Remember the name that the server gave; True if it is a new one."""
        is_new = isinstance(pc_id, str) and pc_id not in self._by_name
        if isinstance(pc_id, str):
            self._name(client, pc_id)
        return is_new

    def named(self, pc_id: object) -> Client | None:
        """Return the client of that name, if there is one."""
        return self._by_name.get(pc_id) if isinstance(pc_id, str) else None

    def _name(self, client: Client, name: str) -> None:
        self._by_name.pop(name, None)
        self._by_name[name] = client
        if len(self._by_name) > _MOST_NAMES:  # the oldest
            del self._by_name[next(iter(self._by_name))]


def _found(pattern: re.Pattern[str], sdp: str) -> str:
    match = pattern.search(sdp)
    return match[1] if match else ""
