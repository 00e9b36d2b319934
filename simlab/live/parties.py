"""Client and server as processes, and what faults do to these and to the client's addresses."""

import asyncio
from collections.abc import Callable, Coroutine
from itertools import count
from pathlib import Path
from typing import Any

from simlab.core.timeline import Event
from simlab.live.addresses import HOSTS, another_host
from simlab.live.child import Child
from simlab.live.clock import SessionClock
from simlab.live.ice import Places
from simlab.live.scratch import Scratch
from simlab.own_server.find import is_own
from simlab.profile.faults import Fault
from simlab.profile.faults_nat import RebindFault
from simlab.profile.model import Profile

_BROWSERS = {"chromium": "chromium_process"}


class Parties:
    """The processes of client and server.

    A server that takes the place of another stands by from the beginning, since starting a process may take
    longer than the fault lasts.

    Parameters
    ----------
    sink
        Called with each event that the processes tell of.
    """

    def __init__(
        self, profile: Profile, clock: SessionClock, relay: Child, sink: Callable[[Event], None]
    ) -> None:
        self._faults, peers = profile.faults, profile.peers
        self._relay = relay
        self._files = Scratch()
        self._client_host = HOSTS["client"]
        self._more_hosts = map(another_host, count(1))
        self._asking: set[asyncio.Task[None]] = set()
        self._clock = clock
        restarts = sum(fault.kind == "server-restart" for fault in self._faults)
        module = f"simlab.live.{_BROWSERS.get(peers.client, 'client_process')}"
        self.client = Child(
            "client", module, sink, self._files, heard=is_own(peers.client) or profile.policy.is_code
        )
        self.servers = [
            Child("server", "simlab.live.server_process", sink, heard=is_own(peers.server))
            for _ in range(1 + restarts)
        ]
        self._present: list[Child] = []
        self._text = ""
        self._port = 0
        self._ice: Places = {}
        self._zero_s = 0.0
        self._heard: Any = None
        self.client_versions: dict[str, str] = {}
        """What a client that is not built in says of itself, when it is prepared."""

    @property
    def children(self) -> list[Child]:
        """All processes, those too that stand by."""
        return [self.client, *self.servers]

    @property
    def _server(self) -> Child:
        return self.servers[0]

    async def log_keys(self, path: Path) -> None:
        """Let every server write the secrets of its DTLS connections into a file; a client has the same."""
        await asyncio.gather(*(server.ask("log_keys", str(path)) for server in self.servers))

    async def prepare_server(self, text: str, port: int, ice: Places) -> int:
        """Let the server listen, tell it where STUN and TURN servers are, and return its port."""
        self._text, self._ice = text, ice
        self._port = await self._server.ask("prepare", text, port, ice)
        return self._port

    async def prepare_client(self, endpoint: str, ice: Places) -> None:
        """Tell the client where its offers go, and where STUN and TURN servers are."""
        answer = await self.client.ask("prepare", self._text, endpoint, ice)
        self.client_versions = answer or {}

    async def start(self, zero_s: float) -> None:
        """Say when the session begins."""
        self._zero_s = zero_s
        self._present = [self.client, self._server]
        await asyncio.gather(*(child.ask("start", zero_s) for child in self._present))

    async def play(self) -> None:
        """Do what the faults say when their time comes, and return after the last."""
        changes = [
            (at_s, work)
            for fault in self._faults
            for at_s, work in zip((fault.at_s, fault.until_s), self._changes(fault), strict=False)
        ]
        for at_s, work in sorted(changes, key=lambda change: change[0]):
            await asyncio.sleep(at_s - self._clock.now_s())
            await work()

    def _changes(self, fault: Fault) -> tuple[Callable[[], Coroutine[Any, Any, None]], ...]:
        """Return what to do when a fault begins, and when it ends."""
        if isinstance(fault, RebindFault):
            return (lambda: self._rebind(fault.what),)
        changes: dict[str, tuple[Callable[[], Coroutine[Any, Any, None]], ...]] = {
            "server-restart": (self._kill_server, self._restart_server),
            "server-freeze": (lambda: _freeze(self._server), lambda: _thaw(self._server)),
            "client-freeze": (lambda: _freeze(self.client), lambda: _thaw(self.client)),
            "tab-closed": (self._close_tab,),
            "handover": (self._leave_network, self._join_network),
        }
        return changes.get(fault.kind, ())

    async def _rebind(self, what: str) -> None:
        await self._relay.ask("rebind", next(self._more_hosts) if what == "address" else None)

    async def _leave_network(self) -> None:
        await self._relay.ask("cut_off", self._client_host)
        self._move_client(None)

    async def _join_network(self) -> None:
        await self._relay.ask("join", next(self._more_hosts))
        self._client_host = next(self._more_hosts)
        self._move_client(self._client_host)

    def _move_client(self, host: str | None) -> None:
        """Give the client another address, or none; without waiting, as it may be frozen or gone."""
        task = asyncio.create_task(self.client.ask("move", host))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def _kill_server(self) -> None:
        # What it has measured is simlab's, not the server's, and is not lost with it.
        self._heard = await self._server.ask("leave")
        self._present.remove(self._server)
        await self._server.kill()

    async def _restart_server(self) -> None:
        self.servers.append(self.servers.pop(0))
        await self._server.ask("start", self._zero_s)
        await self._server.ask("prepare", self._text, self._port, self._ice, self._heard)
        self._present.append(self._server)

    async def _close_tab(self) -> None:
        self._present.remove(self.client)
        await self.client.ask("finish")  # nobody is there any more to miss anything
        await self.client.kill()

    async def hang_up(self) -> None:
        """Let the client disconnect, as its user does."""
        await self.client.ask("hang_up")

    def remove_files(self) -> None:
        """Remove what the processes have left behind; they must have ended."""
        self._files.cleanup()

    async def finish(self) -> None:
        """Let those who are there record what is still open."""
        for task in self._asking:
            task.cancel()
        results = await asyncio.gather(*(c.ask("finish") for c in self._present), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result


async def _freeze(child: Child) -> None:
    child.freeze()


async def _thaw(child: Child) -> None:
    child.thaw()
