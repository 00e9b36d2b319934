"""The STUN and TURN servers of a session, as its other parts need them."""

import asyncio
from collections.abc import Callable

from simlab.core.errors import SessionFailedError
from simlab.core.timeline import Event
from simlab.live.addresses import ICE_HOSTS, Address
from simlab.live.child import Child
from simlab.profile.ice import ServerName
from simlab.profile.model import Profile

Places = dict[ServerName, Address]


class IceParty:
    """A process with the servers that the profile has, and where they are.

    Parameters
    ----------
    turn_port
        Where a TURN server of somebody else listens at ``ICE_HOSTS["turn"]``; None for simlab's own.
    sink
        Called with each event that the process tells of.
    """

    def __init__(
        self, profile: Profile, relay: Child, turn_port: int | None, sink: Callable[[Event], None]
    ) -> None:
        servers = profile.ice.servers if profile.ice is not None else ()
        self._relay = relay
        self._others: Places = {}
        if turn_port is not None and "turn" in servers:
            self._others["turn"] = (ICE_HOSTS["turn"], turn_port)
        self._names = [name for name in servers if name not in self._others]
        self._profile = profile
        self.children = [Child("ice-server", "simlab.live.ice_process", sink)] if self._names else []

    async def prepare(self, text: str) -> tuple[Places, Places]:
        """Let the servers listen, and return where they are for the server, and for the client.

        Raises
        ------
        SessionFailedError
            If they can't, or if a fault is to take down a server that is not simlab's own.
        """
        if self._others and any(fault.kind == "turn-server-down" for fault in self._profile.faults):
            raise SessionFailedError(
                "ice-server", "a TURN server that is not simlab's own can't be taken down"
            )
        near = dict(self._others)
        for child in self.children:
            places = await child.ask("prepare", text, self._names)
            near |= {name: (host, port) for name, (host, port) in places.items()}
        far: Places = {}
        for name, address in near.items():
            host, port = await self._relay.ask("alias", "server", *address)
            far[name] = (host, port)
        return near, far

    async def start(self, zero_s: float) -> None:
        """Say when the session begins."""
        await asyncio.gather(*(child.ask("start", zero_s) for child in self.children))

    async def finish(self) -> None:
        """Let them record what is still open."""
        await asyncio.gather(*(child.ask("finish") for child in self.children))
