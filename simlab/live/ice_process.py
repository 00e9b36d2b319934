"""The process of the STUN and TURN servers: ``python -m simlab.live.ice_process``, started by a session."""

import asyncio

from simlab.live import control
from simlab.live.addresses import ICE_HOSTS, Address
from simlab.live.peer_process import PeerProcess, run_peer
from simlab.profile.ice import ServerName
from simlab.webrtc.iceserver.servers import IceServers


class IceProcess(PeerProcess):
    """The servers that the scenario has."""

    side = "server"

    def __init__(self, answers: asyncio.StreamWriter) -> None:
        super().__init__(answers)
        self._servers: IceServers | None = None
        self.orders |= {"prepare": self._prepare}

    async def _prepare(self, text: str, names: list[ServerName]) -> dict[ServerName, Address]:
        self.half = self._servers = IceServers(control.scenario_of(text), self.record)
        return {name: await self._servers.start(name, ICE_HOSTS[name], 0) for name in names}

    async def start(self, zero_s: float) -> None:
        """Take over the time of the session, and what the faults want."""
        await super().start(zero_s)
        assert self._servers is not None
        self._servers.schedule()


def main() -> None:
    """Run the servers until stdin is closed."""
    run_peer(IceProcess)


if __name__ == "__main__":
    main()
