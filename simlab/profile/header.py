"""The first line of a timeline: which scenario ran, and on what."""

import platform
from collections.abc import Iterable
from functools import cache
from importlib import metadata
from typing import Any

from simlab.core.timeline import SCHEMA
from simlab.profile.scenario import Scenario

_PACKAGES = ("aiortc", "aioice", "av", "cryptography", "pylibsrtp", "aiohttp", "httpx", "numpy")
_PACKAGES_OF: dict[str, tuple[str, ...]] = {"builtin": (), "pipecat": ("pipecat-ai",)}


@cache  # it takes longer than a second of a session
def version(package: str) -> str:
    """Return the version of an installed package."""
    return metadata.version(package)


def versions(packages: Iterable[str] = ("simlab", *_PACKAGES)) -> dict[str, str]:
    """Return the versions of Python and of packages."""
    return {"python": platform.python_version()} | {name: version(name) for name in packages}


def header(scenario: Scenario, packages: Iterable[str] = _PACKAGES, **more: Any) -> dict[str, Any]:
    """Return the header of a timeline.

    Parameters
    ----------
    packages
        Those whose versions the events depend on.
    more
        What else is to be known of the run.
    """
    profile = scenario.profile
    packages = (*packages, *_PACKAGES_OF.get(profile.peers.server, ()))
    return {
        "schema": SCHEMA,
        "simlab": version("simlab"),
        "scenario_hash": scenario.hash,
        "profile": profile.name,
        "policy": scenario.policy_name,
        "seed": scenario.seed,
        "clock": scenario.clock,
        "duration_s": profile.duration_s,
        "media": list(profile.peers.media),
        **({"clients": profile.peers.clients} if profile.peers.clients > 1 else {}),
        **more,
        "versions": versions(packages),
    }
