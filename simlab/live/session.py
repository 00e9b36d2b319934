"""Run a scenario over real UDP sockets, in real time."""

import asyncio
import time
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path as FolderPath
from typing import NoReturn

from simlab.capture import CAPTURE, KEYS
from simlab.core.errors import SessionFailedError
from simlab.core.timeline import Event, Recorder, Timeline
from simlab.live import validity
from simlab.live.addresses import HOSTS, LOOPBACK, Address, Side, check_addresses
from simlab.live.child import Child
from simlab.live.clock import SessionClock
from simlab.live.ctrl_c import noted, on_ctrl_c
from simlab.live.ice import IceParty, check_other_turn
from simlab.live.parties import Parties
from simlab.profile.build import signalling_links
from simlab.profile.header import header
from simlab.profile.scenario import Scenario
from simlab.webrtc.candidates import Rewrite
from simlab.webrtc.later import import_av, import_dnspython, import_for_first_call
from simlab.webrtc.proxy import SignallingProxy
from simlab.webrtc.routes import OFFER_PATH
from simlab.webrtc.session import record_faults
from simlab.webrtc.signalling_path import Path

# From the choice of the session's zero until then, everybody must have been told of it.
_LEAD_S = 0.1
_CLOSE_S = 5.0
# How often to look whether the session has begun.
_LOOK_S = 0.5
# How often to look whether the user wants an end.
_POLL_S = 0.05
# How long the others have to say what is still open, when a session has failed.
_LAST_WORDS_S = 0.5


@dataclass(frozen=True)
class Settings:
    """How a session is run, as far as the scenario does not say.

    Parameters
    ----------
    server_port, signalling_port
        Where the server and the signalling proxy listen; 0 takes any free port.
    turn_port
        Where a TURN server of somebody else listens, at 127.0.0.7; None for simlab's own. It has to know the
        credentials of the profile.
    hang_up_s
        How long before its end the client disconnects, as its user does; None if it never does. Less than the
        0.5 s after which silence counts as a gap.
    begin_s
        How long a session may take to begin: as long as its processes need to start where others want the
        processor, too.
    overtime_s
        How long after its duration a session that is not over counts as failed.
    worst_error_s
        How late the relay may send packets, as a 99th percentile, in a session that counts.
    capture_in
        The folder for the files of a capture; None for no capture.
    """

    server_port: int = 0
    signalling_port: int = 0
    turn_port: int | None = None
    hang_up_s: float | None = None
    begin_s: float = 120.0
    overtime_s: float = 30.0
    worst_error_s: float = validity.WORST_ERROR_S
    capture_in: FolderPath | None = None


def run(scenario: Scenario, settings: Settings = Settings()) -> Timeline:
    """Run a scenario from beginning to end, and return what happened.

    A session that could not be run to its end has a ``session failed`` event as its last one; so has
    one that the user interrupts (Ctrl-C). Works also where an event loop is running, as in Jupyter:
    the session has a thread with a loop of its own, which a KeyboardInterrupt does not hit in the middle.

    Raises
    ------
    InvalidInputError
        If the profile wants what a TURN server of somebody else cannot do, or this machine lacks an address
        of the loopback interface, before anything is started.
    """
    check_addresses()
    if settings.turn_port is not None:
        check_other_turn(scenario.profile)
    # What a session in virtual time has put off would take its time in the middle of this one.
    import_av()
    import_dnspython()
    import_for_first_call()
    session = LiveSession(scenario, settings)
    ended = on_ctrl_c(lambda *_: session.interrupt())
    with ended, noted() as interrupted, ThreadPoolExecutor(1, "simlab-session") as pool:
        future = pool.submit(lambda: asyncio.run(session.run()))
        while not future.done():
            # Where Ctrl-C itself is ignored, what does the same raises it all the same.
            with suppress(KeyboardInterrupt):
                wait([future], _POLL_S)
                if not interrupted():
                    continue
            session.interrupt()
        return future.result()


class LiveSession:
    """The signalling proxy in this process; the relay, the client and the server each in its own."""

    def __init__(self, scenario: Scenario, settings: Settings = Settings()) -> None:
        self._scenario = Scenario.of(scenario.profile, clock="real")
        self._settings = settings
        self._clock = SessionClock()
        self._record = Recorder(self._clock.now_s)
        sink = self._record.events.append
        self._relay = Child("relay", "simlab.live.relay_process", sink)
        self._ice = IceParty(scenario.profile, self._relay, settings.turn_port, sink)
        self._parties = Parties(scenario.profile, self._clock, self._relay, sink)
        self._proxy: SignallingProxy | None = None
        self._begun = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._interrupted = asyncio.Event()

    def interrupt(self) -> None:
        """End the session, from any thread and at any time."""
        if self._loop is None:
            self._interrupted.set()
            return
        with suppress(RuntimeError):  # it is over, and its loop is closed
            self._loop.call_soon_threadsafe(self._interrupted.set)

    async def run(self) -> Timeline:
        """Run until the scenario's end, or as far as it goes."""
        self._loop = asyncio.get_running_loop()
        self._record("session", "begin", at_s=0.0)
        record_faults(self._scenario, self._record)
        try:
            ending = await self._supervise()
        finally:
            await self._close()
        events = [event for event in self._record.events if event.t_s <= ending.t_s]
        head = header(self._scenario)
        head["versions"] |= self._parties.client_versions
        return Timeline.of(head, [*events, ending])

    async def _supervise(self) -> Event:
        """Run the session, and return the event that it ends with."""
        kind, labels = "end", {"reason": "duration"}
        try:
            await self._run_watched()
        except SessionFailedError as error:
            kind, labels = "failed", {"stage": error.stage, "reason": error.reason}
            with suppress(SessionFailedError, TimeoutError):  # whoever is still there
                await asyncio.wait_for(self._finish(), _LAST_WORDS_S)
        return Event(round(max(0.0, self._clock.now_s()), 6), "session", kind, labels)

    async def _run_watched(self) -> None:
        for child in self._children:
            await child.start()
        watches = (*(child.watch() for child in self._children), self._watch_for_interrupt())
        # In this order: when a process has died, that is the reason of whatever else went wrong.
        tasks = [asyncio.create_task(work) for work in (*watches, self._play())]
        try:
            done = await self._first_done(tasks)
            for task in tasks:
                if task in done:
                    task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _first_done(self, tasks: Collection[asyncio.Task[None]]) -> set[asyncio.Task[None]]:
        """Return the tasks that are done first.

        Raises
        ------
        SessionFailedError
            If there are none, and it is too late for the session to begin, or to end.
        """
        settings, begins_by_s = self._settings, time.monotonic() + self._settings.begin_s
        limit_s = self._scenario.profile.duration_s + settings.overtime_s
        done: set[asyncio.Task[None]] = set()
        while not done:
            left_s = limit_s - self._clock.now_s() if self._clock.begun else begins_by_s - time.monotonic()
            if left_s <= 0 and self._clock.begun:
                raise SessionFailedError("session", f"not over {settings.overtime_s:g} s after its duration")
            if left_s <= 0:
                raise SessionFailedError("session", f"not begun within {settings.begin_s:g} s")
            look_s = left_s if self._clock.begun else min(left_s, _LOOK_S)
            done, _ = await asyncio.wait(tasks, timeout=look_s, return_when=asyncio.FIRST_COMPLETED)
        return done

    async def _watch_for_interrupt(self) -> NoReturn:
        await self._interrupted.wait()
        raise SessionFailedError("interrupted", "interrupted by the user")

    @property
    def _children(self) -> list[Child]:
        return [self._relay, *self._ice.children, *self._parties.children]

    async def _play(self) -> None:
        zero_s = await self._prepare()
        await asyncio.gather(
            self._relay.ask("start", zero_s), self._ice.start(zero_s), self._parties.start(zero_s)
        )
        self._begun = True
        await self._parties.play()
        duration_s, hang_up_s = self._scenario.profile.duration_s, self._settings.hang_up_s
        if hang_up_s is not None:
            await asyncio.sleep(duration_s - hang_up_s - self._clock.now_s())
            await self._parties.hang_up()
        await asyncio.sleep(duration_s - self._clock.now_s())
        await self._finish()
        wrong = list(validity.faults(self._record.events, self._settings.worst_error_s))
        if wrong:
            raise SessionFailedError("validity", f"invalid: {', and '.join(wrong)}")

    async def _finish(self) -> None:
        """Let everybody record what is still open: the last gaps and counts."""
        if not self._begun:
            return
        finishing = (self._relay.ask("finish"), self._ice.finish(), self._parties.finish())
        results = await asyncio.gather(*finishing, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _prepare(self) -> float:
        """Make everything ready, and say when the session begins, as ``time.monotonic()`` gives it."""
        text, settings = self._scenario.to_toml(), self._settings
        if settings.capture_in is not None:
            await self._capture(settings.capture_in)
        await self._relay.ask("prepare", text, 0)
        near, far = await self._ice.prepare(text)
        port = await self._parties.prepare_server(text, settings.server_port, near)
        path = Path.of(self._scenario.profile)
        upstream = f"http://{HOSTS['server']}:{port}"
        aliases = self._alias("client"), self._alias("server")
        links = signalling_links(self._scenario)
        self._proxy = SignallingProxy(upstream, path, self._record, *aliases, links)
        try:
            await self._proxy.start(HOSTS["client"], settings.signalling_port)
        except OSError as error:
            raise SessionFailedError("signalling", str(error)) from error
        await self._parties.prepare_client(f"http://{HOSTS['client']}:{self._proxy.port}{OFFER_PATH}", far)
        zero_s = time.monotonic() + _LEAD_S
        self._clock.start(zero_s)
        self._proxy.schedule()
        return zero_s

    async def _capture(self, folder: FolderPath) -> None:
        await self._relay.ask("capture", str(folder / CAPTURE), str(self._scenario))
        await self._parties.log_keys(folder / KEYS)

    def _alias(self, side: Side) -> Rewrite:
        """Return what puts the relay's addresses in the place of one side's own."""

        async def rewrite(endpoint: Address) -> Address | None:
            if not endpoint[0].startswith(LOOPBACK):  # of a browser, which gathers on every interface
                return None
            host, port = await self._relay.ask("alias", side, *endpoint)
            return host, port

        return rewrite

    async def _close(self) -> None:
        """Free everything, without a word in the timeline."""
        self._record.close()
        stops = [child.stop() for child in self._children]
        results = await asyncio.gather(*stops, self._close_proxy(), return_exceptions=True)
        self._parties.remove_files()
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _close_proxy(self) -> None:
        if self._proxy is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._proxy.stop(), _CLOSE_S)
