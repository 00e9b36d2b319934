"""What happens to the processes of client and server: killed, frozen, closed."""

import math
from typing import Literal

from simlab.profile.faults_base import FaultTable, TimedFault


class ServerRestartFault(TimedFault):
    """The server is killed, says no goodbye, and another one is there when the fault is over."""

    kind: Literal["server-restart"]

    @property
    def group(self) -> str:
        """Faults of the server's process do not overlap."""
        return "fault of the server's process"


class ServerFreezeFault(TimedFault):
    """The server does nothing for a while. What comes in waits, as far as its buffers go."""

    kind: Literal["server-freeze"]

    @property
    def group(self) -> str:
        """Faults of the server's process do not overlap."""
        return "fault of the server's process"


class ServerExhaustedFault(TimedFault):
    """The server can open no more sockets, so that it fails on every offer that needs one."""

    kind: Literal["server-exhausted"]


class ClientFreezeFault(TimedFault):
    """The client does nothing for a while. What comes in waits, as far as its buffers go."""

    kind: Literal["client-freeze"]

    @property
    def group(self) -> str:
        """Faults of the client's process do not overlap."""
        return "fault of the client's process"


class TabClosedFault(FaultTable):
    """The client is gone from then on, without a goodbye."""

    kind: Literal["tab-closed"]

    @property
    def until_s(self) -> float:
        """Infinite: it is never over."""
        return math.inf

    @property
    def group(self) -> str:
        """Faults of the client's process do not overlap."""
        return "fault of the client's process"


ProcessFault = (
    ServerRestartFault | ServerFreezeFault | ServerExhaustedFault | ClientFreezeFault | TabClosedFault
)
