"""Whether the peers that a scenario names can be had here, and can do what it wants."""

from collections.abc import Iterable, Iterator
from importlib.util import find_spec

from simlab.core.errors import InvalidInputError
from simlab.own_server.find import is_own, takes_asgi, why_no_client, why_not
from simlab.profile.bot import BotKeys
from simlab.profile.model import Client, Profile, Server
from simlab.profile.policy import PolicyKeys
from simlab.profile.scenario import Scenario

_PIPECAT = 'pip install "simlab[pipecat]"'
_PLAYWRIGHT = 'pip install "simlab[browser]"'
_CHROMIUM = "on Debian or Ubuntu: apt install chromium"
_NPM = "on Debian or Ubuntu: apt install npm"


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
    yield from _crowd_faults(scenario.profile)
    yield from _relay_faults(scenario.profile)
    yield from _video_faults(scenario.profile)
    server = scenario.profile.peers.server
    if server == "pipecat":
        yield from _pipecat_faults()
    if is_own(server):
        yield from _own_faults(server)
    if is_own(scenario.profile.peers.client):
        yield from _own_client_faults(scenario.profile)
    if server != "builtin":
        yield from _other_server_faults(scenario.profile)
    if scenario.profile.peers.client == "chromium":
        yield from _chromium_faults(scenario.profile)


def _crowd_faults(profile: Profile) -> Iterator[str]:
    if profile.peers.clients > 1 and profile.clock == "real":
        yield f"peers.clients is {profile.peers.clients}, but the real clock runs one: --clock virtual"


def _relay_faults(profile: Profile) -> Iterator[str]:
    if profile.ice is None or profile.ice.policy == "all":
        return
    for side, name in (("client", profile.peers.client), ("server", profile.peers.server)):
        if name != "builtin" and side in profile.ice.used_by:
            yield f'ice.policy is "relay", but the {side} is "{name}", which takes all candidates'


def _video_faults(profile: Profile) -> Iterator[str]:
    published = [name for name in (profile.peers.client, profile.peers.server) if name != "builtin"]
    if "video" in profile.peers.media:
        for name in published:
            yield f'peers.media has "video", but "{name}" sends and shows no pictures here'


def _own_faults(server: str) -> Iterator[str]:
    reason = why_not(server)
    if reason:
        yield f'peers.server is "{server}", {reason}'
    elif takes_asgi(server) and find_spec("uvicorn") is None:
        yield f'peers.server is "{server}", but uvicorn, which serves it, is missing: pip install uvicorn'


def _own_client_faults(profile: Profile) -> Iterator[str]:
    name = profile.peers.client
    reason = why_no_client(name)
    if reason:
        yield f'peers.client is "{name}", {reason}'
    if profile.policy != PolicyKeys():
        yield "policy: a client of your own reconnects as it does itself"
    if profile.client != Client():
        yield "client: of this table, nothing means anything to a client of your own"
    if profile.actions:
        yield "action: nothing of these tables means anything to a client of your own"


def _pipecat_faults() -> Iterator[str]:
    missing = [module for module in ("pipecat", "fastapi") if find_spec(module) is None]
    if missing:
        are = "are" if len(missing) > 1 else "is"
        yield f'peers.server is "pipecat", but {" and ".join(missing)} {are} not installed: {_PIPECAT}'


def _other_server_faults(profile: Profile) -> Iterator[str]:
    if profile.server.model_copy(update={"mode": "multiple"}) != Server():
        yield 'server: of this table, "mode" alone means something to a server that is not built in'
    for index, fault in enumerate(profile.faults):
        if fault.kind == "server-exhausted":
            kind = f'fault[{index}].kind is "{fault.kind}"'
            yield f"{kind}, but a server that is not built in opens its own sockets"
    if profile.bot != BotKeys():
        yield "bot: nothing of this table means anything to a server that is not built in"


def _chromium_faults(profile: Profile) -> Iterator[str]:
    if profile.clock == "virtual":
        yield 'peers.client is "chromium", but no browser runs under the virtual clock: --clock real'
        return
    if find_spec("playwright") is None:
        yield f'peers.client is "chromium", but playwright is not installed: {_PLAYWRIGHT}'
    else:
        yield from _missing_for_chromium()
    if profile.policy != PolicyKeys():
        yield 'policy: want "pipecat" alone for a browser, whose client has that one of its own'
    if profile.client != Client():
        yield "client: of this table, nothing means anything to a browser"
    if profile.actions:
        yield "action: nothing of these tables means anything to a browser"
    for index, fault in enumerate(profile.faults):
        if fault.kind == "handover":
            yield f'fault[{index}].kind is "{fault.kind}", but a browser has the addresses of its machine'


def _missing_for_chromium() -> Iterator[str]:
    from simlab.live import chromium_page

    if chromium_page.executable() is None:
        yield f'peers.client is "chromium", but there is no Chromium in PATH; {_CHROMIUM}'
    if not chromium_page.is_built() and not chromium_page.can_be_built():
        yield (
            'peers.client is "chromium", but the published client is not there yet, and npm, '
            f"with which to fetch and bundle it, is missing; {_NPM}"
        )
