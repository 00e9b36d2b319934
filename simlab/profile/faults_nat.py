"""The NAT in front of the client, and changes of the client's addresses."""

from typing import Literal

from pydantic import Field, model_validator

from simlab.core.nat import Dependence, NatSpec
from simlab.profile.faults_base import FaultTable, TimedFault
from simlab.profile.faulty import FaultyKeysError
from simlab.profile.fields import PositiveDuration, Table

DependenceName = Literal["endpoint-independent", "address-dependent", "address-and-port-dependent"]


class NatTable(Table):
    """``[nat]``: the client is behind an address translator. See ``simlab.core.nat.NatSpec``.

    Parameters
    ----------
    shared
        Whether all clients are behind one, beyond their links, as with a carrier's (RFC 6888); without it,
        each has its own, on its side of the links.
    """

    mapping: DependenceName = "endpoint-independent"
    filtering: DependenceName = "endpoint-independent"
    timeout_s: PositiveDuration = Field(default=120.0, alias="timeout")
    inbound_refreshes: bool = False
    preserve_port: bool = True
    hairpin: bool = False
    one_to_one: bool = False
    shared: bool | None = None

    @model_validator(mode="after")
    def _one_for_each(self) -> "NatTable":
        if self.shared and self.one_to_one:
            wrong = "want false, as a NAT that is shared has no address for each client"
            raise FaultyKeysError([(("one_to_one",), wrong)])
        return self

    def spec(self) -> NatSpec:
        """Return it in the core's terms."""
        return NatSpec(
            mapping=Dependence(self.mapping),
            filtering=Dependence(self.filtering),
            timeout_s=self.timeout_s,
            inbound_refreshes=self.inbound_refreshes,
            preserve_port=self.preserve_port,
            hairpin=self.hairpin,
            one_to_one=self.one_to_one,
        )


class RebindFault(FaultTable):
    """The NAT forgets its mappings: the server sees the client from elsewhere, and cannot reach it as before.

    Without a ``[nat]`` table there is one that depends on nothing and forgets nothing else.

    Parameters
    ----------
    what
        What is new outside: the ports, or the address of the NAT.
    """

    kind: Literal["rebind"]
    what: Literal["port", "address"] = "port"


class HandoverFault(TimedFault):
    """The client changes from one network to another: its address dies, and later it has a new one.

    What it sends from sockets of the old address goes nowhere, and what is sent there is lost. Its HTTP
    requests are cut off when the fault begins, and fail while it lasts.
    """

    kind: Literal["handover"]
