"""Which server a scenario wants."""

import sys
from importlib import import_module
from typing import Protocol

from simlab.core.timeline import Recorder
from simlab.own_server.find import imported, is_own
from simlab.profile.scenario import Scenario
from simlab.webrtc.ears import EarsOfAll
from simlab.webrtc.iceserver.servers import NO_ICE_SERVERS, IceSettings
from simlab.webrtc.session import ServerSession


class ServerHalf(Protocol):
    """The server's half of a session, whoever wrote the server."""

    @property
    def ears(self) -> EarsOfAll:
        """What it has heard and sent."""

    @property
    def port(self) -> int:
        """Where it listens, on the real clock."""

    async def start(self, host: str, port: int) -> None:
        """Listen."""

    def finish(self) -> None:
        """Record what is still open."""

    async def close(self) -> None:
        """Free everything."""


def server_of(
    scenario: Scenario,
    record: Recorder,
    ears: EarsOfAll | None = None,
    ice: IceSettings = NO_ICE_SERVERS,
) -> ServerHalf:
    """Make the server that a scenario names; ``ears`` are of the one before it."""
    name = scenario.profile.peers.server
    if name == "builtin":
        return ServerSession(scenario, record, ears, ice)
    prepare(scenario)
    if is_own(name):
        from simlab.own_server.session import OwnServerSession

        return OwnServerSession(scenario, record, ears)
    from simlab.pipecat_server.session import PipecatServerSession

    return PipecatServerSession(scenario, record, ears, ice)


def prepare(scenario: Scenario) -> None:
    """Import what the server of a scenario needs, which takes a second or two, and draws from chance."""
    name = scenario.profile.peers.server
    if is_own(name):
        imported(name)
        import_module("simlab.own_server.session")
        return
    if name == "builtin" or "simlab.pipecat_server.session" in sys.modules:
        return
    from loguru import logger

    logger.disable("pipecat")  # it is talkative
    changes = import_module("simlab.own_server.pipecat_changes")
    import_module("simlab.pipecat_server.session")
    changes.put_back()
