"""Where servers listen in the virtual network: an address of a host, its loopback, or all that it has."""

import contextvars
import errno
import os
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from itertools import count
from typing import Any, NamedTuple

from simlab.virtual.hosts import ANY, LOOPBACK, Address, current_host, meant
from simlab.virtual.loop import Process, current_process
from simlab.virtual.socket_view import SocketView

_FIRST_PORT = 30000


class Taker(NamedTuple):
    """What takes connections, and in which context."""

    make_protocol: Callable[[], Any]
    context: contextvars.Context


class ListeningSocket(SocketView):
    """A port of an address, or of all that a host has; connections are refused until there is a taker.

    Parameters
    ----------
    names
        By which it is reached; each host has a loopback of its own.
    """

    def __init__(self, address: Address, names: Iterable[str]) -> None:
        super().__init__(address)
        self.places = [(name, address[1]) for name in names]
        self.process = current_process.get()
        self.taker: Taker | None = None

    def listen(self, _backlog: int) -> None:
        """Do nothing: whoever connects is taken at once."""


class Listeners:
    """The ports that are taken, by where they are reached."""

    def __init__(self) -> None:
        self._at: dict[tuple[str, int], ListeningSocket] = {}
        self._ports = count(_FIRST_PORT)

    def find(self, host: str, port: int) -> Taker | None:
        """Return what takes a connection from the current host to an address."""
        socket = self._at.get((_reached(host), port))
        return None if socket is None else socket.taker

    def bind(self, hosts: Iterable[str | None], port: int) -> list[ListeningSocket]:
        """Take a port of several addresses of the current host, or, if it is 0, a free one of each.

        Raises
        ------
        OSError
            If one is taken, or an address is another host's; then none is taken.
        """
        sockets: list[ListeningSocket] = []
        with ExitStack() as undo:
            for host in dict.fromkeys(map(meant, hosts)):
                socket = self._bind(host, port)
                sockets.append(socket)
                undo.callback(self.release, socket)
            undo.pop_all()
        return sockets

    def _bind(self, host: str, port: int) -> ListeningSocket:
        here = current_host.get(host)
        names = [_reached(LOOPBACK), here] if host == ANY else [_reached(host)]
        address = (host, port or next(port for port in self._ports if not self._taken(names, port)))
        if host not in (ANY, LOOPBACK, here):
            raise _cannot_bind(errno.EADDRNOTAVAIL, address)
        if self._taken(names, port):
            raise _cannot_bind(errno.EADDRINUSE, address)
        socket = ListeningSocket(address, names)
        self._at.update(dict.fromkeys(socket.places, socket))
        return socket

    def _taken(self, names: Iterable[str], port: int) -> bool:
        return any((name, port) in self._at for name in names)

    def release(self, socket: ListeningSocket) -> None:
        """Free a port."""
        socket.taker = None
        for place in socket.places:
            if self._at.get(place) is socket:
                del self._at[place]

    def release_all(self, process: Process) -> None:
        """Free the ports of a process that is gone."""
        for socket in list(self._at.values()):
            if socket.process is process:
                self.release(socket)


def _reached(host: str) -> str:
    """Return where a name leads from the current host."""
    address = meant(host)
    return f"{LOOPBACK} of {current_host.get(ANY)}" if address in (ANY, LOOPBACK) else address


def _cannot_bind(number: int, address: Address) -> OSError:
    why = os.strerror(number).lower()
    return OSError(number, f"error while attempting to bind on address {address!r}: {why}")
