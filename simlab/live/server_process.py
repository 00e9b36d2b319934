"""The server process: ``python -m simlab.live.server_process``, started by a session."""

import asyncio
import os
import signal

from simlab.live import control
from simlab.live.addresses import HOSTS
from simlab.live.ice import Places
from simlab.live.peer_process import PeerProcess, run_peer
from simlab.pipecat_server.choose import ServerHalf, server_of
from simlab.webrtc.ears import EarsState
from simlab.webrtc.iceserver.servers import IceSettings


class ServerProcess(PeerProcess):
    """A server, or one that waits to take the place of another that is killed."""

    side = "server"

    def __init__(self, answers: asyncio.StreamWriter) -> None:
        super().__init__(answers)
        self._server: ServerHalf | None = None
        self._standing: asyncio.Task[None] | None = None
        self.orders |= {"prepare": self._prepare, "leave": self._leave}

    async def _prepare(self, text: str, port: int, ice: Places, heard: EarsState | None = None) -> int:
        scenario = control.scenario_of(text)
        settings = IceSettings.of(scenario.profile.ice, "server", ice)
        self.half = self._server = server_of(scenario, self.record, ice=settings)
        if heard is not None:
            self._server.ears.here.resume(heard)
        await self._server.start(HOSTS["server"], port)
        return self._server.port

    async def _leave(self) -> EarsState:
        """Return what is measured, and do nothing more: what would be sent now could not be counted."""
        assert self._server is not None
        self._standing = asyncio.create_task(self._stand_still())
        return self._server.ears.here.pause()

    async def _stand_still(self) -> None:
        await self.told()  # the answer, too
        os.kill(os.getpid(), signal.SIGSTOP)


def main() -> None:
    """Run the server until stdin is closed."""
    run_peer(ServerProcess)


if __name__ == "__main__":
    main()
