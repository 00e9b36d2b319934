"""A profile: what the network does, who meets over it, and what is expected of them."""

import math
import re
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from simlab.core.nat import NatSpec
from simlab.core.packet import Direction
from simlab.profile.actions import Action, ActionValues, late_actions
from simlab.profile.behaviour import (
    CLIENT_PRESETS,
    SERVER_PRESETS,
    ClientBehaviour,
    ServerBehaviour,
    over_preset,
)
from simlab.profile.bot import BotKeys
from simlab.profile.changes import LinkValue, settle
from simlab.profile.expect import Expect, Expectation
from simlab.profile.faults import Fault, FaultValues, schedule_faults
from simlab.profile.faults_nat import NatTable, RebindFault
from simlab.profile.faults_servers import without_server
from simlab.profile.faulty import FaultyKeysError
from simlab.profile.fields import Duration, PositiveDuration, Table, TomlSchema, listed
from simlab.profile.ice import IceTable
from simlab.profile.link import LinkSettings, LinkTable
from simlab.profile.nearest import one_of
from simlab.profile.policy import PYTHON_NAME, PolicyKeys
from simlab.profile.weather import Weather

SERVERS = ("builtin", "pipecat")
CLIENTS = ("builtin", "chromium")


def _names_schema(names: tuple[str, ...]) -> dict[str, Any]:
    return {"anyOf": [{"enum": list(names)}, {"type": "string", "pattern": f"^{PYTHON_NAME}$"}]}


MOST_CLIENTS = 500
NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
Clock = Literal["virtual", "real"]
_CLIENT: Literal["pipecat-1.10.8"] = "pipecat-1.10.8"
_SERVER: Literal["pipecat-1.14.0"] = "pipecat-1.14.0"
Codec = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]


_SHORTEST_PING_INTERVAL_S = 0.01


class Peers(Table):
    """``[peers]``: who meets whom, with what media.

    Parameters
    ----------
    clients
        How many clients meet the server.
    arriving
        Within which time they come, each at a moment drawn from the seed; without it all come at once.
    """

    client: Annotated[str, WithJsonSchema(_names_schema(CLIENTS))] = "builtin"
    server: Annotated[str, WithJsonSchema(_names_schema(SERVERS))] = "builtin"
    media: Annotated[tuple[Literal["audio", "video"], ...], BeforeValidator(listed), Field(max_length=2)] = (
        "audio",
    )
    clients: int = Field(default=1, ge=1, le=MOST_CLIENTS)
    arriving_s: PositiveDuration | None = Field(default=None, alias="arriving")

    @field_validator("client", "server")
    @classmethod
    def _known(cls, name: str, info: ValidationInfo) -> str:
        names = CLIENTS if info.field_name == "client" else SERVERS
        if name not in names and not re.fullmatch(PYTHON_NAME, name):
            raise ValueError(one_of(name, (*names, "MODULE:NAME")))
        return name

    @field_validator("media")
    @classmethod
    def _each_once(cls, media: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(media)) < len(media):
            raise ValueError("want each at most once")
        return media


class Client(Table):
    """``[client]``: which client it is, how it finds that a path is bad, and what its application sets.

    Parameters
    ----------
    wait_for_ice_gathering
        Wait up to 2 s for all candidates before each offer.
    audio_codec, video_codec
        The one codec to offer, by its name in SDP; None offers all.
    start
        Ask the server for a bot first (``POST /start``), and then make offers to the bot's session.
    offer_timeout_s
        How long an offer may wait for its answer; None is for ever, or as the behaviour has it.
    disconnect_on_bot_disconnect
        Whether the bot's good-bye ends the connection.
    ping_interval_s, trickle_window_s
        How often it pings, and how long candidates are collected; None is what Pipecat has.
    """

    preset: Literal["pipecat-1.10.8", "pipecat-1.10.6", "fixed"] = _CLIENT
    liveness: Literal["chromium", "firefox", "aioice", "media", "ping"] = "chromium"
    media_silence_s: PositiveDuration | None = Field(default=None, alias="media_silence")
    missed_pings: int | None = Field(default=None, ge=1, le=1_000_000)
    wait_for_ice_gathering: bool | None = None
    audio_codec: Codec | None = None
    video_codec: Codec | None = None
    start: bool | None = None
    offer_timeout_s: PositiveDuration | None = Field(default=None, alias="offer_timeout")
    disconnect_on_bot_disconnect: bool | None = None
    ping_interval_s: PositiveDuration | None = Field(default=None, alias="ping_interval")
    trickle_window_s: Duration | None = Field(default=None, alias="trickle_window")
    behaviour: ClientBehaviour = Field(default=ClientBehaviour(), validate_default=True)

    @field_validator("ping_interval_s")
    @classmethod
    def _not_all_the_time(cls, interval_s: float | None) -> float | None:
        if interval_s is not None and interval_s < _SHORTEST_PING_INTERVAL_S:
            raise ValueError("want 10ms or more")
        return interval_s

    @field_validator("behaviour")
    @classmethod
    def _over_preset(cls, given: ClientBehaviour, info: ValidationInfo) -> ClientBehaviour:
        return over_preset(CLIENT_PRESETS, info.data.get("preset", _CLIENT), given)


class Server(Table):
    """``[server]``: which server it is, and how it is started.

    Parameters
    ----------
    esp32, esp32_host
        Answers lack what an ESP32 cannot read: fingerprints but that of SHA-256, and, if a host is given,
        candidates but those that match it.
    connecting_timeout_s
        How long a peer connection may be ``connecting`` before it is closed.
    ping_window_s, channel_timeout_s, queued_messages, renegotiation_latch_s, write_timeout_s
        ``webrtc.limits.ServerLimits`` says what each is; None is what Pipecat has.
    """

    preset: Literal["pipecat-1.14.0", "fixed"] = _SERVER
    mode: Literal["multiple", "single"] = "multiple"
    esp32: bool = False
    esp32_host: str | None = Field(default=None, min_length=1)
    connecting_timeout_s: PositiveDuration = Field(default=60.0, alias="connecting_timeout")
    ping_window_s: PositiveDuration | None = Field(default=None, alias="ping_window")
    channel_timeout_s: PositiveDuration | None = Field(default=None, alias="channel_timeout")
    queued_messages: int | None = Field(default=None, ge=0, le=1_000_000)
    renegotiation_latch_s: Duration | None = Field(default=None, alias="renegotiation_latch")
    write_timeout_s: PositiveDuration | None = Field(default=None, alias="write_timeout")
    behaviour: ServerBehaviour = Field(default=ServerBehaviour(), validate_default=True)

    @field_validator("behaviour")
    @classmethod
    def _over_preset(cls, given: ServerBehaviour, info: ValidationInfo) -> ServerBehaviour:
        return over_preset(SERVER_PRESETS, info.data.get("preset", _SERVER), given)


class Signalling(Table):
    """``[signalling]``: the HTTP path.

    Parameters
    ----------
    delay_s
        One way; None is the link's own mean delay.
    path
        ``"link"`` carries it as TCP over links like those of the packets; None only delays it.
    """

    delay_s: Duration | None = Field(default=None, alias="delay")
    path: Literal["link"] | None = None

    @model_validator(mode="after")
    def _one_delay(self) -> "Signalling":
        if self.path is not None and self.delay_s is not None:
            raise FaultyKeysError([(("delay",), 'want no delay beside path = "link": it is the link\'s')])
        return self


class Profile(Table):
    """A whole profile, checked, in SI units. The fields are described in the project's interface document."""

    name: Name = "unnamed"
    description: str = ""
    source: str = ""
    source_kind: Literal["rtt", "oneway"] = "oneway"
    evidence: Literal["preset", "standard", "trace", "measured", "assumption"] = "assumption"
    duration_s: PositiveDuration = Field(default=30.0, alias="duration")
    seed: int = Field(default=1, ge=0, le=2**63 - 1)
    clock: Clock = "virtual"
    peers: Peers = Peers()
    client: Client = Client()
    server: Server = Server()
    bot: BotKeys = BotKeys()
    policy: PolicyKeys = PolicyKeys()
    link: LinkValue = Field(default=settle(LinkTable()), json_schema_extra={"default": {}})
    nat: NatTable | None = None
    ice: IceTable | None = None
    signalling: Signalling = Signalling()
    faults: FaultValues = Field(default=(), alias="fault")
    actions: ActionValues = Field(default=(), alias="action")
    weather: Annotated[tuple[Weather, ...], BeforeValidator(listed), Field(max_length=100)] = ()
    expect: Expect = Expect()

    @field_validator("duration_s")
    @classmethod
    def _within_a_day(cls, duration_s: float) -> float:
        if duration_s > 86_400:
            raise ValueError("want 24 hours or less")
        return duration_s

    @field_validator("faults")
    @classmethod
    def _scheduled(cls, faults: tuple[Fault, ...], info: ValidationInfo) -> tuple[Fault, ...]:
        # Without a valid duration there is one fault to report already; the overlaps still count.
        found = schedule_faults(faults, info.data.get("duration_s"))
        if "ice" in info.data:
            found += without_server(faults, info.data["ice"])
        if found:
            raise FaultyKeysError(found)
        return faults

    @field_validator("actions")
    @classmethod
    def _in_time(cls, actions: tuple[Action, ...], info: ValidationInfo) -> tuple[Action, ...]:
        found = late_actions(actions, info.data.get("duration_s", math.inf))
        if found:
            raise FaultyKeysError(found)
        return actions

    @property
    def expectations(self) -> tuple[Expectation, ...]:
        """What the session has to achieve."""
        return self.expect.all()

    @property
    def nat_spec(self) -> NatSpec | None:
        """What is in front of the client: the profile's NAT, or any NAT if a fault rebinds it, or nothing."""
        if self.nat is not None:
            return self.nat.spec()
        return NatSpec() if any(isinstance(fault, RebindFault) for fault in self.faults) else None

    @property
    def nat_is_beyond_links(self) -> bool:
        """Whether the NAT is a carrier's, beyond the clients' links, and not on the client's side of them."""
        return self.nat is not None and bool(self.nat.shared)

    def signalling_delay_s(self, direction: Direction) -> float:
        """Return the one-way delay of the HTTP path."""
        if self.signalling.delay_s is not None:
            return self.signalling.delay_s
        return self.link.of(direction).delay.mean_s

    def to_toml(self) -> dict[str, Any]:
        """Return the tables that say the same, with every default filled in and values in human units."""
        tables = self.model_dump(by_alias=True, exclude_none=True, exclude={"link"})
        tables["link"] = self.link.to_toml()
        for name in ("weather", "action"):  # no weather is left in a settled scenario
            if not tables[name]:
                del tables[name]
        return tables


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a profile, for editors."""
    return Profile.model_json_schema(by_alias=True, schema_generator=TomlSchema)


__all__ = ["LinkSettings", "Profile", "schema"]
