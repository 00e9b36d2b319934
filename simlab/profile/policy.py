"""``[policy]`` and policy files: a reconnection policy by name, and the terms that are changed in it."""

import re
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    PlainSerializer,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from simlab.profile import units
from simlab.profile.endless import TERMS, UNLIMITED, endless, terms_of
from simlab.profile.faulty import FaultyKeysError
from simlab.profile.fields import Chance, Duration, PositiveDuration, Table, listed
from simlab.profile.nearest import one_of

NEVER = "never"
SUFFIX = ".toml"
PYTHON_NAME = r"[A-Za-z_][\w.]*:[A-Za-z_]\w*"
_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
_STATUS = r"[1-5](xx|[0-9][0-9])"


def _duration_or_never(value: object) -> float:
    if value == NEVER:
        return float("inf")
    try:
        return units.parse_duration_s(value)
    except ValueError as error:
        raise ValueError(f'{error}, or "{NEVER}"') from None


def _or_never_text(duration_s: float) -> str:
    return NEVER if duration_s == float("inf") else units.duration_text(duration_s)


def _limit(value: object) -> object:
    return UNLIMITED if value == UNLIMITED else _whole(value)


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f'want a whole number, or "{UNLIMITED}"')  # noqa: TRY004 - a user's mistake
    if not 0 <= value <= 1_000_000:
        raise ValueError("want 0 or more" if value < 0 else "want 1000000 or less")
    return value


def _statuses(value: object) -> object:
    if not isinstance(value, list | tuple):
        return value
    words = [str(word) if isinstance(word, int) and not isinstance(word, bool) else word for word in value]
    for word in words:
        if not isinstance(word, str) or not re.fullmatch(_STATUS, word):
            raise ValueError('want HTTP statuses, such as 404 or "4xx"')
    return tuple(words)


def _factor(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 1 <= value <= 100:
        raise ValueError("want a number from 1 to 100")
    return float(value)


DurationOrNever = Annotated[
    float,
    BeforeValidator(_duration_or_never),
    PlainSerializer(_or_never_text),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "pattern": units.DURATION_PATTERN}, {"const": 0}, {"const": NEVER}]}
    ),
]
Limit = Annotated[
    int | Literal["unlimited"],
    BeforeValidator(_limit),
    WithJsonSchema(
        {"anyOf": [{"type": "integer", "minimum": 0, "maximum": 1_000_000}, {"const": UNLIMITED}]}
    ),
]
Statuses = Annotated[
    tuple[str, ...],
    BeforeValidator(_statuses),
    WithJsonSchema(
        {
            "type": "array",
            "items": {"anyOf": [{"type": "integer"}, {"type": "string", "pattern": f"^{_STATUS}$"}]},
        }
    ),
]
Factor = Annotated[
    float,
    BeforeValidator(_factor),
    WithJsonSchema({"type": "number", "minimum": 1, "maximum": 100}),
]
Actions = Annotated[
    tuple[Literal["recreate", "reoffer", "restart_ice"], ...],
    BeforeValidator(listed),
    Field(min_length=1, max_length=100),
]
Delays = Annotated[tuple[Duration, ...], BeforeValidator(listed), Field(max_length=1000)]
Jitters = Literal["none", "share", "full", "equal", "decorrelated", "once", "livekit", "jitsi"]


class PolicyKeys(Table):
    """``[policy]``: a reconnection policy by name, and what to change in it; None leaves it as it is.

    A policy file has the same keys. ``docs/policies.md`` describes them.
    """

    base: str | None = Field(default=None, min_length=1)
    name: str = Field(default="pipecat", min_length=1, validate_default=True)
    source: str | None = None
    description: str | None = None
    follow_client: bool | None = None
    watch: Literal["ice", "connection"] | None = None
    grace_s: DurationOrNever | None = Field(default=None, alias="grace")
    failed_grace_s: DurationOrNever | None = Field(default=None, alias="failed_grace")
    closed_as_failed: bool | None = None
    silence_s: DurationOrNever | None = Field(default=None, alias="silence")
    silence_when: Literal["always", "disconnected"] | None = None
    ping_interval_s: PositiveDuration | None = Field(default=None, alias="ping_interval")
    missed_pings: int | None = Field(default=None, ge=0, le=1_000_000)
    renegotiate: bool | None = None
    keep_grace: bool | None = None
    actions: Actions | None = None
    escalate: Literal["failure", "unconnected"] | None = None
    close_old: Literal["first", "tried", "answered"] | None = None
    abandon_when_healed: bool | None = None
    answer_timeout_s: DurationOrNever | None = Field(default=None, alias="answer_timeout")
    connect_timeout_s: DurationOrNever | None = Field(default=None, alias="connect_timeout")
    delays_s: Delays | None = Field(default=None, alias="delays")
    wait_first: bool | None = None
    retry_delay_s: Duration | None = Field(default=None, alias="retry_delay")
    factor: Factor | None = None
    longest_delay_s: DurationOrNever | None = Field(default=None, alias="longest_delay")
    jitter: Jitters | None = None
    jitter_share: Chance | None = None
    keep_retries: bool | None = None
    max_attempts: Limit | None = None
    give_up_late: bool | None = None
    time_limit_s: DurationOrNever | None = Field(default=None, alias="time_limit")
    time_limit_from: Literal["trigger", "unanswered"] | None = None
    counter_reset: Literal["answer", "connected"] | None = None
    reset_after_s: Duration | None = Field(default=None, alias="reset_after")
    final_statuses: Statuses | None = None
    transient_statuses: Statuses | None = None
    give_up: Literal["close", "stay"] | None = None
    outlast_disconnect: bool | None = None

    @field_validator("base")
    @classmethod
    def _known_base(cls, base: str | None, info: ValidationInfo) -> str | None:
        names = (info.context or {}).get("policies")
        if base is not None and names is not None and base not in names:
            raise ValueError(one_of(base, names))
        return base

    @field_validator("name")
    @classmethod
    def _known(cls, name: str, info: ValidationInfo) -> str:
        context = info.context or {}
        names = context.get("policies")
        if "base" not in info.data:  # it is wrong, and that is said already
            return name
        if info.data["base"] is not None or context.get("policy_file"):
            if not re.fullmatch(_NAME, name):
                raise ValueError("want at most 64 letters, digits, dots, dashes and underscores")
        elif names is not None and name not in names and not re.fullmatch(PYTHON_NAME, name):
            raise ValueError(one_of(name, names))
        return name

    @model_validator(mode="after")
    def _ends(self, info: ValidationInfo) -> "PolicyKeys":
        context = info.context or {}
        name = self.base or self.name
        named = (context.get("policies") or {}).get(name)
        keys = {name: type(self).model_fields[name].alias or name for name in TERMS}
        last = [name for name, key in keys.items() if ("policy", key) in context.get("overridden", ())]
        found = endless(terms_of(self), named, name, last)
        if found:
            raise FaultyKeysError([((keys[found[0]],), found[1])])
        return self

    @property
    def is_code(self) -> bool:
        """Whether it is a class of somebody's own in Python."""
        return self.base is None and ":" in self.name

    def terms(self) -> dict[str, Any]:
        """Return what it changes, by the names of the terms of a policy; None for an unlimited number."""
        changed = {
            name: getattr(self, name)
            for name in type(self).model_fields
            if name not in {"base", "name"} and getattr(self, name) is not None
        }
        if changed.get("max_attempts") == UNLIMITED:
            changed["max_attempts"] = None
        return changed
