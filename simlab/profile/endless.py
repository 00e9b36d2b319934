"""Whether a policy would try for ever without a pause, in no time at all where offers are refused at once."""

from collections.abc import Iterable, Mapping
from typing import Any

UNLIMITED = "unlimited"
TERMS = ("max_attempts", "retry_delay_s", "longest_delay_s", "delays_s", "jitter")
"""The terms that say so, in the order in which they are told."""

_FOR_EVER = "would try for ever without a pause"


def terms_of(policy: object) -> dict[str, Any]:
    """Return those of the terms that a policy, or what a user gives of one, has."""
    found = {name: getattr(policy, name, None) for name in TERMS}
    return {name: value for name, value in found.items() if value is not None}


def endless(
    given: Mapping[str, Any], named: object, name: str, last: Iterable[str]
) -> tuple[str, str] | None:
    """Return the term that makes a policy try for ever without a pause, and what is wanted of it, or None.

    Parameters
    ----------
    given
        The terms that the user gives, some of ``TERMS``.
    named, name
        The policy that they are laid over, None where it is not known; and its name.
    last
        Which of them were given last, and are told before the others.
    """
    unlimited = {} if named is None else {"max_attempts": UNLIMITED}  # there it is None
    terms = {**unlimited, **terms_of(named), **given}
    zero = _zero(terms)
    if zero is None or terms.get("max_attempts") != UNLIMITED:
        return None
    told = sorted((term for term in TERMS if term in given), key=lambda term: term not in set(last))
    of_named = "" if "max_attempts" in given else f" of {name}"
    return told[0], _want(told[0], zero, f'max_attempts{of_named} is "{UNLIMITED}"')


def _zero(terms: Mapping[str, Any]) -> str | None:
    """Return the term that makes every wait 0 in the end, as ``simlab.reconnect.waits`` has it."""
    jitter = terms.get("jitter")
    if jitter == "livekit":
        return None
    if terms.get("delays_s") and jitter != "decorrelated":
        return None if terms["delays_s"][-1] else "delays_s"
    return next((name for name in ("retry_delay_s", "longest_delay_s") if terms.get(name) == 0), None)


def _want(told: str, zero: str, unlimited: str) -> str:
    if told == zero:
        where = " at the end" if told == "delays_s" else ""
        return f"want more than 0{where}, since {unlimited}: it {_FOR_EVER}"
    waits = "delays of 0 at the end" if zero == "delays_s" else f"a {zero.removesuffix('_s')} of 0"
    beside = "" if told == "max_attempts" else " of max_attempts beside it"
    return f"want a number{beside}, since {waits} {_FOR_EVER}"
