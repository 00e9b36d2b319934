"""Import what a session may need in the middle of it, where what is imported would meet the virtual world."""

import sys

from simlab.profile.scenario import Scenario
from simlab.virtual.kept_sound import is_kept
from simlab.webrtc.later import import_av, import_dnspython


def import_ahead(scenario: Scenario) -> None:
    """Import what was put off, as far as a session needs it; for code of the user's own, all of it."""
    peers = scenario.profile.peers
    is_builtin = peers.client == peers.server == "builtin"
    if "video" in peers.media or not is_kept(scenario) or "av" in sys.modules:
        import_av()
    has_names = any(fault.kind == "mdns-unresolvable" for fault in scenario.profile.faults)
    if has_names or not is_builtin:
        import_dnspython()
