"""Names of hosts, as far as somebody is there.

aioice asks ``socket.gethostbyname`` for the address of its STUN server.
"""

import ipaddress
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from simlab.virtual.hosts import meant
from simlab.virtual.replace import replaced


def _address_of(name: str) -> str:
    """Return the address that a name stands for.

    Raises
    ------
    socket.gaierror
        If it is that of a host outside, of which nobody knows here: what the machine's own name servers say,
        and whether it has any, would else decide how long an offer takes.
    """
    address = meant(name)
    try:
        return str(ipaddress.IPv4Address(address))
    except ValueError:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known") from None


@contextmanager
def names_unknown_outside() -> Iterator[None]:
    """Let ``socket.gethostbyname`` ask nobody in this thread for as long as the context lasts."""
    owner, ask = threading.get_ident(), socket.gethostbyname

    def gethostbyname(name: str, /) -> str:
        return _address_of(name) if threading.get_ident() == owner else ask(name)

    with replaced(socket, "gethostbyname", gethostbyname):
        yield
