"""STUN and TURN servers that are down."""

from collections.abc import Sequence
from typing import Literal

from simlab.profile.faults_base import FaultTable, TimedFault
from simlab.profile.faulty import Path
from simlab.profile.ice import IceTable, ServerName


class StunServerDownFault(TimedFault):
    """The STUN server answers nothing: whoever gathers candidates waits for it as long as his stack does."""

    kind: Literal["stun-server-down"]

    @property
    def server(self) -> ServerName:
        """Which server it is."""
        return "stun"

    @property
    def forgets(self) -> bool:
        """Whether allocations are gone with it: it has none."""
        return False


class TurnServerDownFault(TimedFault):
    """The TURN server answers nothing and relays nothing.

    Parameters
    ----------
    forgets
        Whether it has lost its allocations and nonces when it is back, as a process that was killed has; else
        it only could not be reached.
    """

    kind: Literal["turn-server-down"]
    forgets: bool = True

    @property
    def server(self) -> ServerName:
        """Which server it is."""
        return "turn"


IceServerFault = StunServerDownFault | TurnServerDownFault


def without_server(faults: Sequence[FaultTable], ice: IceTable | None) -> list[tuple[Path, str]]:
    """Return the faults of servers that the profile does not have: a path each, and what is wanted."""
    servers = ice.servers if ice is not None else ()
    return [
        ((number, "kind"), f'want a server "{fault.server}" in the table [ice]')
        for number, fault in enumerate(faults)
        if isinstance(fault, IceServerFault) and fault.server not in servers
    ]
