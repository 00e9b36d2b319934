"""Profiles: TOML text to a checked ``Profile``, to a frozen ``Scenario``, to the links of its network."""

from simlab.profile.build import links
from simlab.profile.expect import Expectation
from simlab.profile.faults import BlackoutFault, BlockFault, Fault, SignallingFault, SignallingHow
from simlab.profile.load import load
from simlab.profile.model import Profile, schema
from simlab.profile.scenario import Scenario

__all__ = [
    "BlackoutFault",
    "BlockFault",
    "Expectation",
    "Fault",
    "Profile",
    "Scenario",
    "SignallingFault",
    "SignallingHow",
    "links",
    "load",
    "schema",
]
