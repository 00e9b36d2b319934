"""The clients and the server of a virtual session, as processes that can be frozen and killed."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from typing import Any

from simlab.core.timeline import Recorder
from simlab.pipecat_server.choose import ServerHalf, server_of
from simlab.profile.faults import Fault
from simlab.profile.ice import SideName
from simlab.profile.scenario import Scenario
from simlab.virtual.addresses import HTTP_PORT, ICE_HOSTS, ICE_PORT, SERVER, Site
from simlab.virtual.client_party import ClientParty, on
from simlab.virtual.loop import Process
from simlab.virtual.network import VirtualNetworkLoop
from simlab.webrtc.iceserver.servers import Addresses, IceServers, IceSettings
from simlab.webrtc.proxy import SignallingProxy

_ICE_ADDRESSES: Addresses = {name: (host, ICE_PORT) for name, host in ICE_HOSTS.items()}


def clients_of(scenario: Scenario, loop: VirtualNetworkLoop, record: Recorder) -> list[ClientParty]:
    """Return a scenario's clients; one that is alone has no number."""
    count = scenario.profile.peers.clients
    numbers = range(1, count + 1)
    return [
        ClientParty(scenario.of_client(n), loop, record, Site(n), n if count > 1 else None) for n in numbers
    ]


class Parties:
    """Start clients and server, and do to their processes what faults say."""

    def __init__(self, scenario: Scenario, loop: VirtualNetworkLoop, record: Recorder) -> None:
        self._scenario = scenario
        self._loop = loop
        self._record = record
        self._ice = IceServers(scenario, record)
        self._server: ServerHalf | None = None
        self._server_process = Process("server")
        self.clients = clients_of(scenario, loop, record)
        self._begun = self._finished = False
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

    async def start_clients(self, endpoints: Sequence[str]) -> None:
        """Make the clients, whose offers go to these URLs."""
        for client, endpoint in zip(self.clients, endpoints, strict=True):
            await client.start(endpoint, self._ice_settings("client"))
        self._begun = True

    async def run_clients(self, duration_s: float) -> None:
        """Let the clients run, and return at the end of the session, though they may be gone before."""
        first, *others = self.clients
        running = [self._loop.create_task(client.run(duration_s)) for client in others]
        await first.run(duration_s)
        await asyncio.gather(*running)

    async def run_code(self, code: Coroutine[Any, Any, Any]) -> None:
        """Let somebody's own coroutine take the client's part, to its end."""
        self._begun = True
        await self.clients[0].on_host(code)

    def finish(self) -> bool:
        """Record what is still open, and tell whether there was anything to end."""
        if self._finished or not self._begun:
            return False
        self._finished = True
        for client in self.clients:
            client.finish()
        assert self._server is not None
        self._server.finish()
        self._ice.finish()
        return True

    def closers(self, proxies: Iterable[SignallingProxy]) -> Iterator[Coroutine[Any, Any, None]]:
        """Yield what frees everything, in order."""
        for client in self.clients:
            yield client.close()
        for proxy in proxies:
            yield proxy.stop()
        if self._server is not None:
            yield self._server.close()
        yield self._ice.close()

    def schedule(self, faults: Iterable[Fault]) -> None:
        """Do what the faults of processes say when their time comes."""
        begin: dict[str, Callable[[], None]] = {
            "server-restart": self._kill_server,
            "server-freeze": lambda: self._loop.halt(self._server_process),
            "client-freeze": lambda: self._each(ClientParty.freeze),
            "tab-closed": lambda: self._each(ClientParty.close_tab),
        }
        end: dict[str, Callable[[], None]] = {
            "server-restart": self._restart_server,
            "server-freeze": lambda: self._loop.resume(self._server_process),
            "client-freeze": lambda: self._each(ClientParty.thaw),
        }
        for fault in faults:
            if fault.kind in begin:
                self._loop.call_at(fault.at_s, begin[fault.kind])
            if fault.kind in end:
                self._loop.call_at(fault.until_s, end[fault.kind])

    def _each(self, work: Callable[[ClientParty], None]) -> None:
        for client in self.clients:
            work(client)

    def _kill_server(self) -> None:
        self._loop.kill(self._server_process)
        self._server_process = Process("server")

    def _restart_server(self) -> None:
        task = self._loop.create_task(self.start_server())
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)
