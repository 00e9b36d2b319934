"""Who has which address in the virtual network."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from simlab.profile.ice import ServerName

SERVER = "10.0.2.2"
ICE_HOSTS: dict[ServerName, str] = {"stun": "10.0.3.2", "turn": "10.0.3.3"}
SERVER_SIDE = frozenset({SERVER, *ICE_HOSTS.values()})
HTTP_PORT = 7860
ICE_PORT = 3478

_PROXY, _CLIENT = 1, 2
_CARRIER = "203.0.113"  # TEST-NET-3 (RFC 5737)


@dataclass(frozen=True)
class Site:
    """Where a client is, with its signalling proxy beside it.

    Parameters
    ----------
    number
        Of the client, from 1.
    """

    number: int = 1

    @property
    def _inside(self) -> str:
        # 10.0 has the server's side, too; the others have room for 256 networks each.
        return "10.0.1" if self.number == 1 else f"10.{1 + self.number // 256}.{self.number % 256}"

    @property
    def _outside(self) -> str:
        # TEST-NET-2 (RFC 5737), and the networks for benchmarks (RFC 2544), which are more.
        return "198.51.100" if self.number == 1 else f"198.{18 + self.number // 256}.{self.number % 256}"

    @property
    def client(self) -> str:
        """The client's first address, by which its host is called."""
        return f"{self._inside}.{_CLIENT}"

    @property
    def proxy(self) -> str:
        """The proxy's address."""
        return f"{self._inside}.{_PROXY}"

    def more_inside(self) -> Iterator[str]:
        """Yield the addresses that the client has later."""
        return (f"{self._inside}.{number}" for number in count(_CLIENT + 1))

    def outside(self) -> Iterator[str]:
        """Yield the addresses that the NAT in front of the client has, one after the other."""
        return (f"{self._outside}.{number}" for number in count(1))


def carrier_addresses() -> Iterator[str]:
    """Yield the addresses that a NAT in front of all clients has, one after the other."""
    return (f"{_CARRIER}.{number}" for number in count(1))


FIRST = Site()
CLIENT = FIRST.client
PROXY = FIRST.proxy
