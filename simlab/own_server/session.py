"""The server's half of a session, on an application of the user's own."""

import asyncio
from contextlib import suppress

from simlab.core.errors import SessionFailedError
from simlab.core.timeline import Recorder
from simlab.own_server import pipecat_changes
from simlab.own_server.find import NotThereError, fresh, note_changes
from simlab.own_server.hooks import install, watcher
from simlab.own_server.logs import logs
from simlab.own_server.place import place
from simlab.own_server.serve import Serving, serving
from simlab.own_server.watch import Watchers
from simlab.profile.scenario import Scenario
from simlab.webrtc.ears import EarsOfAll
from simlab.webrtc.session import ears_of

_STARTING_S = 60.0
_ENDING_S = 10.0


class OwnServerSession:
    """An application that is served as it stands. It does what ``ServerSession`` does.

    Parameters
    ----------
    ears
        Of the server before it, which was killed: what they have measured so far goes on.
    """

    def __init__(self, scenario: Scenario, record: Recorder, ears: EarsOfAll | None = None) -> None:
        profile = scenario.profile
        self.ears = ears or ears_of(scenario, record, may_be_quiet=True)
        self._name = profile.peers.server
        self._watcher = Watchers(record, self.ears)
        self._serving: Serving | None = None

    async def start(self, host: str, port: int) -> None:
        """Run the module, and listen.

        Raises
        ------
        SessionFailedError
            If the application does not start.
        """
        install()
        watcher.set(self._watcher)  # for all that the server does from here on, and for nobody else
        logs.begin()
        patience = asyncio.timeout(_STARTING_S)
        try:
            self._serving = serving(fresh(self._name))
            pipecat_changes.take_over_for(self._name)
            async with patience:
                await self._serving.start(host, port)
        except Exception as error:  # whatever it is, it is the application's
            why = f"not in {_STARTING_S:g} s" if patience.expired() else _why(error)
            raise SessionFailedError("server", f"{self._name} did not start: {why}") from error

    @property
    def port(self) -> int:
        """Where it listens, on the real clock: there port 0 means any free one."""
        assert self._serving is not None
        return self._serving.port

    def finish(self) -> None:
        """Record what is still open."""
        self._watcher.stop()
        self.ears.finish()

    async def close(self) -> None:
        """Free everything; an application that takes too long to clear up is left alone."""
        if self._serving is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(_ENDING_S):
                    await self._serving.close()
        logs.end()
        note_changes(self._name)  # it may have imported Pipecat in the middle of the session


def _why(error: Exception) -> str:
    return str(error) if isinstance(error, NotThereError) else place(error)
