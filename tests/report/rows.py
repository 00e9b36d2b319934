"""Rows of a study made by hand."""

from typing import Any

FIELDS = {
    "succeeded": True,
    "clock": "virtual",
    "connect_bot_ready_s": 0.5,
    "usable_fraction": 0.9,
    "attempts_ice_restarts": 0,
    "attempts_recreations": 1,
    "violations": 0,
    "violated": "",
}


def session(number: int, profile: str = "flaky", policy: str = "pipecat", **more: Any) -> dict[str, Any]:
    """Return the row of a session."""
    labels = {"session": number, "profile": profile, "policy": policy, "seed": number + 1}
    return labels | FIELDS | more


def outage(of: dict[str, Any], waited_s: float, recovered: bool = True) -> dict[str, Any]:
    """Return the row of an outage of a session."""
    labels = {name: of[name] for name in ("session", "profile", "policy", "seed")}
    return labels | {"waited_s": waited_s, "recovered": recovered}
