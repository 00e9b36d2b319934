"""The client's half of a session, on a function of the user's own."""

import asyncio
import inspect
from typing import Any

from simlab.core.errors import SessionFailedError
from simlab.core.timeline import Recorder
from simlab.own_client.watch import ClientWatcher
from simlab.own_server import pipecat_changes
from simlab.own_server.find import fresh_client, note_changes
from simlab.own_server.hooks import install, watcher
from simlab.own_server.place import place
from simlab.profile.scenario import Scenario
from simlab.webrtc import probes
from simlab.webrtc.iceserver.servers import NO_ICE_SERVERS, IceSettings
from simlab.webrtc.session import rtc_servers

_ENDING_S = 10.0  # for a client that is to end, and does not


class OwnClientSession:
    """A function that meets the server as it stands. It does what ``ClientSession`` does.

    Parameters
    ----------
    endpoint
        The URL that offers go to, which the function is called with.
    ice
        STUN and TURN servers, for a function that has a parameter ``ice_servers``.

    Raises
    ------
    SessionFailedError
        If its module does not run.
    """

    def __init__(
        self, scenario: Scenario, endpoint: str, record: Recorder, ice: IceSettings = NO_ICE_SERVERS
    ) -> None:
        profile = scenario.profile
        self._name = profile.peers.client
        self._record = record
        self._endpoint = endpoint
        install()
        last_message_s = profile.duration_s - probes.QUIET_END_S
        self._watcher = ClientWatcher(record, "audio" in profile.peers.media, last_message_s)
        try:
            self._function = fresh_client(self._name)
            pipecat_changes.take_over_for(self._name)
        except Exception as error:  # whatever it is, it is the client's
            raise SessionFailedError("client", f"{self._name} did not start: {place(error)}") from error
        known = inspect.signature(self._function).parameters
        self._options = {"ice_servers": list(rtc_servers(ice))} if "ice_servers" in known else {}
        self._running: asyncio.Task[Any] | None = None

    async def run(self, duration_s: float) -> None:
        """Run until ``duration_s`` after the session began, though the function may be over before."""
        watcher.set(self._watcher)  # for all that it does from here on, and for nobody else
        self._running = asyncio.get_running_loop().create_task(self._follow())
        await asyncio.sleep(duration_s - self._record.now_s())

    async def _follow(self) -> None:
        try:
            await self._function(self._endpoint, **self._options)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # a client that fails is one of the things that sessions are for
            if isinstance(error, asyncio.CancelledError) and self._is_over:
                raise
            self._record("client", "ended", outcome="raised", error=place(error))
        else:
            self._record("client", "ended", outcome="returned")

    @property
    def _is_over(self) -> bool:
        """Whether the function was told to end; else a cancellation is its own doing."""
        return self._running is not None and self._running.cancelling() > 0

    async def hang_up(self) -> None:
        """End the function, as a user does who leaves."""
        await self._end()

    async def _end(self) -> None:
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait([self._running], timeout=_ENDING_S)

    def finish(self) -> None:
        """Record what is still open."""
        self._watcher.stop()
        self._watcher.finish()

    async def close(self) -> None:
        """Free everything."""
        self._watcher.stop()
        await self._end()
        note_changes(self._name)
