"""The built-in server alone, in real time, for whoever comes."""

import asyncio
import ipaddress
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from aioice.ice import get_host_addresses

from simlab.capture.keys import keys_logged
from simlab.core.errors import InvalidInputError, SessionFailedError
from simlab.core.timeline import Event, Recorder
from simlab.live.addresses import gathering_from
from simlab.live.clock import SessionClock
from simlab.live.ending import Telling, asked_to_stop
from simlab.live.sockets import is_address, reason_of
from simlab.profile.model import Profile
from simlab.profile.scenario import Scenario
from simlab.webrtc.ears import Ears, EarsOfAll
from simlab.webrtc.session import ServerSession

_LOOPBACK = ["127.0.0.1", "::1"]
_TOLD = ("http", "connection_opened", "event", "connection_closed")


def media_hosts(host: str) -> list[str]:
    """Return the addresses that ICE is to use for a server that listens on one.

    aioice leaves out loopback by itself, so that a client on this machine would find no way on a machine
    without a network.
    """
    if is_address(host) and ipaddress.ip_address(host).is_unspecified:
        return get_host_addresses(True, True) + _LOOPBACK
    found = socket.getaddrinfo(host, None, type=socket.SOCK_DGRAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def serve(
    profile: Profile,
    host: str,
    port: int,
    listening: Callable[[str], None],
    happened: Callable[[Event], None],
    keys: Path | None = None,
) -> None:
    """Serve until SIGINT, SIGTERM or SIGHUP, say good-bye to all clients, and return.

    Parameters
    ----------
    profile
        Its ``[server]`` and ``[bot]`` say how.
    listening
        Called with the server's URL when clients may come.
    happened
        Called with each event that is of interest to somebody who watches.
    keys
        The file to append the secrets of DTLS to; None keeps them.

    Raises
    ------
    InvalidInputError
        If that file cannot be written.
    SessionFailedError
        If it cannot listen there.
    OSError
        From ``happened``, whose failure ends the server in order: nobody watches any more.
    """
    with ExitStack() as stack:
        if keys is not None:
            try:
                stack.enter_context(keys_logged(keys))
            except OSError as error:
                raise InvalidInputError([f"--keys {keys}: {error.strerror}"]) from error
        asyncio.run(_serve(profile, host, port, listening, happened))


def _of_interest(event: Event) -> bool:
    return event.kind in _TOLD or event.kind.startswith("bot_")


async def _serve(
    profile: Profile,
    host: str,
    port: int,
    listening: Callable[[str], None],
    happened: Callable[[Event], None],
) -> None:
    clock = SessionClock()
    clock.start(time.monotonic())
    stop = asyncio.Event()
    telling = Telling(happened, stop)
    record = Recorder(clock.now_s, lambda event: telling(event) if _of_interest(event) else None)
    # No probes: they are for sessions that measure.
    ears = EarsOfAll(lambda: Ears(record, True, last_message_s=0.0))
    server = ServerSession(Scenario.of(profile, clock="real"), record, ears)
    try:
        hosts = media_hosts(host)
        await server.start(host, port)
    except OSError as error:
        await server.close()
        raise SessionFailedError("serve", f"cannot listen on {host}:{port}: {reason_of(error)}") from error
    with gathering_from(lambda: hosts):
        listening(f"http://{f'[{host}]' if ':' in host else host}:{server.port}")
        await asked_to_stop(stop)
        await server.close()
    if telling.failure is not None:
        raise telling.failure
