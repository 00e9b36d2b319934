"""Run a profile in virtual time, from its text."""

from simlab.profile.load import load
from simlab.profile.scenario import Scenario
from simlab.reconnect.policy import POLICIES
from simlab.virtual.session import run


def scenario(text, **overrides):
    settings = {key.replace("__", "."): value for key, value in overrides.items()}
    return Scenario.of(load(text, "test.toml", settings, policies=POLICIES))


def run_text(text, **overrides):
    """Return the timeline of a profile; ``peers__media="[]"`` sets ``peers.media``."""
    return run(scenario(text, **overrides))
