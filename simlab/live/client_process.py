"""The client process: ``python -m simlab.live.client_process``, started by a session."""

import asyncio

from simlab.live import control
from simlab.live.addresses import move
from simlab.live.ice import Places
from simlab.live.peer_process import PeerProcess, run_peer
from simlab.own_client.choose import ClientHalf, client_of
from simlab.webrtc.iceserver.servers import IceSettings


class ClientProcess(PeerProcess):
    """A client that connects when the session begins."""

    side = "client"

    def __init__(self, answers: asyncio.StreamWriter) -> None:
        super().__init__(answers)
        self._client: ClientHalf | None = None
        self._duration_s = 0.0
        self._begun = asyncio.Event()
        self.orders |= {"prepare": self._prepare, "move": self._move, "hang_up": self._hang_up}

    async def _prepare(self, text: str, endpoint: str, ice: Places) -> None:
        scenario = control.scenario_of(text)
        settings = IceSettings.of(scenario.profile.ice, "client", ice)
        self._duration_s = scenario.profile.duration_s
        self.half = self._client = client_of(scenario, endpoint, self.record, settings)

    async def _hang_up(self) -> None:
        assert self._client is not None
        await self._client.hang_up()

    async def _move(self, host: str | None) -> None:
        move("client", host)

    async def start(self, zero_s: float) -> None:
        """Take over the time of the session, and begin with it."""
        await super().start(zero_s)
        self._begun.set()

    async def work(self) -> None:
        """Run the client."""
        await self._begun.wait()
        assert self._client is not None
        await asyncio.sleep(-self.clock.now_s())
        await self._client.run(self._duration_s)


def main() -> None:
    """Run the client until stdin is closed."""
    run_peer(ClientProcess)


if __name__ == "__main__":
    main()
