"""The terms of a policy that decide nothing, because others go before them."""

from collections.abc import Iterator
from math import inf

from simlab.reconnect.terms import Policy

_WAITS = ("delays_s", "wait_first", "retry_delay_s", "factor", "longest_delay_s", "jitter", "jitter_share")


def idle_terms(policy: Policy) -> dict[str, str]:
    """Return the terms that change nothing whatever their value is, each with the reason.

    A reason speaks of terms as a policy file has them: ``"delays goes before it"``.
    """
    return dict(reversed([*_waits(policy), *_others(policy)]))  # of two reasons, the first


def _waits(policy: Policy) -> Iterator[tuple[str, str]]:
    if policy.max_attempts == 0:
        yield from ((term, "max_attempts is 0") for term in ("actions", "escalate"))
        if not policy.give_up_late:
            yield from ((term, "max_attempts is 0") for term in _WAITS)
    if policy.delays_s:
        yield from ((term, "delays goes before it") for term in _after_delays(policy))
    elif policy.jitter == "decorrelated":
        yield "factor", "jitter is decorrelated"
    if policy.jitter not in ("share", "once"):
        yield "jitter_share", f"jitter is {policy.jitter}"


def _after_delays(policy: Policy) -> Iterator[str]:
    yield from ("wait_first", "factor")
    if policy.jitter not in ("jitsi", "decorrelated"):
        yield "retry_delay_s"
    if policy.jitter != "decorrelated":
        yield "longest_delay_s"
    if policy.jitter == "once":
        yield "jitter_share"


def _others(policy: Policy) -> Iterator[tuple[str, str]]:
    if policy.silence_s == inf:
        yield "silence_when", "silence is never"
    if policy.missed_pings == 0:
        yield "ping_interval_s", "missed_pings is 0"
    if len(policy.actions) == 1:
        yield "escalate", "there is one of actions"
    if policy.time_limit_s == inf:
        yield "time_limit_from", "time_limit is never"
    if policy.counter_reset == "answer":
        yield "reset_after_s", "counter_reset is answer"
    if not policy.final_statuses:
        yield "transient_statuses", "final_statuses is empty"
