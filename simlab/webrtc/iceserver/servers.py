"""The STUN and TURN servers of a session, and what the peers are told of them."""

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from simlab.core.timeline import Recorder
from simlab.profile.faults_servers import IceServerFault
from simlab.profile.ice import IceTable, ServerName, SideName
from simlab.profile.scenario import Scenario
from simlab.webrtc.iceserver.outputs import Address
from simlab.webrtc.iceserver.relaying import TurnSpec
from simlab.webrtc.iceserver.shell import Shell
from simlab.webrtc.iceserver.stun_server import StunServer
from simlab.webrtc.iceserver.turn_server import TurnServer

Addresses = Mapping[ServerName, Address]
"""Where the servers are, as one of the peers reaches them."""


@dataclass(frozen=True)
class IceServer:
    """What a peer is told of a server: as in WebRTC's RTCIceServer."""

    url: str
    username: str | None = None
    password: str | None = None


@dataclass(frozen=True)
class IceSettings:
    """What a peer makes its connections with.

    Parameters
    ----------
    servers
        STUN and TURN servers.
    relay_only
        Whether it uses relayed candidates alone.
    """

    servers: tuple[IceServer, ...] = ()
    relay_only: bool = False

    @staticmethod
    def of(table: IceTable | None, side: SideName, addresses: Addresses) -> "IceSettings":
        """Return what a profile gives one side."""
        if table is None or side not in table.used_by:
            return IceSettings()
        told = (_told(table, name, addresses[name]) for name in table.servers)
        return IceSettings(tuple(told), table.policy == "relay")


NO_ICE_SERVERS = IceSettings()


def _told(table: IceTable, name: ServerName, address: Address) -> IceServer:
    url = f"{name}:{address[0]}:{address[1]}"
    if name == "stun":
        return IceServer(url)
    return IceServer(url, table.told.username or table.username, table.told.password or table.password)


def turn_spec(table: IceTable) -> TurnSpec:
    """Return how the TURN server of a profile behaves."""
    return TurnSpec(
        passwords={table.username: table.password},
        lifetime_s=int(table.lifetime_s),
        longest_s=int(table.lifetime_s),
        permission_s=table.permission_s,
        channel_s=table.channel_s,
        nonce_lifetime_s=table.nonce_s,
        quota=table.quota,
    )


class IceServers:
    """Run the servers of a scenario, and let them go down as its faults want.

    Parameters
    ----------
    record
        Collects what happens, and knows the time.
    """

    def __init__(self, scenario: Scenario, record: Recorder) -> None:
        self._scenario = scenario
        self._record = record
        table = scenario.profile.ice
        names = table.servers if table is not None else ()
        self._made = 0
        self._shells = {name: Shell(name, partial(self._make, name), record) for name in names}
        self._timers: list[asyncio.TimerHandle] = []

    def _make(self, name: ServerName) -> StunServer:
        table = self._scenario.profile.ice
        if name == "stun" or table is None:
            return StunServer()
        self._made += 1
        secret = hashlib.blake2b(f"{self._scenario.seed}/ice-server/{self._made}".encode()).digest()
        return TurnServer(turn_spec(table), secret)

    async def start(self, name: ServerName, host: str, port: int) -> Address:
        """Let one of them listen, and return where; port 0 is any free one.

        Raises
        ------
        OSError
            If the port is in use.
        """
        return await self._shells[name].start(host, port)

    def schedule(self) -> None:
        """Go down and up as the faults want. The session's time must be known."""
        for fault in self._scenario.profile.faults:
            if isinstance(fault, IceServerFault):
                self._timers += self._outage(fault)

    def _outage(self, fault: IceServerFault) -> tuple[asyncio.TimerHandle, asyncio.TimerHandle]:
        loop, shell = asyncio.get_running_loop(), self._shells[fault.server]
        now_s = self._record.now_s()
        return (
            loop.call_later(fault.at_s - now_s, lambda: shell.go_down(forget=fault.forgets)),
            loop.call_later(fault.until_s - now_s, shell.come_up),
        )

    def finish(self) -> None:
        """Record what is still open."""
        for shell in self._shells.values():
            shell.finish()

    async def close(self) -> None:
        """Free everything."""
        for timer in self._timers:
            timer.cancel()
        for shell in self._shells.values():
            shell.close()
