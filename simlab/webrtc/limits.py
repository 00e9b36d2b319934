"""How long a peer waits for what, and how much it keeps: as Pipecat has it, where a profile says nothing."""

from dataclasses import dataclass, fields, replace
from typing import TypeVar

from simlab.profile.fields import Table
from simlab.profile.model import Client, Server


@dataclass(frozen=True)
class ServerLimits:
    """The server's; docs/server.md says what follows from each.

    Parameters
    ----------
    ping_window_s
        How long after its last ping a client counts as connected.
    channel_timeout_s
        How long after the peer connection its data channel may open.
    queued_messages
        How many messages wait for the data channel.
    renegotiation_latch_s
        How long after an offer the client is not asked for another one.
    write_timeout_s
        How long a write to a track may take.
    """

    ping_window_s: float = 3.0
    channel_timeout_s: float = 10.0
    queued_messages: int = 50
    renegotiation_latch_s: float = 2.0
    write_timeout_s: float = 10.0

    @staticmethod
    def of(keys: Server) -> "ServerLimits":
        """Return them as a profile has them."""
        return _as_in(keys, PIPECAT_SERVER)


@dataclass(frozen=True)
class ClientLimits:
    """The client's.

    Parameters
    ----------
    ping_interval_s
        How long after a ping the next one follows.
    trickle_window_s
        How long a candidate waits for others to go along.
    """

    ping_interval_s: float = 1.0
    trickle_window_s: float = 0.2

    @staticmethod
    def of(keys: Client) -> "ClientLimits":
        """Return them as a profile has them."""
        return _as_in(keys, PIPECAT_CLIENT)


PIPECAT_SERVER, PIPECAT_CLIENT = ServerLimits(), ClientLimits()
"""Those of the published ones."""

_L = TypeVar("_L", ServerLimits, ClientLimits)


def _as_in(keys: Table, limits: _L) -> _L:
    given = {field.name: getattr(keys, field.name) for field in fields(limits)}
    return replace(limits, **{name: value for name, value in given.items() if value is not None})
