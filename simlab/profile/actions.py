"""The ``[[action]]`` tables: what the application does with the client in the middle of a session."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from simlab.profile.fields import Duration, Size, Table, listed
from simlab.profile.units import duration_text

Deed = Literal[
    "connect",
    "disconnect",
    "mute",
    "unmute",
    "camera-on",
    "camera-off",
    "send",
    "request",
    "set-ice-servers",
]


class Action(Table):
    """Something that the application does at a moment.

    Parameters
    ----------
    do
        ``connect`` and ``disconnect``; ``mute``, ``unmute``, ``camera-on``, ``camera-off``; ``send`` (a
        message) and ``request`` (one that is answered); ``set-ice-servers``, for peer connections made from
        then on.
    size_bytes
        Of the text that ``send`` and ``request`` carry.
    urls, username, credential
        Of the servers that ``set-ice-servers`` sets; no ``urls`` is none.
    """

    at_s: Duration = Field(alias="at")
    do: Deed
    size_bytes: Size | None = Field(default=None, alias="size", le=2**24)
    urls: Annotated[tuple[str, ...], BeforeValidator(listed), Field(max_length=10)] | None = None
    username: str | None = None
    credential: str | None = None

    @field_validator("size_bytes")
    @classmethod
    def _with_a_message(cls, size_bytes: int | None, info: ValidationInfo) -> int | None:
        if size_bytes is not None and info.data.get("do") not in {"send", "request", None}:
            raise ValueError("want it with send and request alone")
        return size_bytes

    @field_validator("urls", "username", "credential")
    @classmethod
    def _with_servers(cls, value: object, info: ValidationInfo) -> object:
        if value is not None and info.data.get("do") not in {"set-ice-servers", None}:
            raise ValueError("want it with set-ice-servers alone")
        return value


ActionValues = Annotated[tuple[Action, ...], BeforeValidator(listed), Field(max_length=1000)]


def late_actions(actions: tuple[Action, ...], duration_s: float) -> list[tuple[tuple[str | int, ...], str]]:
    """Return what is wrong with the times of actions: those that the session ends before."""
    want = f"want a time within the duration of {duration_text(duration_s)}"
    return [((n, "at"), want) for n, action in enumerate(actions) if action.at_s > duration_s]
