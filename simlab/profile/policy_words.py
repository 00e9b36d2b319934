"""A policy in a few words: its name, and what is changed in it."""

import json
from typing import Any

from simlab.profile.policy import PolicyKeys

_MOST = 4
_NAMES = ("name", "source", "description")


def keys_of(policy: PolicyKeys) -> dict[str, Any]:
    """Return the keys of ``[policy]`` beside its name, as TOML has them: what is changed in the named one."""
    keys = policy.model_dump(by_alias=True, exclude_none=True)
    return {key: value for key, value in keys.items() if key not in _NAMES}


def told(policy: PolicyKeys) -> str:
    """Return ``"livekit (max_attempts=10)"``; of a policy file, too, its base: ``"mine (livekit, …)"``."""
    keys = keys_of(policy)
    base = keys.pop("base", None)
    changed = [f"{key}={_text(value)}" for key, value in keys.items()]
    more = [f"{len(changed) - _MOST} more"] if len(changed) > _MOST else []
    words = [*([base] if base else []), *changed[:_MOST], *more]
    return f"{policy.name} ({', '.join(words)})" if words else policy.name


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
