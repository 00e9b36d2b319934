"""The STUN and TURN servers of a session, as its other parts need them."""

import asyncio
from collections.abc import Callable, Iterator

from simlab.core.errors import InvalidInputError
from simlab.core.timeline import Event
from simlab.live.addresses import ICE_HOSTS, Address
from simlab.live.child import Child
from simlab.profile.ice import IceTable, ServerName
from simlab.profile.model import Profile

Places = dict[ServerName, Address]
_OWN_TURN_ALONE = ("lifetime_s", "permission_s", "channel_s", "nonce_s", "quota")
_NOT_OURS = "the TURN server is not simlab's"


def check_other_turn(profile: Profile) -> None:
    """Look whether a profile can be played with a TURN server of somebody else.

    Raises
    ------
    InvalidInputError
        If not, with every fault.
    """
    faults = [f"{profile.name}: {fault}" for fault in _other_turn_faults(profile)]
    if faults:
        raise InvalidInputError(faults)


def _other_turn_faults(profile: Profile) -> Iterator[str]:
    if profile.ice is None or "turn" not in profile.ice.servers:
        yield 'ice.servers: want "turn" among them, as a TURN server is given'
        return
    for name in _OWN_TURN_ALONE:
        field = IceTable.model_fields[name]
        if getattr(profile.ice, name) != field.default:
            yield f"ice.{field.alias or name}: {_NOT_OURS}, and does as it is set itself"
    for index, fault in enumerate(profile.faults):
        if fault.kind == "turn-server-down":
            yield f'fault[{index}].kind is "{fault.kind}", but {_NOT_OURS}, and cannot be taken down'


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
        self.children = [Child("ice-server", "simlab.live.ice_process", sink)] if self._names else []

    async def prepare(self, text: str) -> tuple[Places, Places]:
        """Let the servers listen, and return where they are for the server, and for the client.

        Raises
        ------
        SessionFailedError
            If they can't.
        """
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
