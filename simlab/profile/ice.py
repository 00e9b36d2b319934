"""The ``[ice]`` table: STUN and TURN servers, who is told of them, and what they allow."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from simlab.profile.faulty import FaultyKeysError
from simlab.profile.fields import PositiveDuration, Table, listed

ServerName = Literal["stun", "turn"]
SideName = Literal["client", "server"]
_MANY_S = 86_400


def _once_each(values: object) -> object:
    values = listed(values)
    if isinstance(values, tuple) and len(values) != len(dict.fromkeys(map(str, values))):
        raise ValueError("want each once")
    return values


class Told(Table):
    """``[ice.told]``: what the peers are told instead of the right credentials."""

    username: str | None = Field(default=None, min_length=1)
    password: str | None = Field(default=None, min_length=1)


class IceTable(Table):
    """``[ice]``: the STUN and TURN servers that there are. Without this table there are none.

    Parameters
    ----------
    servers
        Which there are; both are on the server's side of the network.
    used_by
        Who is told of them.
    policy
        ``"relay"`` lets those who are told of them use relayed candidates alone.
    username, password
        The credentials that the TURN server knows.
    lifetime_s
        Of an allocation, whatever its client asks for.
    permission_s, channel_s
        Of permissions and channels (RFC 8656 sections 9 and 12).
    nonce_s
        How long a nonce may be used.
    quota
        Allocations at a time.
    """

    servers: Annotated[tuple[ServerName, ...], BeforeValidator(_once_each), Field(min_length=1)] = (
        "stun",
        "turn",
    )
    used_by: Annotated[tuple[SideName, ...], BeforeValidator(_once_each)] = ("client",)
    policy: Literal["all", "relay"] = "all"
    username: str = Field(default="simlab", min_length=1)
    password: str = Field(default="secret", min_length=1)
    told: Told = Told()
    lifetime_s: PositiveDuration = Field(default=600.0, alias="lifetime")
    permission_s: PositiveDuration = Field(default=300.0, alias="permission_lifetime")
    channel_s: PositiveDuration = Field(default=600.0, alias="channel_lifetime")
    nonce_s: PositiveDuration = Field(default=600.0, alias="nonce_lifetime")
    quota: int = Field(default=100, ge=0, le=1000)

    @field_validator("lifetime_s")
    @classmethod
    def _whole_seconds(cls, lifetime_s: float) -> float:
        if lifetime_s != int(lifetime_s) or lifetime_s > _MANY_S:
            raise ValueError("want whole seconds, 24 hours or less")
        return lifetime_s

    @model_validator(mode="after")
    def _can_relay(self) -> "IceTable":
        if self.policy == "relay" and "turn" not in self.servers:
            raise FaultyKeysError([(("servers",), 'want "turn" among them, as the policy is "relay"')])
        return self
