"""``kind = "signalling"``: the HTTP path to the server misbehaves."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, PlainSerializer, PlainValidator, WithJsonSchema, model_validator

from simlab.profile.faults_base import TimedFault
from simlab.profile.faulty import FaultyKeysError
from simlab.profile.units import duration_text, parse_duration_s

PLAIN_HOWS = (
    "refused",
    "reset",
    "hang",
    "half-open",
    "lost-response",
    "duplicate",
    "truncated",
    "invalid-json",
)
_WANT_HOW = (
    'want "status N" with N from 400 to 599, "refused", "reset", "hang", "half-open", "slow DURATION", '
    '"lost-response", "duplicate", "truncated" or "invalid-json"'
)
_WANT_NO_LIMIT = {
    "refused": 'want no such limit beside how = "refused": a refused connection carries no request',
    "half-open": 'want no such limit beside how = "half-open": a dead connection carries no request',
}


@dataclass(frozen=True, slots=True)
class SignallingHow:
    """What happens to a request of the signalling.

    Parameters
    ----------
    kind
        ``"status"``, ``"refused"``, ``"reset"``, ``"hang"``, ``"half-open"`` (the connection was open before,
        and its other end is gone without a word), ``"slow"``, ``"lost-response"`` (the server
        has done it, nobody hears of it), ``"duplicate"`` (the server gets it twice, the client the second
        response), ``"truncated"`` (half of the response, then the end of the connection) or
        ``"invalid-json"`` (status 200, and a page instead of an answer).
    status
        The HTTP status that is answered, for ``"status"``.
    wait_s
        How long the request is held up, for ``"slow"``.
    """

    kind: str
    status: int | None = None
    wait_s: float | None = None

    @property
    def text(self) -> str:
        """Return it as the profile has it."""
        if self.status is not None:
            return f"status {self.status}"
        return self.kind if self.wait_s is None else f"slow {duration_text(self.wait_s)}"


def parse_how(value: object) -> SignallingHow:
    """Read ``"status 503"``, ``"slow 3s"`` and so on.

    Raises
    ------
    ValueError
        If it is none of these.
    """
    text = value if isinstance(value, str) else ""
    if text in PLAIN_HOWS:
        return SignallingHow(text)
    if re.fullmatch("status [45][0-9][0-9]", text):
        return SignallingHow("status", status=int(text.removeprefix("status ")))
    if not text.startswith("slow "):
        raise ValueError(_WANT_HOW)
    return SignallingHow("slow", wait_s=parse_duration_s(text.removeprefix("slow ")))


if TYPE_CHECKING:
    How = SignallingHow
else:
    How = Annotated[
        str,
        PlainValidator(parse_how),
        PlainSerializer(lambda how: how.text),
        WithJsonSchema(
            {"type": "string", "pattern": f"^(status [45][0-9][0-9]|slow .+|{'|'.join(PLAIN_HOWS)})$"}
        ),
    ]


class SignallingFault(TimedFault):
    """The HTTP path to the server misbehaves, for all requests or for some of them.

    Parameters
    ----------
    method
        Only requests of this method: ``POST`` carries an offer, ``PATCH`` candidates.
    nth
        Only the n-th of these within the fault, from 1.
    """

    kind: Literal["signalling"]
    how: How
    method: Literal["POST", "PATCH"] | None = None
    nth: int | None = Field(default=None, ge=1, le=1_000_000)

    @model_validator(mode="after")
    def _limits_fit(self) -> "SignallingFault":
        given = [key for key in ("method", "nth") if getattr(self, key) is not None]
        want = _WANT_NO_LIMIT.get(self.how.kind)
        if want is not None and given:
            raise FaultyKeysError([((key,), want) for key in given])
        return self

    def concerns_same(self, other: Any) -> bool:
        """Tell whether another signalling fault may meet the same request."""
        different_method = self.method and other.method and self.method != other.method
        different_number = self.nth and other.nth and self.nth != other.nth
        return not (different_method or different_number)
