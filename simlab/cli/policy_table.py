"""Print the reconnection policies."""

from math import inf
from typing import Any

import tomli_w
from rich.table import Table
from rich.text import Text

from simlab.batch.policies import as_keys, policy_keys
from simlab.cli.show import echo
from simlab.cli.tables import table_of
from simlab.profile.policy import PolicyKeys
from simlab.profile.units import duration_text
from simlab.reconnect.policy import POLICIES
from simlab.reconnect.terms import Policy
from simlab.webrtc.policies import changed, find_rules

_ACTIONS = {"recreate": "re-create", "restart_ice": "restart ICE", "reoffer": "new offer"}


def policies() -> list[dict[str, Any]]:
    """Return the policies, each as the keys of its policy file."""
    return [as_keys(policy) for policy in POLICIES.values()]


def policy_file(name: str) -> str:
    """Return a policy as a policy file.

    Raises
    ------
    InvalidInputError
        If there is none of that name, or the file is wrong.
    """
    keys = policy_keys(name)
    if keys.base is not None:
        policy = changed(POLICIES[keys.base], keys)
    else:
        policy = POLICIES[name] if name in POLICIES else find_rules(name).policy
    shown = as_keys(policy)
    if keys.base is not None:
        shown |= _about(keys)
    comment = ""
    if policy.follow_client:
        comment = "# What is not here follows [client.behaviour]; a key that is given goes before it.\n"
    return comment + tomli_w.dumps(shown)


def _about(keys: PolicyKeys) -> dict[str, str]:
    """Return what a policy file says of itself; the words on the one it starts from hold for other terms."""
    given = keys.terms()
    words: dict[str, Any] = {word: given[word] for word in ("source", "description") if word in given}
    if given.keys() - words.keys():
        words = {"source": f"{keys.base}, with other terms", "description": ""} | words
    return {"name": keys.name} | words


def print_policies() -> None:
    """Print a row for each policy, and what it does."""
    table: Table = table_of("policy", "starts with", "does", "waits", "jitter", "until")
    for policy in POLICIES.values():
        table.add_row(policy.name, *_row(policy))
    lines = [Text(f"{p.name}: {p.description}") for p in POLICIES.values()]
    hint = "simlab policies show NAME prints all terms of one, and its source."
    echo(table, Text(), *lines, Text(), Text(hint, style="dim"))


def _row(policy: Policy) -> tuple[str, ...]:
    triggers = _triggers(policy)
    if policy.max_attempts == 0:
        return triggers, "close" if policy.give_up == "close" else "-", "-", "-", "-"
    does = ", then ".join(_ACTIONS[action] for action in policy.actions)
    return triggers, does, _waits(policy), _jitter(policy), _until(policy)


def _triggers(policy: Policy) -> str:
    found: list[str] = []
    if policy.grace_s < inf:
        found.append(f"disconnected {duration_text(policy.grace_s)}" if policy.grace_s else "disconnected")
    if policy.failed_grace_s < inf:
        wait = f" {duration_text(policy.failed_grace_s)}" if policy.failed_grace_s else ""
        found.append(f"failed{wait}")
    if policy.silence_s < inf:
        also = " while disconnected" if policy.silence_when == "disconnected" else ""
        found.append(f"{duration_text(policy.silence_s)} of silence{also}")
    if policy.missed_pings:
        found.append(f"{policy.missed_pings} missed pings")
    return ", ".join(found) or "-"


def _waits(policy: Policy) -> str:
    if policy.delays_s:
        rows = [f"{delay_s:g}" for delay_s in policy.delays_s]
        shown = rows if len(rows) <= 6 else [*rows[:6], "..."]
        return " ".join(shown) + " s"
    if policy.factor == 1.0:
        return duration_text(policy.retry_delay_s)
    longest = "" if policy.longest_delay_s == inf else f", {duration_text(policy.longest_delay_s)} at most"
    return f"{duration_text(policy.retry_delay_s)} x{policy.factor:g}{longest}"


def _jitter(policy: Policy) -> str:
    if policy.jitter == "share":
        return f"\u00b1{policy.jitter_share:.0%}"
    if policy.jitter == "once":
        return f"\u00b1{policy.jitter_share:.0%} once"
    return "-" if policy.jitter == "none" else policy.jitter


def _until(policy: Policy) -> str:
    found = [] if policy.max_attempts is None else [f"{policy.max_attempts} attempts"]
    if policy.time_limit_s < inf:
        why = " unanswered" if policy.time_limit_from == "unanswered" else ""
        found.append(f"{duration_text(policy.time_limit_s)}{why}")
    return ", ".join(found) or "for ever"
