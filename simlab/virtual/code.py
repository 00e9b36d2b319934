"""Run somebody's own coroutine as the client of a virtual session."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from simlab.core.errors import InvalidInputError
from simlab.core.timeline import Event, Recorder, Timeline
from simlab.pipecat_server.choose import prepare
from simlab.profile.header import header
from simlab.profile.scenario import Scenario
from simlab.virtual.addresses import CLIENT, SERVER
from simlab.virtual.callers import Caller
from simlab.virtual.client_party import on
from simlab.virtual.leaks import Tell
from simlab.virtual.session import VirtualSession
from simlab.virtual.world import World, virtual_world
from simlab.webrtc.callbacks import Callbacks
from simlab.webrtc.limits import ClientLimits
from simlab.webrtc.policies import liveness_of, rules_of_scenario
from simlab.webrtc.request_params import RequestParams
from simlab.webrtc.synthetic import SyntheticMedia
from simlab.webrtc.transport import SmallWebRTCTransport

Code = Callable[["Place"], Coroutine[Any, Any, Any]]


class Place:
    """Where a coroutine finds itself: on the client's host, with a bad network between it and the server.

    Parameters
    ----------
    url
        Where offers go, over the impaired path.
    """

    client_address = CLIENT
    server_address = SERVER

    def __init__(self, scenario: Scenario, url: str, record: Recorder, loop: Any) -> None:
        self.scenario = scenario
        self.url = url
        self._record = record
        self._loop = loop
        self._clients: list[SmallWebRTCTransport] = []

    @property
    def now_s(self) -> float:
        """Seconds since the session began."""
        return self._record.now_s()

    @property
    def events(self) -> tuple[Event, ...]:
        """What has happened so far."""
        return tuple(self._record.events)

    def client(self, callbacks: Callbacks | None = None, **options: Any) -> SmallWebRTCTransport:
        """Make a client that follows the profile: its media, policy, liveness and behaviours.

        Parameters
        ----------
        options
            Of ``SmallWebRTCTransport``, in place of the profile's.
        """
        profile, media = self.scenario.profile, self.scenario.profile.peers.media
        made = SmallWebRTCTransport(
            **{
                "webrtc_request_params": RequestParams(self.url, timeout_s=profile.client.offer_timeout_s),
                "media_manager": SyntheticMedia(media, lambda _: None),
                "enable_mic": "audio" in media,
                "enable_cam": "video" in media,
                "policy": rules_of_scenario(self.scenario),
                "liveness": liveness_of(profile.client, self.scenario.seed),
                "seed": self.scenario.seed,
                "behaviour": profile.client.behaviour,
                "limits": ClientLimits.of(profile.client),
                "callbacks": callbacks or Callbacks(),
                "record": self._record,
                **options,
            }
        )
        self._clients.append(made)
        return made

    def on_server(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        """Run something on the server's host, beside the server."""
        return on(self._loop, SERVER, work)

    async def close(self) -> None:
        """Release the clients."""
        for client in self._clients:
            await client.release()


class CodeSession(VirtualSession):
    """A session in which somebody's own code takes the client's part."""

    def __init__(self, scenario: Scenario, world: World, code: Code, tell_leak: Tell | None = None) -> None:
        super().__init__(scenario, world)
        self._code = code
        self._tell_leak = tell_leak
        self._place: Place | None = None

    async def _take_part(self, urls: Sequence[str]) -> None:
        parties = self._parties
        self._place = Place(self._scenario, urls[0], self.record, self._loop)
        parties.schedule(self._scenario.profile.faults)
        duration_s = self._scenario.profile.duration_s
        patience = asyncio.timeout(duration_s)
        try:
            async with patience:
                await parties.run_code(self._code(self._place))
        except TimeoutError as error:
            if not patience.expired():
                raise
            told = f"it was not done when the {duration_s:g} s of the profile's duration were over"
            raise TimeoutError(told) from error.__cause__

    def _leaks(self, what: str, place: Caller) -> None:
        super()._leaks(what, place)
        if self._tell_leak is not None:
            self._tell_leak(what, place)

    def close(self) -> None:
        """See ``VirtualSession``."""
        if self._place is not None:
            self._loop.resume_all()
            self._finish(self._place.close())
        super().close()


def run_code(scenario: Scenario, code: Code, tell_leak: Tell | None = None) -> Timeline:
    """Run a coroutine in virtual time, over a scenario's network and against its server.

    Parameters
    ----------
    tell_leak
        Called at once with what reaches past the virtual clock, and where; it is in the timeline, too.

    Raises
    ------
    InvalidInputError
        If the scenario has several clients: the coroutine is the only one.
    SessionFailedError
        If the server does not start, or everything waits for ever.
    TimeoutError
        If the coroutine is not done when the profile's duration is over.
    BaseException
        Whatever the coroutine raises.
    """
    if scenario.profile.peers.clients > 1:
        wanted = f"{scenario.profile.name}: peers.clients is {scenario.profile.peers.clients}"
        raise InvalidInputError([f"{wanted}, want 1 for a test, which is the only client"])
    prepare(scenario)
    with virtual_world(scenario.seed) as world:
        session = CodeSession(scenario, world, code, tell_leak)
        try:
            session.run()
        finally:
            session.close()
        return Timeline.of(header(scenario, dtls_timer=world.dtls_timer), session.record.events)
