"""Stand in front of a server until Ctrl-C."""

import asyncio
import ipaddress
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from aioice.ice import get_host_addresses
from yarl import URL

from simlab.core.errors import SessionFailedError, SimlabError
from simlab.core.timeline import Event, Recorder
from simlab.live.addresses import Address, Side
from simlab.live.child import Child
from simlab.live.clock import SessionClock
from simlab.live.ending import Telling, asked_to_stop
from simlab.live.intercept.chronicle import Chronicle
from simlab.live.intercept.clients import Client
from simlab.live.intercept.commands import Commands, Load, Named
from simlab.live.intercept.ends import is_name
from simlab.live.intercept.known import Known
from simlab.live.intercept.log import Log
from simlab.live.intercept.panel import panel
from simlab.live.intercept.proxy import InterceptProxy
from simlab.live.intercept.recording import Save
from simlab.live.intercept.recordings import Recordings
from simlab.live.intercept.signalling import Signalling
from simlab.live.remote.unix_server import UnixServer
from simlab.live.sockets import endpoint_text, from_here, is_loopback, reason_of

_LOOK_S = 1.0
_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Settings:
    """Where an intercept stands.

    Parameters
    ----------
    upstream
        The server's URL.
    listen, control
        Where pages and signalling, and the live page, are served: host and port, 0 for any free one.
    socket
        Where its control socket is to be.
    media_hosts
        The addresses of this machine that client and server send media to, one of each IP at most. What is of
        another IP is left out.
    idle_s
        After how long without a packet a client is forgotten.
    capture_folder
        Makes a folder for the captures of a recording; None for no captures.
    prepare
        Raises ``InvalidInputError`` where no recording could be saved.
    names
        Further names by which browsers come.
    """

    upstream: str
    listen: Address
    control: Address
    socket: Path
    media_hosts: Sequence[str]
    idle_s: float = 120.0
    capture_folder: Callable[[str], Path] | None = None
    prepare: Callable[[], None] = lambda: None
    names: Sequence[str] = ()


def intercept(
    settings: Settings,
    load: Load,
    load_named: Named,
    save: Save,
    listening: Callable[[str, str], None],
    happened: Callable[[Event], None],
) -> list[str]:
    """Intercept until SIGINT, SIGTERM or SIGHUP. A recording under way is then saved; return where.

    Parameters
    ----------
    load
        Loads the first profile; see ``Commands``, as for ``load_named`` and ``save``.
    listening
        Called with the URL for the browser, and that of the live page, when both answer.
    happened
        Called with each event.

    Raises
    ------
    InvalidInputError
        If the profile wants what cannot be done.
    SessionFailedError
        If it cannot listen, or the relay ends.
    OSError
        From ``happened``, whose failure ends it in order: nobody watches any more.
    """
    return asyncio.run(Intercept(settings, load, load_named, save, happened).run(listening))


class Intercept:
    """The proxy and the live page in this process, the relay in its own."""

    def __init__(
        self,
        settings: Settings,
        load: Load,
        load_named: Named,
        save: Save,
        happened: Callable[[Event], None],
    ) -> None:
        self._settings = settings
        self._clock = SessionClock()
        log = Log()
        self._stop = asyncio.Event()
        telling = self._telling = Telling(happened, self._stop)

        def sink(event: Event) -> None:
            log(event)
            telling(event)

        record = Recorder(self._clock.now_s, sink)
        self._relay = Child("relay", "simlab.live.intercept.relay_process", sink)
        signalling = Signalling(record, self._alias)
        upstream = URL(settings.upstream)
        known, chronicle = Known(self._relay), Chronicle(record)
        self._recordings = Recordings(
            self._relay,
            record,
            log,
            known,
            chronicle,
            save,
            settings.upstream,
            settings.capture_folder,
            settings.prepare,
        )
        self._commands = Commands(
            self._relay,
            record,
            log,
            signalling,
            load,
            load_named,
            known,
            chronicle,
            self._recordings,
            settings.upstream,
        )
        self._unix = UnixServer(self._commands, settings.socket)
        names = [settings.listen[0], *settings.names]
        self._proxy = InterceptProxy(upstream, signalling, names)
        self._panel = panel(self._commands, log, record, _one_address(settings.control))

    async def run(self, listening: Callable[[str, str], None]) -> list[str]:
        """Run until the user wants no more, and return where a last recording was saved."""
        await self._relay.start()
        try:
            stop = asyncio.create_task(self._serve(listening))
            watch = asyncio.create_task(self._relay.watch())
            await asyncio.wait([stop, watch], return_when=asyncio.FIRST_COMPLETED)
            if watch.done():
                await self._end_without_relay(watch.exception())
            stop.result()
            folders = await self._last_recording()
            if self._telling.failure is not None:
                raise self._telling.failure
            return folders
        finally:
            for task in (stop, watch):
                task.cancel()
            await asyncio.gather(stop, watch, return_exceptions=True)
            await self._unix.stop()
            await self._commands.close()
            await self._panel.stop()
            await self._proxy.stop()
            await self._relay.stop()

    async def _last_recording(self, *, relay_is_gone: bool = False) -> list[str]:
        if self._recordings.since_s is None:
            return []
        return [one["folder"] for one in await self._recordings.stop(relay_is_gone=relay_is_gone)]

    async def _end_without_relay(self, why: BaseException | None) -> NoReturn:
        """Save what was recorded until the relay ended, which it should not have.

        Raises
        ------
        SessionFailedError
            Always, with where that is.
        """
        assert isinstance(why, SessionFailedError)
        try:
            folders = await self._last_recording(relay_is_gone=True)
        except SimlabError as error:
            raise SessionFailedError(why.stage, f"{why.reason}; {error}") from why
        saved = f"; what was recorded is in {', '.join(folders)}" if folders else ""
        raise SessionFailedError(why.stage, why.reason + saved) from why

    async def _serve(self, listening: Callable[[str, str], None]) -> None:
        await self._prepare()
        await self._commands.begin()
        looking = asyncio.create_task(self._look())
        try:
            host, port = _one_address(self._settings.listen)
            with _told("--listen", host, port):
                port = await self._proxy.start(host, port)
            host_of_page, _ = _one_address(self._settings.control)
            _, port_of_page = await self._panel.start()
            control = f"{_url(host_of_page, port_of_page)}/?token={self._panel.token}"
            await self._unix.start()
            self._commands.listen = _url(host, port)
            listening(self._commands.listen, control)
            await asked_to_stop(self._stop)
        finally:
            looking.cancel()

    async def _prepare(self) -> None:
        own = [*get_host_addresses(True, True), _LOOPBACK, "::1"]
        upstream = URL(self._settings.upstream).host or ""
        near = is_loopback(upstream) or upstream in own
        host = list(self._settings.media_hosts)
        only_here = is_loopback(self._settings.listen[0])
        admitted = {"client": own if only_here else None, "server": own if near else None}
        hosts: dict[Side, list[str]] = {"client": host, "server": host}
        await self._relay.ask("prepare", hosts, admitted, self._settings.idle_s)
        zero_s = time.monotonic()
        self._clock.start(zero_s)
        await self._relay.ask("start", zero_s)

    async def _look(self) -> None:
        while True:
            await self._commands.look()
            await asyncio.sleep(_LOOK_S)

    async def _alias(self, client: Client, side: Side, endpoint: Address) -> Address | None:
        """Return where the other side finds an endpoint; None for one that cannot be relayed."""
        host, port = as_written(endpoint[0]), endpoint[1]
        if not 0 < port < 2**16 or (host is None and not (side == "client" and is_name(endpoint))):
            return None
        host = host or endpoint[0]
        if side == "server":
            await self._relay.ask("admit", side, host)
        try:
            host, port = await self._relay.ask("alias", client.number, client.connection, side, host, port)
        except SessionFailedError:  # no socket is to be had
            return None
        return host, port


def _one_address(place: Address) -> Address:
    """Return a place where port 0 means one port: the name has two addresses, and each would get its own."""
    return (_LOOPBACK, 0) if place == ("localhost", 0) else place


@contextmanager
def _told(option: str, host: str, port: int) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = f"cannot listen on {host}:{port}: {reason_of(error)}"
        raise SessionFailedError("intercept", f"{option}: {reason}") from error


def as_written(host: str) -> str | None:
    """Return an address as the system writes it; None for one that is none, or of one link alone.

    Link-local addresses of IPv6 mean nothing without their link, which no candidate names.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    return None if address.version == 6 and (address.is_link_local or address.ipv4_mapped) else str(address)


def _url(host: str, port: int) -> str:
    return f"http://{endpoint_text(from_here((host, port)))}"
