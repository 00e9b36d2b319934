"""From what a user names as a policy - a name, a file, a class - to the keys of ``[policy]``."""

from pathlib import Path
from typing import Any

from simlab.batch.files import text_of
from simlab.core.errors import InvalidInputError
from simlab.profile.endless import UNLIMITED
from simlab.profile.nearest import one_of, quoted
from simlab.profile.policy import SUFFIX, PolicyKeys
from simlab.profile.policy_file import load_policy
from simlab.reconnect.policy import POLICIES
from simlab.reconnect.terms import Policy
from simlab.webrtc.named import as_its_file_is
from simlab.webrtc.policies import FOLLOWING, find_rules


def policy_keys(name: str) -> PolicyKeys:
    """Return the keys of a policy: one that simlab knows, a file, or a class as ``MODULE:NAME``.

    Raises
    ------
    InvalidInputError
        If there is none, or the file is wrong.
    """
    if name in POLICIES:
        return PolicyKeys(name=name)
    if name.endswith(SUFFIX):
        return load_policy(text_of(Path(name), "a policy"), name, POLICIES)
    if ":" not in name:
        raise InvalidInputError([f"--policy is {quoted(name)}, {one_of(name, POLICIES)}"])
    reason = why_not_python(name)
    if reason:
        raise InvalidInputError([f"--policy is {quoted(name)}, {reason}"])
    return PolicyKeys(name=name)


def why_not_python(name: str) -> str | None:
    """Return why a class that ``MODULE:NAME`` names cannot be a policy, or None if it can."""
    try:
        with as_its_file_is(name.partition(":")[0]):
            find_rules(name)
    except ValueError as error:
        return str(error)
    return None


def as_keys(policy: Policy) -> dict[str, Any]:
    """Return a policy as the keys of a policy file, with every term; but for those that follow the client."""
    left_out = {"base", *(FOLLOWING if policy.follow_client else ())}
    terms = {
        name: getattr(policy, name)
        for name in PolicyKeys.model_fields
        if name not in left_out and (name != "follow_client" or policy.follow_client)
    }
    if terms["max_attempts"] is None:
        terms["max_attempts"] = UNLIMITED
    keys = PolicyKeys.model_construct(**terms)
    return keys.model_dump(by_alias=True, exclude_unset=True)
