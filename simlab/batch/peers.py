"""Whether the peers that a scenario names can be had here, and can do what it wants."""

from collections.abc import Iterable, Iterator
from importlib.util import find_spec

from simlab.core.errors import InvalidInputError
from simlab.profile.model import Profile, Server
from simlab.profile.scenario import Scenario


def check_peers(scenarios: Iterable[Scenario]) -> None:
    """Look at the peers of all scenarios before the first one runs.

    Raises
    ------
    InvalidInputError
        If one of them cannot be had or cannot do what its scenario wants, with every fault.
    """
    faults = [f"{s.profile.name}: {fault}" for s in scenarios for fault in _faults(s)]
    if faults:
        raise InvalidInputError(list(dict.fromkeys(faults)))


def _faults(scenario: Scenario) -> Iterator[str]:
    if scenario.profile.peers.server == "pipecat":
        yield from _pipecat_faults(scenario.profile)


def _pipecat_faults(profile: Profile) -> Iterator[str]:
    missing = [module for module in ("pipecat", "fastapi") if find_spec(module) is None]
    if missing:
        yield (
            f'peers.server is "pipecat", but {" and ".join(missing)} is not installed: '
            'pip install "simlab[pipecat]"'
        )
    if profile.server.model_copy(update={"mode": "multiple"}) != Server():
        yield 'server: of this table, "mode" alone means something to a server that is not built in'
