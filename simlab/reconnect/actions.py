"""What the state machine of a policy asks for."""

from dataclasses import dataclass

from simlab.reconnect.terms import Attempt


@dataclass(frozen=True)
class StartAttempt:
    """Make an attempt now."""

    number: int
    action: Attempt
    cause: str


@dataclass(frozen=True)
class CancelAttempt:
    """Let go of the offer that is under way.

    Parameters
    ----------
    cause
        ``"no answer"`` or ``"not connected"``, which are failures, or ``"healed"``.
    """

    cause: str


@dataclass(frozen=True)
class Trigger:
    """Something asks for an attempt that the caller has not told the machine of."""

    cause: str


@dataclass(frozen=True)
class Abandon:
    """The path is good again, and nothing is attempted any more."""


@dataclass(frozen=True)
class GiveUp:
    """Stop for good.

    Parameters
    ----------
    cause
        ``"attempts exhausted"``, ``"offer refused"`` or ``"time limit"``.
    status
        The HTTP status of the refusal, where there was one.
    """

    cause: str
    status: int | None = None


Action = StartAttempt | CancelAttempt | Trigger | Abandon | GiveUp
