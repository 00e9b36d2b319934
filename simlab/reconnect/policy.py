"""Reconnection policies: what the client does about a bad connection, and when."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Policy:
    """A reconnection policy.

    Parameters
    ----------
    name
        As in ``[policy] name``.
    source
        Where its numbers come from.
    grace_s
        How long ICE may stay ``disconnected`` before an attempt. ``failed`` has no grace.
    retry_delay_s
        From a failed offer to the next attempt.
    max_attempts
        How many attempts in a row before it gives up; 0 makes none.
    counter_reset
        What sets the count of attempts back to 0: ``"answer"``, an applied answer.
    refusal_is_final
        Whether a 4xx answer to an offer ends everything at once.
    """

    name: str
    source: str
    grace_s: float = 5.0
    retry_delay_s: float = 2.0
    max_attempts: int = 3
    counter_reset: Literal["answer"] = "answer"
    refusal_is_final: bool = True


POLICIES = {
    policy.name: policy
    for policy in (
        Policy("pipecat", "@pipecat-ai/small-webrtc-transport 1.10.8, smallWebRTCTransport.ts"),
        Policy(
            "never",
            "simlab: no reconnection at all, as a baseline",
            grace_s=float("inf"),
            max_attempts=0,
        ),
    )
}
