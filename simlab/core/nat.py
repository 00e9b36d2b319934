"""A network address translator: whom it takes for whom, and whom it lets in.

Source: RFC 4787 (behavioural requirements for unicast UDP); the numbers of its requirements stand where they
are met.
"""

from dataclasses import dataclass, field
from enum import StrEnum

Address = tuple[str, int]

_FIRST_PORT = 1024
_LAST_PORT = 65535


class Dependence(StrEnum):
    """What a mapping or a filter depends on, beside the inside endpoint (RFC 4787 sections 4.1 and 5)."""

    ENDPOINT_INDEPENDENT = "endpoint-independent"
    ADDRESS_DEPENDENT = "address-dependent"
    ADDRESS_AND_PORT_DEPENDENT = "address-and-port-dependent"

    def part_of(self, remote: Address) -> object:
        """Return the part of a remote endpoint that matters."""
        if self is Dependence.ENDPOINT_INDEPENDENT:
            return None
        return remote[0] if self is Dependence.ADDRESS_DEPENDENT else remote


@dataclass(frozen=True, slots=True)
class NatSpec:
    """How a NAT behaves.

    Parameters
    ----------
    mapping
        For which remote endpoints an inside endpoint keeps its outside one (REQ-1 wants any).
    filtering
        From which remote endpoints packets are let in (REQ-8).
    timeout_s
        How long a mapping lives without a packet that refreshes it (REQ-5 wants 2 minutes or more).
    inbound_refreshes
        Whether packets from outside refresh it, too; those from inside always do (REQ-6).
    preserve_port
        Whether an inside endpoint gets its own port outside if that is free (section 4.2.1). Otherwise, and
        where it is taken, ports are given out in order.
    hairpin
        Whether an inside endpoint can reach another by its outside address (REQ-9).
    one_to_one
        Whether there is an outside address for the inside one alone: no ports are translated, nothing is
        filtered, nothing expires. The NAT then has one inside host.
    """

    mapping: Dependence = Dependence.ENDPOINT_INDEPENDENT
    filtering: Dependence = Dependence.ENDPOINT_INDEPENDENT
    timeout_s: float = 120.0
    inbound_refreshes: bool = False
    preserve_port: bool = True
    hairpin: bool = False
    one_to_one: bool = False

    def __post_init__(self) -> None:
        if not self.timeout_s > 0:
            raise ValueError("a mapping lives longer than 0 s")


@dataclass(slots=True)
class _Mapping:
    """An inside endpoint with its outside port, and when it has sent to which remote endpoints."""

    key: tuple[Address, object]  # the inside endpoint, and what the mapping depends on beside it
    outside_port: int
    refreshed_s: float
    sent_s: dict[object, float] = field(default_factory=dict)


class Nat:
    """Translate the endpoints of packets. It has no clock and does no I/O.

    Parameters
    ----------
    address
        Its address outside.
    """

    def __init__(self, spec: NatSpec, address: str) -> None:
        self.spec = spec
        self.address = address
        self._mappings: dict[tuple[Address, object], _Mapping] = {}
        self._by_port: dict[int, _Mapping] = {}
        self._next_port = _FIRST_PORT
        self._retired: frozenset[int] = frozenset()
        self._inside_host: str | None = None

    def outbound(self, inside: Address, remote: Address, now_s: float) -> Address:
        """Return the outside endpoint from which a packet of an inside one goes to a remote one.

        Parameters
        ----------
        now_s
            Never less than in an earlier call.

        Raises
        ------
        ValueError
            If every port is taken, or a one-to-one NAT has another inside host.
        """
        if self.spec.one_to_one:
            return self._outbound_one_to_one(inside)
        key = (inside, self.spec.mapping.part_of(remote))
        mapping = self._mappings.get(key)
        if mapping is None or not self._lives(mapping, now_s):
            self._drop(mapping)
            mapping = _Mapping(key, self._free_port(inside[1], now_s), now_s)
            self._mappings[key] = self._by_port[mapping.outside_port] = mapping
        mapping.refreshed_s = now_s
        mapping.sent_s[self.spec.filtering.part_of(remote)] = now_s
        return self.address, mapping.outside_port

    def inbound(self, outside: Address, remote: Address, now_s: float) -> Address | None:
        """Return the inside endpoint that a packet from a remote one to an outside one is for.

        Returns
        -------
        None if there is none, or if it is not to get packets from there.
        """
        if outside[0] != self.address:
            return None
        if self.spec.one_to_one:
            return None if self._inside_host is None else (self._inside_host, outside[1])
        mapping = self._by_port.get(outside[1])
        if mapping is None or not self._lives(mapping, now_s):
            return None
        last_s = mapping.sent_s.get(self.spec.filtering.part_of(remote))
        # What one remote endpoint was let in for lapses by itself, though others keep the mapping alive.
        if last_s is None or now_s - last_s >= self.spec.timeout_s:
            return None
        if self.spec.inbound_refreshes:
            mapping.refreshed_s = now_s
            mapping.sent_s[self.spec.filtering.part_of(remote)] = now_s
        return mapping.key[0]

    def hairpinned(self, inside: Address, outside: Address, now_s: float) -> tuple[Address, Address] | None:
        """Return whom a packet from an inside endpoint to an outside one of this NAT comes from and is for.

        The source is the sender's outside endpoint (REQ-9a).

        Returns
        -------
        None if the NAT does not hairpin, or would not let the packet in.
        """
        if not self.spec.hairpin or outside[0] != self.address:
            return None
        source = self.outbound(inside, outside, now_s)
        to = self.inbound(outside, source, now_s)
        return None if to is None else (source, to)

    def rebind_ports(self) -> None:
        """Forget all mappings, and give out none of their ports until the next time: as after a restart."""
        self._retired = frozenset(self._by_port)
        self._forget()

    def rebind_address(self, address: str) -> None:
        """Have another address outside from now on; all mappings are forgotten."""
        self.address = address
        self._forget()

    def _forget(self) -> None:
        self._mappings.clear()
        self._by_port.clear()

    def _outbound_one_to_one(self, inside: Address) -> Address:
        if self._inside_host is None:
            self._inside_host = inside[0]
        if self._inside_host != inside[0]:
            raise ValueError(f"{inside[0]} is behind the one-to-one NAT of {self._inside_host}")
        return self.address, inside[1]

    def _free_port(self, wanted: int, now_s: float) -> int:
        if self.spec.preserve_port and self._is_free(wanted, now_s):
            return wanted
        for _ in range(_FIRST_PORT, _LAST_PORT + 1):
            port = self._next_port
            self._next_port = port + 1 if port < _LAST_PORT else _FIRST_PORT
            if self._is_free(port, now_s):
                return port
        raise ValueError("every port of the NAT is taken")

    def _is_free(self, port: int, now_s: float) -> bool:
        mapping = self._by_port.get(port)
        if mapping is not None and self._lives(mapping, now_s):
            return False
        self._drop(mapping)
        return port not in self._retired

    def _lives(self, mapping: _Mapping, now_s: float) -> bool:
        return now_s - mapping.refreshed_s < self.spec.timeout_s

    def _drop(self, mapping: _Mapping | None) -> None:
        if mapping is not None:
            del self._mappings[mapping.key]
            del self._by_port[mapping.outside_port]
