"""Run a scenario in virtual time."""

import asyncio
import traceback
import warnings
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path as FolderPath
from typing import Any

from simlab.core.errors import SessionFailedError
from simlab.core.timeline import Event, Recorder, Timeline
from simlab.own_client.choose import prepare_client
from simlab.own_server.place import place
from simlab.pipecat_server.choose import prepare
from simlab.profile.build import signalling_links
from simlab.profile.header import header
from simlab.profile.scenario import Scenario
from simlab.virtual.addresses import HTTP_PORT, SERVER
from simlab.virtual.ahead import import_ahead
from simlab.virtual.callers import Caller
from simlab.virtual.client_party import ClientParty, on
from simlab.virtual.hosts import Address
from simlab.virtual.kept_sound import is_kept
from simlab.virtual.leaks import leaks_told
from simlab.virtual.parties import Parties
from simlab.virtual.routes import CapturesOfClient, Routes, no_captures
from simlab.virtual.standstill import TimeStandsStillError
from simlab.virtual.world import ALONE, EPOCH_S, World, virtual_world
from simlab.webrtc.clients import ClientsRecorder, working_for
from simlab.webrtc.following import names_followed
from simlab.webrtc.proxy import SignallingProxy
from simlab.webrtc.routes import OFFER_PATH
from simlab.webrtc.session import record_faults
from simlab.webrtc.signalling_path import Path

Captures = AbstractContextManager[CapturesOfClient]

_CANCELLATIONS = 10
_PATIENCE_S = 60.0  # with code of the user's own that is to clear up, and does not


def run(
    scenario: Scenario,
    redirect_openssl: bool = True,
    capture_in: FolderPath | None = None,
    over: Callable[[Timeline], None] = lambda _: None,
) -> Timeline:
    """Run a scenario from beginning to end, and return what happened.

    A session that could not be run to its end has a ``session failed`` event as its last one. Where another
    thread runs one, this waits until that is over.

    Parameters
    ----------
    redirect_openssl
        False makes OpenSSL's timer sleep real time, as it must where it can't be redirected.
    capture_in
        The folder for the files of a capture; None for no capture.
    over
        Called with what is returned, before all that the session took is given back.
    """
    # What is imported in the world of another thread would keep what is replaced there.
    with ALONE:
        prepare(scenario)
        prepare_client(scenario)
        import_ahead(scenario)
        return _run(scenario, redirect_openssl, capture_in, over)


def _run(
    scenario: Scenario,
    redirect_openssl: bool,
    capture_in: FolderPath | None,
    over: Callable[[Timeline], None],
) -> Timeline:
    capture = _capture_of(scenario, capture_in)
    virtual = virtual_world(scenario.seed, redirect_openssl, is_kept(scenario))
    with virtual as world, capture(world) as captures:
        session = VirtualSession(scenario, world, captures)
        try:
            _run_to_the_end(session)
            timeline = Timeline.of(header(scenario, dtls_timer=world.dtls_timer), session.end())
            over(timeline)
            return timeline
        finally:
            session.close()


def _run_to_the_end(session: "VirtualSession") -> None:
    try:
        session.run()
    except SessionFailedError as error:
        session.fail(error.stage, error.reason)
    except KeyboardInterrupt as error:
        session.interrupt(error)


def _capture_of(scenario: Scenario, folder: FolderPath | None) -> Callable[[World], Captures]:
    """Return what begins a capture in a world; what it needs is imported before there is one."""
    if folder is None:
        return lambda _: nullcontext(no_captures)
    from simlab.virtual.capture import capturing

    return lambda world: capturing(folder, EPOCH_S, world.loop.time, str(scenario))


def _url(client: ClientParty) -> str:
    return f"http://{client.site.proxy}:{HTTP_PORT}{OFFER_PATH}"


async def _same(address: Address) -> Address:
    return address


class VirtualSession:
    """Clients and server, the paths between them, and a signalling proxy for each client."""

    def __init__(
        self,
        scenario: Scenario,
        world: World,
        captures: CapturesOfClient = no_captures,
    ) -> None:
        self._scenario = scenario
        self._policies = names_followed(scenario)
        self._loop = world.loop
        several = scenario.profile.peers.clients > 1
        self.record = ClientsRecorder(self._loop.time) if several else Recorder(self._loop.time)
        self.ended_s = scenario.profile.duration_s
        self._routes = Routes(self._loop, scenario, self.record, captures)
        self._parties = Parties(scenario, self._loop, self.record)
        self._proxies: list[SignallingProxy] = []
        self._main: asyncio.Task[None] | None = None

    def run(self) -> None:
        """Run until the scenario's end.

        Raises
        ------
        SessionFailedError
            If nothing is scheduled any more, or code of the user's own never lets time pass, or calls
            ``sys.exit``.
        """
        asyncio.set_event_loop(self._loop)
        self._loop.set_exception_handler(self._uncaught)
        self.record("session", "begin")
        record_faults(self._scenario, self.record)
        self._main = self._loop.create_task(self._run())
        with leaks_told(self._loop.time, self._leaks):
            try:
                self._loop.run_until_complete(self._main)
            except TimeStandsStillError as error:
                raise SessionFailedError("session", str(error)) from error
            except SystemExit as error:
                reason = f"the code of the server or the client ends the process: {place(error)}"
                raise SessionFailedError("session", reason) from error

    def _uncaught(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Log what nobody caught as asyncio does, but with the session in which it was raised."""
        where = f"{self._scenario.line(self._policies())}, at {loop.time():.3f} s"
        loop.default_exception_handler({**context, "message": f"{where}: {context['message']}"})

    def _leaks(self, what: str, place: Caller) -> None:
        self.record("session", "leak", what=what, place=str(place))

    async def _run(self) -> None:
        parties = self._parties
        profile = self._scenario.profile
        path = Path.of(profile)
        self._loop.reuses_connections = path.has_half_open or profile.signalling.path is not None
        self._proxies = [self._proxy(client, path) for client in parties.clients]
        await parties.start_ice_servers()
        await parties.start_server()
        for client, proxy in zip(parties.clients, self._proxies, strict=True):
            await self._start_proxy(client, proxy)
        await self._take_part([_url(client) for client in parties.clients])
        self.finish()
        self.record("session", "end", reason="duration")

    def _proxy(self, client: ClientParty, path: Path) -> SignallingProxy:
        links = signalling_links(client.scenario)
        return SignallingProxy(f"http://{SERVER}:{HTTP_PORT}", path, self.record, _same, _same, links)

    async def _start_proxy(self, client: ClientParty, proxy: SignallingProxy) -> None:
        with working_for(client.number):
            await on(self._loop, client.site.proxy, proxy.start(client.site.proxy, HTTP_PORT))
            proxy.schedule()

    async def _take_part(self, urls: Sequence[str]) -> None:
        """Be the clients, whose offers go to these URLs, until the end of the session."""
        profile = self._scenario.profile
        await self._parties.start_clients(urls)
        self._parties.schedule(profile.faults)
        await self._parties.run_clients(profile.duration_s)

    def finish(self) -> None:
        """Record what is still open: the last gaps and counts."""
        if self._parties.finish():
            self._routes.finish()

    def fail(self, stage: str, reason: str) -> None:
        """Record that the session was not run to its end, which may be later than that, if it never began."""
        self.finish()
        self.ended_s = max(self.ended_s, self._loop.time())
        self.record("session", "failed", stage=stage, reason=reason)

    def interrupt(self, error: KeyboardInterrupt) -> None:
        """Record that the user ended the session."""
        self._loop.set_exception_handler(lambda _, __: None)
        with warnings.catch_warnings():
            # The user may have come between a coroutine and the task that was just being made of it.
            warnings.simplefilter("ignore", RuntimeWarning)
            traceback.clear_frames(error.__traceback__)
        self.fail("interrupted", "interrupted by the user")

    def end(self) -> list[Event]:
        """Record nothing more, and return what happened."""
        # Rounded as the times of events are, or the last one may come after the end.
        ended_s = min(self.ended_s, round(self._loop.time(), 6))
        self.record.close()
        return [event for event in self.record.events if event.t_s <= ended_s]

    def close(self) -> None:
        """Free everything, without a word in the timeline."""
        self.record.close()
        self._loop.resume_all()  # to be cleared up
        if self._main is not None:
            self._main.cancel()
            self._finish(_wait_for([self._main]))
        for closer in self._parties.closers(self._proxies):
            self._finish(closer)
        self._cancel_tasks()
        asyncio.set_event_loop(None)

    def _cancel_tasks(self) -> None:
        # A task of Pipecat's takes a cancellation as the order to clear up, and waits for others with it; a
        # connection of which one is cancelled closes itself in another, which is new.
        for _ in range(_CANCELLATIONS):
            tasks = asyncio.all_tasks(self._loop)
            if not tasks:
                return
            for task in tasks:
                task.cancel()
            self._finish(_wait_for(tasks))

    def _finish(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine to its end, whatever an interrupted task still has to say; not for ever."""
        task = self._loop.create_task(work)
        waiting = self._loop.create_task(asyncio.wait([task], timeout=_PATIENCE_S))
        while not waiting.done():
            try:
                self._loop.run_until_complete(waiting)
            except (KeyboardInterrupt, SystemExit):
                pass
            except SessionFailedError:  # code that lets no time pass is left where it is
                return
        if task.done():
            with suppress(SystemExit):
                task.result()


async def _wait_for(tasks: Iterable["asyncio.Task[Any]"]) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)
