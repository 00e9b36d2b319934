"""Which client a scenario wants."""

from importlib import import_module
from typing import Protocol

from simlab.core.timeline import Recorder
from simlab.own_server.find import imported, is_own
from simlab.profile.scenario import Scenario
from simlab.webrtc.iceserver.servers import NO_ICE_SERVERS, IceSettings
from simlab.webrtc.session import ClientSession


class ClientHalf(Protocol):
    """The client's half of a session, whoever wrote the client."""

    async def run(self, duration_s: float) -> None:
        """Run until ``duration_s`` after the session began."""

    async def hang_up(self) -> None:
        """Disconnect, as a user does."""

    def finish(self) -> None:
        """Record what is still open."""

    async def close(self) -> None:
        """Free everything."""


def client_of(
    scenario: Scenario, endpoint: str, record: Recorder, ice: IceSettings = NO_ICE_SERVERS
) -> ClientHalf:
    """Make the client that a scenario names, whose offers go to ``endpoint``."""
    if not is_own(scenario.profile.peers.client):
        return ClientSession(scenario, endpoint, record, ice)
    from simlab.own_client.session import OwnClientSession

    return OwnClientSession(scenario, endpoint, record, ice)


def prepare_client(scenario: Scenario) -> None:
    """Import what the client of a scenario needs, which takes its time, and may draw from chance."""
    name = scenario.profile.peers.client
    if is_own(name):
        imported(name)
        import_module("simlab.own_client.session")
