"""The client and the server of a virtual session, as processes that can be frozen and killed."""

import asyncio
import contextvars
from collections.abc import Callable, Coroutine, Iterable, Iterator
from typing import Any

from simlab.core.timeline import Recorder
from simlab.pipecat_server.choose import ServerHalf, server_of
from simlab.profile.faults import Fault
from simlab.profile.ice import ServerName, SideName
from simlab.profile.scenario import Scenario
from simlab.virtual.loop import Process, current_process
from simlab.virtual.network import VirtualNetworkLoop, current_host
from simlab.webrtc.iceserver.servers import Addresses, IceServers, IceSettings
from simlab.webrtc.proxy import SignallingProxy
from simlab.webrtc.session import ClientSession

CLIENT = "10.0.1.2"
SERVER = "10.0.2.2"
PROXY = "10.0.1.1"
HTTP_PORT = 7860
ICE_HOSTS: dict[ServerName, str] = {"stun": "10.0.3.2", "turn": "10.0.3.3"}
ICE_PORT = 3478
_ICE_ADDRESSES: Addresses = {name: (host, ICE_PORT) for name, host in ICE_HOSTS.items()}


def on(
    loop: VirtualNetworkLoop, host: str, work: Coroutine[Any, Any, Any], process: Process | None = None
) -> "asyncio.Task[Any]":
    """Do something on a host, in a process of it."""
    context = contextvars.copy_context()
    context.run(current_host.set, host)
    context.run(current_process.set, process)
    return loop.create_task(work, context=context)


class Parties:
    """Start client and server, and do to their processes what faults say."""

    def __init__(self, scenario: Scenario, loop: VirtualNetworkLoop, record: Recorder) -> None:
        self._scenario = scenario
        self._loop = loop
        self._record = record
        self._ice = IceServers(scenario, record)
        self._server: ServerHalf | None = None
        self._client: ClientSession | None = None
        self._client_process = Process("client")
        self._server_process = Process("server")
        self._client_gone: asyncio.Event = asyncio.Event()
        self._present: list[ClientSession | ServerHalf] = []
        self._starting: set[asyncio.Task[Any]] = set()

    async def start_ice_servers(self) -> None:
        """Start the STUN and TURN servers that the profile has; nothing else runs on their hosts."""
        table = self._scenario.profile.ice
        for name in table.servers if table is not None else ():
            host = ICE_HOSTS[name]
            await on(self._loop, host, self._ice.start(name, host, ICE_PORT))
        self._ice.schedule()

    def _ice_settings(self, side: SideName) -> IceSettings:
        return IceSettings.of(self._scenario.profile.ice, side, _ICE_ADDRESSES)

    async def start_server(self) -> None:
        """Start a server, in a process of its own."""
        ears = None if self._server is None else self._server.ears
        self._server = server_of(self._scenario, self._record, ears, self._ice_settings("server"))
        await on(self._loop, SERVER, self._server.start(SERVER, HTTP_PORT), self._server_process)

    async def start_client(self, endpoint: str) -> None:
        """Make the client."""

        async def make() -> ClientSession:
            return ClientSession(self._scenario, endpoint, self._record, self._ice_settings("client"))

        assert self._server is not None
        self._client = await on(self._loop, CLIENT, make(), self._client_process)
        self._present = [self._client, self._server]

    async def run_client(self, duration_s: float) -> None:
        """Let the client run, and return at the end of the session, though it may be gone before."""
        assert self._client is not None
        running = on(self._loop, CLIENT, self._client.run(duration_s), self._client_process)
        gone = self._loop.create_task(self._client_gone.wait())
        await asyncio.wait([running, gone], return_when=asyncio.FIRST_COMPLETED)
        if not gone.done():
            gone.cancel()
            running.result()
        await asyncio.sleep(duration_s - self._record.now_s())

    async def run_code(self, code: Coroutine[Any, Any, Any]) -> None:
        """Let somebody's own coroutine take the client's part, to its end."""
        assert self._server is not None
        self._present = [self._server]
        await on(self._loop, CLIENT, code, self._client_process)

    def finish(self) -> bool:
        """Record what is still open, and tell whether there was anything to end."""
        present, self._present = self._present, []
        for party in present:
            party.finish()
        if present:
            self._ice.finish()
        return bool(present)

    def closers(self, proxy: SignallingProxy | None) -> Iterator[Coroutine[Any, Any, None]]:
        """Yield what frees everything, in order."""
        if self._client is not None:
            yield self._client.close()
        if proxy is not None:
            yield proxy.stop()
        if self._server is not None:
            yield self._server.close()
        yield self._ice.close()

    def schedule(self, faults: Iterable[Fault]) -> None:
        """Do what the faults of processes say when their time comes."""
        begin: dict[str, Callable[[], None]] = {
            "server-restart": self._kill_server,
            "server-freeze": lambda: self._loop.halt(self._server_process),
            "client-freeze": lambda: self._loop.halt(self._client_process),
            "tab-closed": self._close_tab,
        }
        end: dict[str, Callable[[], None]] = {
            "server-restart": self._restart_server,
            "server-freeze": lambda: self._loop.resume(self._server_process),
            "client-freeze": lambda: self._loop.resume(self._client_process),
        }
        for fault in faults:
            if fault.kind in begin:
                self._loop.call_at(fault.at_s, begin[fault.kind])
            if fault.kind in end:
                self._loop.call_at(fault.until_s, end[fault.kind])

    def _kill_server(self) -> None:
        self._loop.kill(self._server_process)
        self._server_process = Process("server")

    def _restart_server(self) -> None:
        task = self._loop.create_task(self.start_server())
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)

    def _close_tab(self) -> None:
        assert self._client is not None
        self._client.finish()  # nobody is there any more to miss anything
        self._present.remove(self._client)
        self._loop.kill(self._client_process)
        self._client_gone.set()
