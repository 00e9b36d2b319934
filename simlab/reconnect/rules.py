"""What a policy decides from case to case; the one class to derive an own policy in Python from."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from simlab.reconnect.terms import Attempt, Policy
from simlab.reconnect.waits import Waits


@dataclass(frozen=True)
class Row:
    """How far a row of attempts has come, since the path was last good.

    Parameters
    ----------
    attempts
        How many attempts have been made.
    failures
        How many offers or connections have failed, the first connect's included.
    escalations
        How many of the failures go one on in ``actions``.
    cause
        What asks for the next attempt: ``"disconnected"``, ``"failed"``, ``"silence"``, ``"pings"`` or
        ``"retry"``.
    """

    attempts: int = 0
    failures: int = 0
    escalations: int = 0
    cause: str = "retry"


class Rules:
    """Decide by the terms of a policy.

    A policy of one's own is a subclass with another ``policy``, other methods, or both. It is named as
    ``MODULE:NAME`` where a policy is expected. It must not read a clock, and chance comes from ``draws``
    alone, or a session is not the same twice.

    Parameters
    ----------
    draws
        Numbers from U[0, 1), from the session's seed.
    policy
        In place of the class's own.
    """

    policy: ClassVar[Policy] = Policy("rules", "simlab")

    def __init__(self, draws: Iterator[float], policy: Policy | None = None) -> None:
        self.terms = policy or self.policy
        self.draws = draws
        self._waits = Waits(self.terms, draws)

    def begin(self) -> None:
        """Take in that a row of attempts is over, because the path is good again."""
        self._waits.begin()

    def grace_s(self, cause: str) -> float:
        """Return how long to leave the path alone after ``"disconnected"`` or ``"failed"``."""
        return self.terms.failed_grace_s if cause == "failed" else self.terms.grace_s

    def wait_s(self, row: Row) -> float:
        """Return how long to wait before the next attempt."""
        return self._waits.wait_s(row.attempts, row.failures)

    def action(self, row: Row) -> Attempt:
        """Return what the next attempt does."""
        actions = self.terms.actions
        return actions[min(row.escalations, len(actions) - 1)]

    def may_go_on(self, row: Row) -> bool:
        """Tell whether there may be another attempt."""
        limit = self.terms.max_attempts
        return limit is None or row.attempts < limit
