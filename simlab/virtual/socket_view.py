"""What stands for a socket in the virtual network."""

import socket

from simlab.virtual.hosts import Address


class SocketView:
    """What libraries ask a socket: addresses, and options that do nothing here."""

    family = socket.AF_INET
    proto = 0  # whatever goes with the type

    def __init__(self, local: Address, remote: Address = ("", 0), kind: int = socket.SOCK_STREAM) -> None:
        self.type = kind
        self.descriptor = -1
        self._local = local
        self._remote = remote

    def getsockname(self) -> Address:
        """Return the address here."""
        return self._local

    def getpeername(self) -> Address:
        """Return the address there."""
        return self._remote

    def setsockopt(self, *_: object) -> None:
        """Do nothing."""

    def fileno(self) -> int:
        """Return -1, since it is no file, or what stands for one that has nothing to read."""
        return self.descriptor
